import ArgumentParser
import Foundation
import Linux
import Policy
import PolicySource
import Sandbox

/// `postern serve`: the gateway in the foreground, for a first try, a laptop, a test.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a policy and serve it in the foreground.",
        discussion: "Works as a normal user, whose gateway runs only that user's commands. Ctrl-C ends it; SIGHUP makes it read the policy anew.")

    @OptionGroup var options: PolicyOptions
    @Option(help: "[ADDR:]PORT to listen on; may be given again.")
    var listen: [String] = []
    @Option(help: "A host key file; may be given again. By default host_ed25519 beside the policy.", completion: .file())
    var hostKey: [String] = []
    @Flag(name: .shortAndLong, help: "Say more; may be given again.")
    var verbose: Int

    func run() throws {
        let (loaded, policy) = try PolicyOptions.load(options.policy)
        let home = Home(of: options.policy)
        var status: UInt8 = 0
        try Console.reporting { () throws(Failure) in
            let gateway = try GatewayProcess.find()
            let compiled = try TemporaryFile()
            defer { compiled.remove() }
            try Apply.publish(policy, as: compiled.path)
            let notifications = "\(compiled.directory)/notify"
            status = try gateway.run(try arguments(compiled.path, home), notifications: notifications) { () throws(Failure) in
                try Console.note("serving \(PolicyOptions.summary(loaded, policy)) on \(addresses.joined(separator: ", "))")
                if let line = invitation(loaded, policy, home) { try Console.note("try: \(line)") }
            } refresh: { () throws(Failure) in
                try refresh(compiled.path)
            }
        }
        if status != 0 { throw ExitCode(Int32(status)) }
    }

    /// Serves the policy as its source is now, if that is sound.
    private func refresh(_ compiled: String) throws(Failure) {
        let loaded = LoadedPolicy.read(options.policy, Machine.surroundings)
        try Console.write(loaded.text, to: .standardError)
        guard let policy = loaded.policy else { return try Console.note("\"\(options.policy)\" is not sound: the policy before it is still live") }
        do throws(Failure) { try Apply.publish(policy, as: compiled) } catch { return try Console.note("postern: \(error)") }
        try Console.note("now serving \(PolicyOptions.summary(loaded, policy))")
    }

    private var addresses: [String] { listen.isEmpty ? ["127.0.0.1:2222"] : listen }

    private func arguments(_ compiled: String, _ home: Home) throws(Failure) -> [String] {
        let hostKeys = (hostKey.isEmpty ? [try standardHostKey(home)] : hostKey).map(Machine.absolute)
        return ["--policy", compiled] + hostKeys.flatMap { ["--host-key", $0] } + addresses.flatMap { ["--listen", $0] }
            + Array(repeating: "-v", count: verbose)
    }

    private func standardHostKey(_ home: Home) throws(Failure) -> String {
        let places = [home.hostKey, "/etc/postern/host_ed25519"]
        guard let place = places.first(where: { Machine.exists($0) }) else {
            throw Failure("there is no host key: neither \"\(places[0])\" nor \"\(places[1])\"", hint: "make one, as \"postern keygen \(home.hostKey)\", or name it by --host-key")
        }
        return place
    }

    /// The line that a first client types: the exact one where `init` made the policy; nil where no key may do anything.
    private func invitation(_ loaded: LoadedPolicy, _ policy: Policy, _ home: Home) -> String? {
        guard let (name, login) = firstKey(policy), let address = addresses.first else { return nil }
        let example = loaded.examples.first { $0.key == name }
        let parts = address.split(separator: ":", omittingEmptySubsequences: false)
        let host = parts.dropLast().joined(separator: ":")
        let isEverywhere = ["", "0.0.0.0", "[::]", "*"].contains(host)
        let peer = isEverywhere ? "127.0.0.1" : host.trimmingCharacters(in: ["[", "]"])
        let port = parts.last.map(String.init) ?? "2222"
        guard home.hasClientKey else {
            return "ssh -p \(port) \(example?.login ?? login)@\(peer) \(ShellWord.quoted(example?.command ?? "help")), with the key \"\(name)\""
        }
        return home.sshCommand(login: example?.login ?? login, host: peer, port: port, command: example?.command ?? "help")
    }

    private func firstKey(_ policy: Policy) -> (name: String, login: String)? {
        guard let key = policy.keys.first, let command = key.may.first else { return nil }
        return (key.name, policy.commands[command].login)
    }
}

/// A file of a name that nobody else can foresee or reach.
struct TemporaryFile {
    let directory: String
    var path: String { "\(directory)/policy.db" }

    init() throws(Failure) {
        directory = FileManager.default.temporaryDirectory.path(percentEncoded: false) + "postern-" + String(UInt64.random(in: 0 ... .max), radix: 16)
        do throws(Errno) {
            try makeDirectory(directory, mode: 0o700)
        } catch {
            throw Failure("\"\(directory)\" cannot be made: \(error)")
        }
    }

    /// The directory belongs to a command's user, as its `TMPDIR`.
    init(ownedBy account: Account) throws(Failure) {
        try self.init()
        guard Users.currentUID == 0 else { return }
        do throws(Errno) { try openDirectory(directory).changeOwner(uid: account.uid, gid: account.gid) } catch { throw Failure("\"\(directory)\": \(error)") }
    }

    /// What cannot be removed is left to whoever cleans the temporary directory.
    func remove() {
        try? FileManager.default.removeItem(atPath: directory)
    }
}
