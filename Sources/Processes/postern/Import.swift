import ArgumentParser
import Foundation
import Linux
import Policy
import PolicySource
import SSHKeys
import Sodium

/// `postern import`: what sshd or TinySSH had becomes Postern's.
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a policy from an authorized_keys file with forced commands, or a host key from TinySSH's.",
        discussion: """
            The policy goes to standard output, and to standard error what became of each line. A line with an option that is not \
            known or cannot be had is refused as a whole. Exit status 1: a line was refused.
            """)

    @Argument(help: "The authorized_keys file.", completion: .file())
    var authorizedKeys: String?
    @Option(name: .customLong("as"), help: "The unix user that the commands run as; by default the file's owner.")
    var user: String?
    @Option(help: "The name that clients log in with; by default that of the unix user.")
    var login: String?
    @Flag(help: "Whatever the client asks for runs the command, as under sshd.")
    var anyLine = false
    @Option(help: "TinySSH's key directory, whose host key is written in OpenSSH's format.", completion: .directory)
    var tinyssh: String?
    @Option(name: .shortAndLong, help: "Where that host key goes.", completion: .file())
    var output: String?

    func validate() throws {
        if (authorizedKeys == nil) == (tinyssh == nil) { throw ValidationError("either an authorized_keys file or --tinyssh is imported") }
        if tinyssh != nil, user != nil || login != nil || anyLine { throw ValidationError("a host key has no user, login or line") }
        if tinyssh == nil, output != nil { throw ValidationError("--output is for --tinyssh; a policy goes to standard output") }
        for name in [user, login].compactMap(\.self) where name.isEmpty || !name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
            throw ValidationError("\"\(name)\" is not a name")
        }
    }

    func run() throws {
        Sodium.initialize()
        var isWhole = true
        try Console.reporting { () throws(Failure) in
            if let tinyssh {
                try TinySSHKey.convert(tinyssh, to: output ?? "host_ed25519")
            } else {
                isWhole = try importKeys(authorizedKeys ?? "")
            }
        }
        if !isWhole { throw ExitCode(1) }
    }

    /// Returns whether all lines were taken over.
    private func importKeys(_ path: String) throws(Failure) -> Bool {
        let bytes: [UInt8]
        let owner: User?
        do throws(Errno) {
            let file = try openFile(path)
            owner = try Users.with(uid: file.status().uid)
            bytes = try file.readAll(limit: Self.largest)
        } catch {
            throw Failure("\"\(path)\" cannot be read: \(error)")
        }
        let options = AuthorizedKeysImport.Options(user: try account(owner), login: login, takesAnyLine: anyLine)
        let surroundings = Machine.surroundings
        let result = AuthorizedKeysImport(
            SourceFile(name: path, bytes: bytes), options, publicKey: surroundings.publicKey, localTime: Self.localTime)
        try Console.write(result.policy ?? "", to: .standardOutput)
        for line in result.accepted { try Console.note(line) }
        for diagnostic in result.refused { try Console.note(diagnostic.description) }
        for note in result.notes { try Console.note("note: \(note)") }
        let (taken, refused) = (result.accepted.count, result.refused.count)
        try Console.note("\(taken == 1 ? "1 key" : "\(taken) keys") taken over, \(refused == 1 ? "1 line" : "\(refused) lines") refused")
        return result.refused.isEmpty
    }

    /// Whom the commands run as: never root.
    private func account(_ owner: User?) throws(Failure) -> String {
        guard let name = user ?? owner?.name else { throw Failure("nobody is known to own the file", hint: "say --as USER") }
        if name == "root" { throw Failure("a command never runs as root", hint: "say --as USER for another user") }
        return name
    }

    /// In the zone of `TZ`, or of the machine.
    private static func localTime(_ time: CalendarTime) -> Int64? {
        guard time.isPlausible else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let components = DateComponents(
            year: time.year, month: time.month, day: time.day, hour: time.hour, minute: time.minute, second: time.second)
        guard let date = calendar.date(from: components), calendar.component(.day, from: date) == time.day else { return nil }
        return Int64(date.timeIntervalSince1970)
    }

    private static let largest = 16 << 20
}

/// The host key of TinySSH (tinysshd-makekey(8)): two files of raw bytes.
enum TinySSHKey {
    static func convert(_ directory: String, to path: String) throws(Failure) {
        let publicKey = try read("\(directory)/ed25519.pk", count: 32)
        var secret = try read("\(directory)/.ed25519.sk", count: 64)
        defer { wipe(&secret) }
        let key = Ed25519SigningKey(seed: SecretBytes(copying: secret[..<Ed25519SigningKey.seedBytes]))
        guard key.publicKey == publicKey, secret[Ed25519SigningKey.seedBytes...].elementsEqual(publicKey) else {
            throw Failure("\"\(directory)\": the public key is not the secret key's")
        }
        let written = try KeyPair.write(PrivateKeyFile(key: key, comment: "host"), to: path)
        try Console.say(written.fingerprintText)
        try Console.note("\"\(path)\" is the same host key in OpenSSH's format: clients that knew TinySSH know it")
    }

    private static func read(_ path: String, count: Int) throws(Failure) -> [UInt8] {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try readFile(path, limit: count)
        } catch {
            throw Failure("\"\(path)\" cannot be read: \(error)", hint: "the directory that tinysshd-makekey made is meant")
        }
        guard bytes.count == count else { throw Failure("\"\(path)\" has \(bytes.count) bytes, not \(count)") }
        return bytes
    }
}
