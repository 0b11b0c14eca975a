import Linux
import SSHClient
import Testing

/// Examples/, as `swift build --build-tests` leaves them beside the tests.
@Suite("Examples/") struct ExampleTests {
    /// The tests' own program stands where the package's programs stand.
    private static func path(_ name: String) -> String {
        let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(package)/.build/debug/\(name)"
    }

    @Test func `the client runs a command`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let place = sample.workplace
        let outcome = try await program([
            Self.path("example-client"), "127.0.0.1", "\(server.port)", "alice", place.path("key"), place.path("known_hosts"), "script",
        ])
        #expect(outcome.output == "out\nit ended with status(9)\n", "\(outcome)")
        server.close()
    }

    @Test func `the server answers`() async throws {
        let sample = try SampleServer()
        let place = sample.workplace
        try sample.hostKey.write(to: place.path("host"))
        let port = try SocketPort.free()
        let running = try RunningProgram([Self.path("example-server"), "\(port)", place.path("host"), place.key.publicKey.line()])
        try place.write("known_hosts", "[127.0.0.1]:\(port) \(sample.hostKey.publicKey.line())\n")
        #expect(try await eventually { SocketPort.isOpen(port) })
        let outcome = try await program(RealClient.openSSH(sample, port) + ["127.0.0.1", "upper"], input: Array("loud\n".utf8))
        #expect(outcome.output == "LOUD\n" && outcome.errors.contains("welcome, alice"), "\(outcome)")
        #expect(try await program(RealClient.openSSH(sample, port) + ["127.0.0.1", "lower"]).code == 127)
        try running.kill()
    }

    @Test(.enabled(if: isRoot, "strace needs a process that it may look into")) func `DESIGN §5: the server delays nothing, and acknowledges at once until a user is in`() async throws {
        let sample = try SampleServer()
        let place = sample.workplace
        try sample.hostKey.write(to: place.path("host"))
        let port = try SocketPort.free()
        let strace = ["/usr/bin/strace", "-D", "-f", "-qq", "-e", "trace=setsockopt", "-o", place.path("strace")]
        let running = try RunningProgram(strace + [Self.path("example-server"), "\(port)", place.path("host"), place.key.publicKey.line()])
        try place.write("known_hosts", "[127.0.0.1]:\(port) \(sample.hostKey.publicKey.line())\n")
        #expect(try await eventually { SocketPort.isOpen(port) })
        let input = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
        #expect(try await program(RealClient.openSSH(sample, port) + ["127.0.0.1", "upper"], input: input).code == 0)
        try running.kill()
        let calls = try place.read("strace").split(separator: "\n")
        let connected = try #require(calls.lastIndex { $0.contains("TCP_NODELAY") })
        // Not any more when data comes in dozens of packets.
        #expect(3...12 ~= calls[connected...].count { $0.contains("TCP_QUICKACK") && $0.hasSuffix(" = 0") }, "\(calls)")
    }

    @Test func `the upload shows its progress`() async throws {
        let server = try await RealServer.running(.openSSH)
        let place = server.workplace
        try place.write("known_hosts", "[127.0.0.1]:\(server.port) \(try server.hostKey.line())\n")
        let words = ["127.0.0.1", "\(server.port)", server.user, place.path("key"), place.path("known_hosts"), "10485760", place.path("uploaded")]
        let outcome = try await program([Self.path("example-upload")] + words)
        #expect(outcome.output.hasPrefix("1 of 10 MiB\n2 of 10 MiB\n") && outcome.output.hasSuffix("10 of 10 MiB\n10485760 bytes are there\n"), "\(outcome)")
    }
}
