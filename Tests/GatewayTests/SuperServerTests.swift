import Foundation
import Linux
import Testing

/// Each serves a session as root, and once more where the tests run as a normal user: there on a high port, for that user's commands.
@Suite("T33: super-servers start the gateway") struct SuperServerTests {
    /// How one is started, where `$POSTERND` is the program with its options, `$PORT` a free port and `$DIRECTORY` the gateway's.
    struct Server: Sendable, CustomTestStringConvertible {
        var name: String
        var package: String
        var words: [String]
        /// The lines of a file `server.conf`.
        var configuration = ""
        /// Nothing of it tells posternd whose connection it is, since it stands between.
        var isBetween = false

        var testDescription: String { name }
        var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: words[0]) }
    }

    static let servers = [
        Server(name: "tcpserver", package: "ucspi-tcp", words: ["/usr/bin/tcpserver", "-HRDl0", "127.0.0.1", "$PORT", "/bin/sh", "-c", "exec $POSTERND"]),
        Server(
            name: "tcpserver, standard error on the connection", package: "ucspi-tcp",
            words: ["/usr/bin/tcpserver", "-HRDl0", "127.0.0.1", "$PORT", "/bin/sh", "-c", "exec $POSTERND 2>&1"]),
        // Debian's busybox is built without its tcpsvd: this is the one that it was made after, with the same options.
        Server(name: "tcpsvd", package: "ipsvd", words: ["/usr/bin/tcpsvd", "-c", "16", "127.0.0.1", "$PORT", "/bin/sh", "-c", "exec $POSTERND"]),
        Server(
            name: "inetd", package: "openbsd-inetd", words: ["/usr/sbin/inetd", "-i", "$DIRECTORY/server.conf"],
            configuration: "127.0.0.1:$PORT stream tcp nowait $USER $POSTERND\n"),
        Server(
            name: "socat", package: "socat", words: ["/usr/bin/socat", "TCP-LISTEN:$PORT,bind=127.0.0.1,fork,reuseaddr", "EXEC:$POSTERND,stderr"],
            isBetween: true),
        Server(
            name: "socat nofork", package: "socat",
            words: ["/usr/bin/socat", "TCP-LISTEN:$PORT,bind=127.0.0.1,fork,reuseaddr", "EXEC:$POSTERND,nofork,stderr"]),
    ]

    @Test(arguments: servers) func `T33: a session runs under it`(server: Server) throws {
        guard server.isInstalled else { return print("skipped: \(server.package) is not installed (make setup)") }
        try Gateway.serving { gateway in
            let port = try Self.freePort()
            let values = [
                "$POSTERND": try Self.line(gateway, server), "$PORT": "\(port)", "$DIRECTORY": gateway.directory,
                "$USER": try Users.with(uid: Users.currentUID)?.name ?? "",
            ]
            let filled = { (text: String) in values.reduce(text) { $0.replacing($1.key, with: $1.value) } }
            try createFile("\(gateway.directory)/server.conf", Array(filled(server.configuration).utf8))
            let running = try RunningProgram(server.words.map(filled))
            try Self.wait(for: port, running)
            let options = ["-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"]
            let outcome = try gateway.script("echo $SSH_CONNECTION; cat; echo err >&2; exit 9", options: options, input: .bytes(Array("in\n".utf8)))
            #expect(outcome.output.hasSuffix("\nin\n") && outcome.errors == "err\n" && outcome.code == 9, "\(outcome)")
            // The address is the socket's, not what the environment says.
            #expect(outcome.output.contains("127.0.0.1 \(port)\n") || server.isBetween, "\(outcome)")
            let refused = try gateway.ssh("nonsense", options: options)
            #expect(refused.code == 126, "\(refused)")
            let connections = try String(contentsOfFile: "\(gateway.directory)/log", encoding: .utf8).split(separator: "\n").filter { $0.contains(#""event":"connect""#) }
            #expect(connections.count >= 2)
            try running.child.sendSignal(.terminate)
            _ = try running.wait(.seconds(10))
        }
    }

    private static let supervisor = "/usr/bin/s6-supervise"

    @Test(.enabled(if: isRoot && FileManager.default.isExecutableFile(atPath: supervisor), "needs s6 (make setup), and reads deploy/ as root"))
    func `T33: deploy/s6/run is a service, which is started again when it is killed`() throws {
        try Gateway.serving { gateway in
            let (port, service) = (try Self.freePort(), "\(gateway.directory)/service")
            try makeDirectory(service, mode: 0o755)
            let command = (try Gateway.command(gateway.directory) + ["--log", "\(gateway.directory)/log", "--listen", "127.0.0.1:\(port)"]).joined(separator: " ")
            let text = try String(contentsOfFile: "\(UnitTests.deploy)/s6/run", encoding: .utf8)
            #expect(text.contains("/usr/sbin/posternd --listen 2222"))
            try createFile("\(service)/run", Array(text.replacing("/usr/sbin/posternd --listen 2222", with: command).utf8), mode: 0o755)
            let running = try RunningProgram([Self.supervisor, service])
            let options = ["-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"]
            var listeners: [Int32] = []
            for _ in 0..<2 {
                try Self.wait(for: port, running)
                #expect(try gateway.script("echo in", options: options).output == "in\n")
                let listener = try #require(LiveProcess.children(of: running.pid).first { $0.name == "posternd" })
                listeners.append(listener.pid)
                _ = try run(["/bin/kill", "-KILL", "\(listener.pid)"])
                #expect(try becomesTrue(within: .seconds(10)) { !listener.isAlive })
            }
            #expect(Set(listeners).count == 2)
            // TERM brings the service down, and the supervisor with it.
            try running.child.sendSignal(.terminate)
            _ = try running.wait(.seconds(20))
        }
    }

    /// inetd takes a path, and the words from the program's name on.
    private static func line(_ gateway: Gateway, _ server: Server) throws -> String {
        let words = try Gateway.command(gateway.directory) + ["--log", "\(gateway.directory)/log"]
        return (server.name == "inetd" ? [words[0], "posternd"] + words.dropFirst() : words).joined(separator: " ")
    }

    static func freePort() throws -> UInt16 {
        try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0)).localAddress().port
    }

    static func wait(for port: UInt16, _ server: RunningProgram) throws {
        let answers = try becomesTrue(within: .seconds(10)) {
            do throws(Errno) {
                _ = try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: port))
                return true
            } catch {
                return false
            }
        }
        if !answers { throw Trouble("the server does not listen: \(server.errorsSoFar)") }
    }
}
