import Foundation
import Glibc
import Linux
import SSHKeys
import Sandbox
import Sodium
import Testing

/// Who the gateway runs as.
enum Role: String, CaseIterable, CustomTestStringConvertible {
    case root
    case user

    static var available: [Role] { Users.currentUID == 0 ? allCases : [.user] }
    var testDescription: String { self == .root ? "as root" : "as a normal user" }
}

/// Two gateways on disk, made once: in `hostile` the frontend is a puppet, in `real` it is the one that is installed.
final class Site: Sendable {
    static let programs = ["posternd", "postern-frontend", "postern-init", "postern", "hostile-frontend"]
    /// Static programs: those of a debug build find no loader in the frontend's empty root.
    static let built = Environment.value(of: "POSTERN_PROGRAMS") ?? URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: ".build/release").path(percentEncoded: false)
    static var isBuilt: Bool { programs.allSatisfy { access("\(built)/\($0)", X_OK) == 0 } }
    static let shared = Result { try Site() }

    let directory: String
    /// Who a normal user's gateway runs as, and every command: one with few rights.
    let account: User
    let hostKey = Ed25519SigningKey.generate()
    /// May run all but `other`.
    let alice = Ed25519SigningKey.generate()
    /// May run `other`, under the login name "elsewhere".
    let bob = Ed25519SigningKey.generate()
    /// May run `hello`; a security key, which must be touched.
    let token = Token()
    /// Its certificates with the principal "developers" open `hello`.
    let authority = Ed25519SigningKey.generate()
    /// Not in the policy.
    let mallory = Ed25519SigningKey.generate()

    static let mostChannels = 4
    /// The grace of the policy called "hasty".
    static let shortGrace: Duration = .seconds(1)

    private init() throws {
        Sodium.initialize()
        // What goes to a frontend that has ended.
        ignoreBrokenPipes()
        directory = "/tmp/postern-hostile-\(getpid())"
        // Not the frontend's user: the one that scripts/setup makes.
        let own = Users.currentUID
        guard let account = try own == 0 ? Users.named("postern-test") : Users.with(uid: own) else {
            throw SiteFault(text: "there is no user to run commands as; run scripts/setup")
        }
        self.account = account
        try makeDirectory(directory, mode: 0o755)
        atexit { removeSite() }
        for (place, frontend) in [("hostile", "hostile-frontend"), ("real", "postern-frontend")] {
            try makeDirectory("\(directory)/\(place)", mode: 0o755)
            try copy("\(Self.built)/posternd", to: "\(directory)/\(place)/posternd", mode: 0o755)
            try copy("\(Self.built)/postern-init", to: "\(directory)/\(place)/postern-init", mode: 0o755)
            try copy("\(Self.built)/\(frontend)", to: "\(directory)/\(place)/postern-frontend", mode: 0o755)
        }
        try makeDirectory(marks, mode: 0o755)
        try give(marks)
        try writeKeys()
        for (name, grace) in [("policy", "20s"), ("hasty", "1s")] { try apply(name, grace) }
    }

    /// Where the command `mark` leaves a file: the proof that something was executed.
    private var marks: String { "\(directory)/marks" }

    func hasMark(_ name: String) -> Bool { marksLeft.contains(name) }
    var marksLeft: [String] { names(in: marks) }

    var hostBlob: [UInt8] { PublicKey(ed25519: hostKey.publicKey).blob }

    /// What a gateway of that user reads: its own copies, since nobody else may be able to write them.
    func file(_ name: String, _ role: Role) -> String { "\(directory)/\(role.rawValue)-\(name)" }

    private func writeKeys() throws {
        for (name, key) in [("host", hostKey), ("alice", alice)] {
            for role in Role.available { try write(PrivateKeyFile(key: key, comment: name).encoded, file(name, role), role) }
        }
        let known = "hostile " + PublicKey(ed25519: hostKey.publicKey).line(comment: "") + "\n"
        try createFile("\(directory)/known_hosts", Array(known.utf8), mode: 0o644)
    }

    private func apply(_ name: String, _ grace: String) throws {
        let source = "\(directory)/\(name).toml"
        try createFile(source, Array(policy(grace).utf8), mode: 0o644)
        let compiled = "\(directory)/\(name).db"
        let outcome = try run(["\(Self.built)/postern", "apply", source, "-o", compiled])
        guard outcome.succeeded else { throw SiteFault(text: outcome.output) }
        for role in Role.available { try write(try readFile(compiled, limit: 1 << 24), file(name, role), role) }
    }

    private func write(_ bytes: [UInt8], _ path: String, _ role: Role) throws {
        try createFile(path, bytes, mode: 0o600)
        if role == .user { try give(path) }
    }

    private func give(_ path: String) throws {
        if Users.currentUID == 0 { try openFile(path, .nonBlocking).changeOwner(uid: account.uid, gid: account.gid) }
    }

    private func copy(_ source: String, to target: String, mode: UInt32) throws {
        try createFile(target, try readFile(source, limit: 1 << 26), mode: mode)
    }

    private func policy(_ grace: String) -> String {
        """
        version = 1
        [gateway]
        login_grace = "\(grace)"
        exempt = ["127.0.0.1"]
        max_channels = \(Self.mostChannels)
        [key.alice]
        public = "\(PublicKey(ed25519: alice.publicKey).line(comment: "alice"))"
        may = ["hello", "show", "mark", "wait", "outlive", "chatter"]
        [key.bob]
        public = "\(PublicKey(ed25519: bob.publicKey).line(comment: "bob"))"
        may = ["other"]
        [key.token]
        public = "\(token.line)"
        may = ["hello"]
        [authority.staff]
        public = "\(PublicKey(ed25519: authority.publicKey).line(comment: ""))"
        principals = { developers = ["hello"] }

        [command.hello]
        as = "\(account.name)"
        directory = "/"
        usage = "hello"
        run = ["/bin/echo", "hello"]
        [command.show]
        as = "\(account.name)"
        directory = "/"
        usage = "show"
        run = ["/usr/bin/env"]
        accept_env = { NOTE = '[^,]{0,80}' }
        [command.mark]
        as = "\(account.name)"
        directory = "/"
        usage = "mark <name>"
        args = { name = { match = '[a-z][a-z-]*' } }
        run = ["/usr/bin/touch", "\(marks)/<name>"]
        sandbox = "marking"
        [command.wait]
        as = "\(account.name)"
        directory = "/"
        usage = "wait"
        run = ["/bin/sleep", "600"]
        signals = ["INT"]
        [command.outlive]
        as = "\(account.name)"
        directory = "/"
        usage = "outlive"
        run = ["/bin/sleep", "600"]
        timeout = "2s"
        on_disconnect = "finish"
        [command.chatter]
        as = "\(account.name)"
        directory = "/"
        usage = "chatter"
        run = ["/usr/bin/yes"]
        timeout = "2s"
        on_disconnect = "finish"
        [command.other]
        as = "\(account.name)"
        directory = "/"
        login = "elsewhere"
        usage = "other"
        run = ["/bin/echo", "other"]
        [sandbox.marking]
        base = "tool"
        write = ["\(marks)"]
        """
    }
}

struct SiteFault: Error { let text: String }

/// At the end of the test process; it knows nothing but the process's number.
private func removeSite() {
    do { try FileManager.default.removeItem(atPath: "/tmp/postern-hostile-\(getpid())") } catch {}
}

extension PrivateKeyFile {
    fileprivate var encoded: [UInt8] {
        var random = SystemRandom()
        return text(random: &random)
    }
}

/// What a program run to its end left behind: both its outputs in one.
struct Outcome {
    let status: Exit.Status
    let output: String
    var succeeded: Bool { status == .exited(0) }
}

/// Runs a program to its end, with an empty input and its output in memory.
func run(_ arguments: [String]) throws -> Outcome {
    let output = try memoryFile(named: "output")
    let plan = ProcessPlan(
        program: .path(arguments[0]), arguments: arguments, environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
        input: try openFile("/dev/null"), output: output, error: output)
    let status = try launch(plan).waitUntilExit().status
    try output.rewind()
    return Outcome(status: status, output: String(decoding: try output.readAll(limit: 1 << 20), as: UTF8.self))
}
