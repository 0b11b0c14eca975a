import Linux
import SSHServer
import Synchronization
import Testing

/// A server of this package on a free port, with a user or two and some commands.
final class SampleServer: Sendable {
    let workplace: Workplace
    let hostKey = SSHPrivateKey.generate()
    /// What the callbacks were asked, a line each.
    let log = Mutex<[String]>([])

    init() throws { workplace = try Workplace() }

    static let password = "correct horse"

    /// Lets the workplace's key in, and who knows the password.
    var authentication: Authentication {
        Authentication(
            key: { [self] proven in
                note("proven \(proven.user) \(proven.key.fingerprint)")
                return proven.key == workplace.key.publicKey ? .granted(saying: "welcome, \(proven.user)\n") : .refused(saying: "not you\n")
            },
            wouldTake: { [self] probed in
                note("probed \(probed.user) \(probed.key.fingerprint)")
                return probed.key == workplace.key.publicKey
            },
            password: { [self] offered in
                note("password \(offered.user)")
                return offered.password == Self.password ? .granted : .refused
            })
    }

    func listen(_ configuration: SSHServer.Configuration) async throws -> SSHServer { try await listen(port: 0, nil, configuration) }

    func listen(
        port: Int = 0, _ authentication: Authentication? = nil, certificate: SSHCertificate? = nil, _ configuration: SSHServer.Configuration = .init(),
        serving: @escaping @Sendable (SSHServerConnection) async throws -> Void = { try await SampleServer.serve($0) }
    ) async throws -> SSHServer {
        let server = try await SSHServer.listen(
            port: port, hostKey: hostKey, certificate: certificate, authentication: authentication ?? self.authentication, configuration: configuration,
            serving: serving)
        if port == 0 { try workplace.write("known_hosts", "[127.0.0.1]:\(server.port) \(hostKey.publicKey.line())\n") }
        return server
    }

    func note(_ line: String) { log.withLock { $0.append(line) } }

    /// Serves each session in a task of its own.
    static func serve(_ connection: SSHServerConnection) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for try await session in connection.sessions { group.addTask { try await serve(session, of: connection) } }
        }
    }

    private static func serve(_ session: SSHServerSession, of connection: SSHServerConnection) async throws {
        let words = (session.command ?? "").split(separator: " ").map(String.init)
        switch words.first {
        case "script":
            try await session.run { input, output, error in
                try await output.write("out\n")
                for try await piece in input { try await output.write(piece) }
                try await error.write("err\n")
                return 9
            }
        case "cat":
            try await session.run { input, output, _ in
                for try await piece in input { try await output.write(piece) }
                return 0
            }
        case "sink":
            try await session.run { input, output, _ in
                var count = 0
                for try await piece in input { count += piece.count }
                try await output.write("\(count)\n")
                return 0
            }
        case "flood":
            try await session.run { _, output, _ in
                var left = Int(words[1]) ?? 0
                let block = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 18)
                while left > 0 {
                    try await output.write(left < block.count ? Array(block[..<left]) : block)
                    left -= block.count
                }
                return 0
            }
        case "signal":
            try await session.exit(signal: words[1], message: "so it was wanted")
        case "wait":
            for try await signal in session.signals {
                try await session.standardOutput.write("got \(signal)\n")
                try await session.exit(3)
            }
        case "env":
            try await session.standardOutput.write((session.environment[words[1]] ?? "none") + "\n")
            try await session.exit()
        case "rekey":
            try await connection.requestKeyExchange()
            try await session.standardOutput.write("new keys\n")
            try await session.exit()
        default:
            try await session.standardOutput.write("\(session.request.map { "\($0)" } ?? "nothing") for \(connection.user)\n")
            try await session.exit()
        }
    }
}
