import Linux
import Testing

/// Python with the clients that `make setup` brings from PyPI: Debian has them not, or too old for our ciphers.
enum PythonClients {
    private static let program = Environment.value(of: "POSTERN_PYTHON").flatMap { $0.isEmpty ? nil : $0 }

    static let areThere = program != nil
    static let whyNot: Comment = "needs clients of PyPI, which make setup installs where it can"

    /// Runs a program whose arguments are host, port, user, the key's file, the known hosts and a directory for files.
    ///
    /// - Parameter more: what follows these.
    static func run(_ text: String, _ gateway: Gateway, _ more: [String] = [], patience: Duration = RunningProgram.patience) throws -> Outcome {
        let words = ["127.0.0.1", "\(gateway.port)", gateway.user.name, "\(gateway.directory)/alice", "\(gateway.directory)/known_hosts", gateway.directory]
        return try GatewayTests.run([program ?? "/usr/bin/python3", "-W", "ignore", "-c", text] + words + more, environment: environment(gateway), patience: patience)
    }

    /// Runs one of the programs that come with the clients.
    static func run(tool: String, _ words: [String], _ gateway: Gateway) throws -> Outcome {
        guard let program, let end = program.lastIndex(of: "/") else { throw Trouble("POSTERN_PYTHON is no path") }
        return try GatewayTests.run([program, "\(program[..<end])/\(tool)"] + words, environment: environment(gateway))
    }

    private static func environment(_ gateway: Gateway) -> [String] { ["HOME=\(gateway.directory)", "TMPDIR=\(gateway.directory)"] }
}
