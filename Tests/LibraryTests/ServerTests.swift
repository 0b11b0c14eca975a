import Linux
import SSHClient
import SSHServer
import Testing

@Suite("M5–M17: SSHServer and clients of other make") struct ServerTests {
    @Test(arguments: RealClient.all) func `M1, M5: serves a command`(client: RealClient) async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let outcome = try await client.run("script", at: server.port, of: sample)
        #expect(outcome.output == "out\nin\n", "\(outcome)")
        #expect(outcome.errors.contains("err\n"), "\(outcome)")
        #expect(outcome.code == 9, "\(outcome)")
        server.close()
    }

    @Test(arguments: RealClient.all) func `M10, M11: takes and gives much`(client: RealClient) async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let text = String(repeating: "0123456789abcde\n", count: 200_000)
        let outcome = try await client.run("cat", at: server.port, of: sample, input: Array(text.utf8))
        // Not to be shown, should it differ.
        let isSame = outcome.outputBytes == Array(text.utf8)
        #expect(isSame, "\(outcome.outputBytes.count) bytes")
        #expect(outcome.code == 0, "\(outcome.errors)")
        server.close()
    }

    @Test func `M5: listens on port 22022 unless it is told another`() async throws {
        let sample = try SampleServer()
        let listen = { () async throws(SSHFailure) -> SSHServer in try await SSHServer.listen(hostKey: sample.hostKey, authentication: sample.authentication) { _ in } }
        do throws(SSHFailure) {
            let server = try await listen()
            #expect(server.port == 22022)
            server.close()
        } catch .unreachable(let place, _) {
            // Somebody has it here.
            #expect(place == "127.0.0.1:22022")
        }
        let server = try await sample.listen()
        #expect(server.port != 22022)
        do {
            _ = try await sample.listen(port: server.port)
            Issue.record("one port, two servers")
        } catch SSHFailure.unreachable { }
        server.close()
    }

    @Test func `M6, M7: probes and proofs are different questions, and banners come with the answers`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let key = sample.workplace.key.publicKey.fingerprint
        let outcome = try await program(RealClient.openSSH(sample, server.port) + ["127.0.0.1", "script"])
        #expect(outcome.errors.contains("welcome, alice"), "\(outcome)")
        #expect(sample.log.withLock { $0 } == ["probed alice \(key)", "proven alice \(key)"])
        server.close()
    }

    @Test func `M8, M9: knows a command from an interactive session and from a subsystem`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let ssh = RealClient.openSSH(sample, server.port)
        #expect(try await program(ssh + ["127.0.0.1", "what is this"]).output == "command(\"what is this\") for alice\n")
        #expect(try await program(ssh + ["127.0.0.1"]).output == "shell for alice\n")
        #expect(try await program(ssh + ["-s", "127.0.0.1", "sftp"]).output == "subsystem(\"sftp\") for alice\n")
        #expect(try await program(ssh + ["-o", "SetEnv=WORD=value", "127.0.0.1", "env WORD"]).output == "value\n")
        server.close()
    }

    @Test func `M12: a signal that ended a command, and one that is sent to it`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let client = try await sample.connect(server)
        #expect(try await client.run("signal TERM").exit == .signal("TERM", message: "so it was wanted"))
        let process = try await client.start("wait")
        try await process.send(signal: "HUP")
        #expect(try await process.standardOutput.collect() == Array("got HUP\n".utf8))
        #expect(try await process.waitUntilExit() == .status(3))
        server.close()
    }

    @Test func `M14: new keys at the server's wish and at the client's, while data flows`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let client = try await sample.connect(server)
        async let flood = client.run("flood 8000000")
        for _ in 0..<3 {
            try await client.requestKeyExchange()
            #expect(try await client.run("rekey").outputText == "new keys\n")
        }
        #expect(try await flood.standardOutput.count == 8_000_000)
        server.close()
    }

    @Test func `M18: a key of another kind is told in a banner what to do`() async throws {
        let sample = try SampleServer()
        let place = sample.workplace
        let server = try await sample.listen()
        for kind in ["rsa", "ecdsa"] { _ = try await program(["/usr/bin/ssh-keygen", "-q", "-t", kind, "-N", "", "-f", place.path(kind)]) }
        _ = try await program(["/usr/bin/puttygen", place.path("rsa"), "-o", place.path("rsa.ppk")], environment: ["HOME=\(place.directory)"])
        // OpenSSH does not even offer an RSA key to who takes no signature of one (RFC 8308 §3.1).
        var words = RealClient.openSSH(sample, server.port)
        words[words.firstIndex(of: place.path("key")) ?? 0] = place.path("ecdsa")
        let plink = ["/usr/bin/plink", "-v", "-batch", "-ssh", "-noagent", "-hostkey", sample.hostKey.publicKey.fingerprint, "-i", place.path("rsa.ppk")]
        for words in [words + ["127.0.0.1", "script"], plink + ["-P", "\(server.port)", "-l", "alice", "127.0.0.1", "script"]] {
            let outcome = try await program(words, environment: ["HOME=\(place.directory)"])
            #expect((outcome.output + outcome.errors).contains("ssh-keygen -t ed25519"), "\(words[0]): \(outcome)")
            #expect(outcome.code != 0)
        }
        server.close()
    }

    @Test func `M18: an unknown message is answered with UNIMPLEMENTED, and the connection goes on`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let words = ["/usr/bin/python3", "-W", "ignore", "-c", Self.unknownMessage, "\(server.port)", sample.workplace.path("key"), sample.workplace.path("known_hosts")]
        let outcome = try await program(words, environment: ["HOME=\(sample.workplace.directory)"])
        #expect(outcome.output == "UNIMPLEMENTED\ncommand(\"who\") for alice\n", "\(outcome)")
        server.close()
    }

    /// Sends a message of a number that is nobody's, and says whether the answer names the packet that it was in.
    private static let unknownMessage = """
        import asyncio, asyncssh, sys
        async def main():
            port, key, known = sys.argv[1:]
            async with asyncssh.connect('127.0.0.1', int(port), username='alice', client_keys=[key], known_hosts=known, config=None, agent_path=None) as c:
                answered = asyncio.Event()
                def unimplemented(connection, number, sequence, packet):
                    if packet.get_uint32() == wanted: answered.set()
                c._packet_handlers = {**c._packet_handlers, 3: unimplemented}
                # It says IGNORE before each packet.
                wanted = c._send_seq + 1
                c.send_packet(200, b'what is this')
                await asyncio.wait_for(answered.wait(), 20)
                print('UNIMPLEMENTED')
                print((await c.run('who')).stdout, end='')
        asyncio.run(main())
        """

    @Test func `M17: several programs over one login of OpenSSH's ControlMaster`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let ssh = RealClient.openSSH(sample, server.port, ["-S", sample.workplace.path("master")])
        let master = try RunningProgram(ssh + ["-M", "-N", "127.0.0.1"])
        let isUp = try await eventually { (try? openFile(sample.workplace.path("master"), .pathOnly)) != nil }
        #expect(isUp, "\(master.errorsSoFar)")
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            for _ in 0..<4 { group.addTask { try await program(ssh + ["127.0.0.1", "script"], input: Array("in\n".utf8)) } }
            for try await outcome in group { #expect(outcome.output == "out\nin\n" && outcome.code == 9, "\(outcome)") }
        }
        #expect(server.connectionCount == 1)
        try master.kill()
        server.close()
    }
}

extension SampleServer {
    func connect(_ server: SSHServer, _ configuration: SSHClient.Configuration = .init()) async throws -> SSHClient {
        try await SSHClient.connect(
            to: "127.0.0.1", port: server.port, as: "alice", with: .key(workplace.key), trusting: .key(hostKey.publicKey), configuration: configuration)
    }
}
