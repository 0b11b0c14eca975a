import Linux
import SSHClient
import Testing

@Suite("M1, M2, M8–M13: SSHClient and servers of other make") struct ClientTests {
    /// What listens as root on a free port and looks into home directories is for root to start.
    static let kinds: [RealServer.Kind] = isRoot ? RealServer.Kind.allCases : [.openSSH]

    @Test(arguments: kinds) func `M1: runs a command`(kind: RealServer.Kind) async throws {
        let server = try await RealServer.running(kind)
        let client = try await server.connect()
        let result = try await client.run("cat; echo err >&2; exit 9", input: Array("in\n".utf8))
        #expect(result.outputText == "in\n")
        #expect(result.errorText == "err\n")
        #expect(result.exit == .status(9))
        #expect(client.hostKey.key == (try server.hostKey))
        client.close()
    }

    @Test(arguments: kinds) func `M10, M11: carries much both ways, and gets it back as it was`(kind: RealServer.Kind) async throws {
        let server = try await RealServer.running(kind)
        let client = try await server.connect()
        let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
        let result = try await client.run("cat", input: bytes)
        // Not to be shown, should it differ.
        let isSame = result.standardOutput == bytes
        #expect(isSame, "\(result.standardOutput.count) bytes")
        #expect(result.exit.isSuccess)
    }

    @Test func `M2: connects to who is in known_hosts, and to nobody else`() async throws {
        let server = try await RealServer.running(.openSSH)
        let place = server.workplace
        try place.write("known_hosts", "[127.0.0.1]:\(server.port) \(try server.hostKey.line())\n")
        let login = try await SSHClient.connect(to: "127.0.0.1", port: server.port, trusting: .knownHosts(at: place.path("known_hosts")))
        #expect(login.hostKey.host == "127.0.0.1")
        login.close()
        let other = SSHPrivateKey.generate().publicKey
        try place.write("others", "[127.0.0.1]:\(server.port) \(other.line())\n")
        for verifier in [HostKeyVerifier.knownHosts(at: place.path("others")), .knownHosts(at: place.path("none")), .key(other), .authority(other), .asking { _ in false }] {
            do {
                _ = try await SSHClient.connect(to: "127.0.0.1", port: server.port, trusting: verifier)
                Issue.record("a server that is not trusted")
            } catch {
                guard case .hostKeyRefused = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }

    @Test func `M4: says what was granted and what refused`() async throws {
        let server = try await RealServer.running(.openSSH)
        let login = try await SSHClient.connect(to: "127.0.0.1", port: server.port, trusting: .key(try server.hostKey))
        guard case .refused(let methods, false) = try await login.authenticate(as: server.user, with: .key(.generate())) else {
            Issue.record("a key that nobody knows")
            return
        }
        #expect(methods.contains("publickey"))
        #expect(try await !login.wouldTake(SSHPrivateKey.generate().publicKey, of: server.user))
        #expect(try await login.wouldTake(server.workplace.key.publicKey, of: server.user))
        guard case .granted(let client) = try await login.authenticate(as: server.user, with: .key(server.workplace.key)) else {
            Issue.record("the key that is known")
            return
        }
        #expect(client.banners == ["a banner\n"])
        await #expect(throws: SSHFailure.alreadyAuthenticated) { _ = try await login.authenticate(as: server.user, with: .password("x")) }
        #expect(try await client.run("true").exit.isSuccess)
    }

    @Test func `M1: runs a command of our gateway, and is refused what is none`() async throws {
        try await onThread {
            try Gateway.serving { gateway in
                let connect = try gateway.clientOfLibrary()
                try waitFor {
                    let client = try await connect()
                    let result = try await client.run(Gateway.line("cat; echo err >&2; exit 9"), input: Array("in\n".utf8))
                    #expect(result.outputText == "in\n" && result.errorText == "err\n" && result.exit == .status(9))
                    #expect(try await client.run("rm -rf /").exit == .status(126))
                    try await client.requestKeyExchange()
                    #expect(try await client.run("help").exit.isSuccess)
                    client.close()
                }
            }
        }
    }
}
