import Foundation
import Linux
import Testing

let isRoot = Users.currentUID == 0
/// `scripts/test --long`.
let isLong = Environment.value(of: "POSTERN_LONG") == "1"

/// A gateway of its own for one test: keys, a policy, `postern apply`, and `posternd` on a free port of the loopback.
final class Gateway {
    let directory: String
    let policy: TestPolicy
    /// The unix user that commands run as, and that clients log in as.
    let user: User
    private(set) var port: UInt16 = 0
    private(set) var process: RunningProgram

    /// Serves `policy` while `body` runs, and sees that nothing is left of it afterwards.
    static func serving(_ policy: TestPolicy = TestPolicy(), _ body: (Gateway) throws -> Void) throws {
        let gateway = try Gateway(policy)
        defer { try? FileManager.default.removeItem(atPath: gateway.directory) }
        do {
            try body(gateway)
        } catch {
            Issue.record("\(error)\n--- the gateway's log\n\(gateway.log.suffix(4000))")
        }
        try gateway.stop()
    }

    private init(_ policy: TestPolicy) throws {
        self.policy = policy
        user = try Self.findUser()
        let directory = "/tmp/gatewaytest-\(processID)-\(UInt32.random(in: 0 ... .max))"
        self.directory = directory
        try makeDirectory(directory, mode: 0o755)
        for name in policy.hostKeys + policy.signers { try Self.makeKey("\(directory)/\(name)") }
        for key in policy.keys {
            let path = "\(directory)/\(key.name)"
            if key.isSecurityKey { try SoftwareSecurityKey.makeKey(path) } else { try Self.makeKey(path) }
        }
        try policy.text(directory: directory, user: user.name).write(toFile: "\(directory)/policy.toml", atomically: false, encoding: .utf8)
        try Self.apply(directory)
        try policy.prepare(directory)
        let launcher = policy.launcher.map { $0.replacing("$DIRECTORY", with: directory) }
        process = try RunningProgram(launcher + Self.command(directory, policy.hostKeys) + ["-v", "--listen", "127.0.0.1:0"] + policy.arguments)
        guard try becomesTrue(within: .seconds(10), { log.contains("listening on ") }) else { throw Trouble("posternd does not listen:\n\(log)") }
        port = try Self.port(in: log)
        try writeClientFiles()
    }

    /// `posternd` with the files of a gateway's directory.
    static func command(_ directory: String, _ hostKeys: [String] = ["host"]) throws -> [String] {
        [try program("posternd"), "--policy", "\(directory)/policy.db", "--state", "\(directory)/state"] + hostKeys.flatMap { ["--host-key", "\(directory)/\($0)"] }
    }

    /// The programs under test: in `$POSTERN_PROGRAMS`, or where `make build` leaves them.
    static func program(_ name: String) throws -> String {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let programs = Environment.value(of: "POSTERN_PROGRAMS") ?? package.appending(path: ".build/release").path(percentEncoded: false)
        let path = "\(programs)/\(name)"
        guard FileManager.default.isExecutableFile(atPath: path) else { throw Trouble("\(path) is not there; run \"make build\" first") }
        return path
    }

    /// Never root: the one that scripts/setup makes, or whoever runs the tests.
    private static func findUser() throws -> User {
        let found = isRoot ? try Users.named("postern-test") : try Users.with(uid: Users.currentUID)
        guard let found else { throw Trouble("there is no user to run commands as; run scripts/setup") }
        return found
    }

    static func makeKey(_ path: String) throws {
        let made = try run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path])
        guard made.code == 0 else { throw Trouble("ssh-keygen: \(made)") }
    }

    private static func apply(_ directory: String) throws {
        let applied = try run([try program("postern"), "apply", "\(directory)/policy.toml", "-o", "\(directory)/policy.db"])
        guard applied.code == 0 else { throw Trouble("postern apply: \(applied)") }
    }

    /// Makes another policy live, with the keys that are there.
    func apply(_ changed: TestPolicy) throws {
        try changed.text(directory: directory, user: user.name).write(toFile: "\(directory)/policy.toml", atomically: false, encoding: .utf8)
        try Self.apply(directory)
    }

    private static func port(in log: String) throws -> UInt16 {
        let line = log.split(separator: "\n").first { $0.contains("listening on ") }
        guard let text = line?.split(separator: ":").last, let port = UInt16(text) else { throw Trouble("no port in \"\(log)\"") }
        return port
    }

    private func writeClientFiles() throws {
        let hostKey = try String(contentsOfFile: "\(directory)/host.pub", encoding: .utf8)
        try "[127.0.0.1]:\(port) \(hostKey)".write(toFile: "\(directory)/known_hosts", atomically: false, encoding: .utf8)
        try """
        Host gateway
          KexAlgorithms curve25519-sha256
        Host gateway gateway-by-default
          HostName 127.0.0.1
          Port \(port)
          UserKnownHostsFile \(directory)/known_hosts
          GlobalKnownHostsFile /dev/null
          StrictHostKeyChecking yes
          IdentityAgent none
          IdentitiesOnly yes
          BatchMode yes
          LogLevel ERROR

        """.write(toFile: "\(directory)/ssh_config", atomically: false, encoding: .utf8)
    }

    // MARK: - Clients

    /// The words that run OpenSSH's client with a key of the policy.
    ///
    /// OpenSSH 9.2's sntrup761 costs a tenth of a second, so that it is asked for where it is what is tested.
    func sshCommand(_ line: [String], key: String = "alice", login: String? = nil, options: [String] = []) -> [String] {
        ["/usr/bin/ssh", "-F", "\(directory)/ssh_config", "-i", "\(directory)/\(key)", "-l", login ?? user.name] + options + ["gateway"] + line
    }

    /// Runs a command of the policy by OpenSSH's client, to its end.
    func ssh(
        _ line: String..., key: String = "alice", login: String? = nil, options: [String] = [], environment: [String] = [],
        input: Input = .nothing, patience: Duration = RunningProgram.patience
    ) throws -> Outcome {
        try run(sshCommand(line, key: key, login: login, options: options), environment: environment, input: input, patience: patience)
    }

    /// Holds one connection open that clients share, by their options.
    func withMaster(key: String = "alice", _ body: ([String]) throws -> Void) throws {
        let path = "\(directory)/master"
        let master = try RunningProgram(sshCommand(["-N"], key: key, options: ["-M", "-S", path]).dropLast(2) + ["-N", "gateway"])
        guard try becomesTrue(within: .seconds(10), { FileManager.default.fileExists(atPath: path) }) else { throw Trouble("no master: \(master.errorsSoFar)") }
        try body(["-S", path])
        try master.kill()
    }

    /// Runs a shell script as the command `sh` of the standard policy.
    func script(_ script: String, options: [String] = [], input: Input = .nothing) throws -> Outcome {
        try ssh(Self.line(script), options: options, input: input)
    }

    /// The line that asks for the command `sh` of the standard policy.
    static func line(_ script: String) -> String { "sh '\(script.replacing("'", with: #"'\''"#))'" }

    // MARK: - The log

    var log: String { process.errorsSoFar }

    /// The audit records so far, each of which is a line of JSON.
    func records(_ event: String? = nil) throws -> [AuditRecord] {
        try log.split(separator: "\n").filter { $0.hasPrefix("{") }.map { try AuditRecord(String($0)) }.filter { event == nil || $0.event == event }
    }

    /// The first record of a kind, once it is there.
    func record(_ event: String, where fits: (AuditRecord) -> Bool = { _ in true }) throws -> AuditRecord {
        guard try becomesTrue(within: .seconds(10), { try records(event).contains(where: fits) }) else {
            throw Trouble("there is no record \"\(event)\"")
        }
        guard let record = try records(event).first(where: fits) else { throw Trouble("the record has gone") }
        return record
    }

    // MARK: - The end

    /// Stops it, and sees that it and all that it started has gone.
    private func stop() throws {
        let below = LiveProcess.descendants(of: process.pid)
        try process.child.sendSignal(.terminate)
        let outcome = try process.wait(.seconds(10))
        #expect(outcome.code == 0, "posternd ends cleanly when it is told to stop: \(outcome)")
        let connections = Set(try records("connect").map(\.connection))
        var left: [LiveProcess] = []
        let isGone = try becomesTrue(within: .seconds(3)) {
            left = below.filter(\.isAlive) + LiveProcess.having(argument: directory).filter { $0.pid != processID } + Self.commands(of: connections)
            return left.isEmpty
        }
        #expect(isGone, "something of the gateway is left: \(left.map { "\($0.pid) \($0.name) \($0.arguments)" })")
    }

    /// Processes that a gateway started as commands: each has the request, which begins with the connection, in its environment.
    private static func commands(of connections: Set<String>) -> [LiveProcess] {
        let mark = "POSTERN_REQUEST="
        return LiveProcess.having(inEnvironment: mark).filter { process in
            process.environment.contains { $0.hasPrefix(mark) && connections.contains(String($0.dropFirst(mark.count).prefix { $0 != "." })) }
        }
    }
}

/// A line of the audit log.
struct AuditRecord {
    private let members: [String: Any]

    init(_ line: String) throws {
        guard let members = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { throw Trouble("no object: \(line)") }
        self.members = members
    }

    var event: String { self["event"] }
    var connection: String { self["connection"] }
    /// Empty where there is no such text.
    subscript(name: String) -> String { members[name] as? String ?? "" }
    func number(_ name: String) -> Int? { members[name] as? Int }
    /// Of an object of numbers.
    func numbers(_ name: String) -> [String: Int]? { members[name] as? [String: Int] }
    var names: Set<String> { Set(members.keys) }
}
