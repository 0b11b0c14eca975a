import Linux
import Logging
import SSHClient
import SSHServer
import Synchronization
import Testing

@Suite("M4–M16: SSHClient and SSHServer, each with the other") struct PairTests {
    @Test func `M4, M6: a password is granted or refused, and may be tried again`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let login = try await SSHClient.connect(to: "127.0.0.1", port: server.port, trusting: .key(sample.hostKey.publicKey))
        guard case .refused(let methods, _) = try await login.authenticate(as: "bob", with: .none) else { throw Trouble("let in by name") }
        #expect(methods == ["publickey", "password"])
        guard case .refused = try await login.authenticate(as: "bob", with: .password("wrong")) else { throw Trouble("a wrong password") }
        guard case .granted(let client) = try await login.authenticate(as: "bob", with: .password(SampleServer.password)) else {
            throw Trouble("the right password")
        }
        #expect(try await client.run("who").outputText == "command(\"who\") for bob\n")
        #expect(sample.log.withLock { $0 } == ["password bob", "password bob"])
        server.close()
    }

    @Test func `M6: without a closure for passwords they are not offered, and without one for keys those are not`() async throws {
        let sample = try SampleServer()
        for (authentication, wanted) in [
            (Authentication(key: { _ in .refused }), ["publickey"]), (Authentication(password: { _ in .refused }), ["password"]),
        ] {
            let server = try await sample.listen(port: try SocketPort.free(), authentication)
            let login = try await SSHClient.connect(to: "127.0.0.1", port: server.port, trusting: .key(sample.hostKey.publicKey))
            guard case .refused(let methods, _) = try await login.authenticate(as: "bob", with: .none) else { throw Trouble("let in") }
            #expect(methods == wanted)
            server.close()
        }
    }

    @Test func `M7: a banner comes with a refusal and with a grant`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let login = try await SSHClient.connect(to: "127.0.0.1", port: server.port, trusting: .key(sample.hostKey.publicKey))
        _ = try await login.authenticate(as: "alice", with: .key(.generate()))
        #expect(login.banners == ["not you\n"])
        _ = try await login.authenticate(as: "alice", with: .key(sample.workplace.key))
        #expect(login.banners == ["not you\n", "welcome, alice\n"])
        server.close()
    }

    @Test func `M8: a server opens a channel to a client that takes it, and to no other`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen { connection in
            do {
                let channel = try await connection.openSession()
                #expect(channel.request == nil && channel.command == nil)
                try await channel.standardOutput.write("hello\n")
                let answer = try await channel.standardInput.collect()
                sample.note(String(decoding: answer, as: UTF8.self))
                channel.close()
            } catch SSHFailure.channelRefused {
                sample.note("refused")
            }
            for try await _ in connection.sessions {}
        }
        let unwilling = try await sample.connect(server)
        #expect(try await eventually { sample.log.withLock { $0.contains("refused") } })
        unwilling.close()
        var configuration = SSHClient.Configuration()
        configuration.acceptsChannels = true
        let client = try await sample.connect(server, configuration)
        let offered = try await client.channels.next()
        let channel = try #require(offered)
        #expect(try await channel.standardOutput.next() == Array("hello\n".utf8))
        try await channel.standardInput.write("hello yourself")
        try await channel.standardInput.finish()
        #expect(try await eventually { sample.log.withLock { $0.contains("hello yourself") } })
        server.close()
    }

    @Test func `M10: data comes with its type, in order`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let client = try await sample.connect(server)
        let process = try await client.start("script")
        try await process.standardInput.write("in\n")
        try await process.standardInput.finish()
        // What comes together is one piece.
        var all = ""
        for try await data in process.output {
            switch data {
            case .standard(let bytes): all += String(decoding: bytes, as: UTF8.self)
            case .standardError(let bytes): all += "error: " + String(decoding: bytes, as: UTF8.self)
            case .extended(let type, _): all += "type \(type)"
            }
        }
        #expect(all == "out\nin\nerror: err\n")
        server.close()
    }

    @Test func `M11, M12: after the end, and after the close, writing is an error; both may be said again`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let client = try await sample.connect(server)
        let process = try await client.start("cat")
        try await process.standardInput.write("last words")
        try await process.standardInput.finish()
        try await process.standardInput.finish()
        await #expect(throws: SSHFailure.writingHasEnded) { try await process.standardInput.write("more") }
        #expect(try await process.standardOutput.collect() == Array("last words".utf8))
        process.close()
        process.close()
        await #expect(throws: SSHFailure.channelClosed) { try await process.standardInput.write("more") }
        client.close()
        client.close()
        await #expect(throws: SSHFailure.connectionClosed) { _ = try await client.start("cat") }
        server.close()
    }

    @Test func `M13: one call ties a command to closures`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let client = try await sample.connect(server)
        let output = Mutex("")
        let errors = Mutex("")
        let exit = try await client.run(
            "script", input: { (writer) async throws(SSHFailure) in try await writer.write("in\n") },
            output: { (piece) async throws(SSHFailure) in output.withLock { $0 += String(decoding: piece, as: UTF8.self) } },
            error: { (piece) async throws(SSHFailure) in errors.withLock { $0 += String(decoding: piece, as: UTF8.self) } })
        #expect(exit == .status(9))
        #expect(output.withLock { $0 } == "out\nin\n")
        #expect(errors.withLock { $0 } == "err\n")
        server.close()
    }

    @Test func `M15: messages are logged when that is wanted, and no secret is among them`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let lines = Mutex<[String]>([])
        for isWanted in [false, true] {
            var configuration = SSHClient.Configuration()
            configuration.logger = Logger(label: "test") { _ in ListedLog { line in lines.withLock { $0.append(line) } } }
            configuration.logsMessages = isWanted
            let login = try await SSHClient.connect(
                to: "127.0.0.1", port: server.port, trusting: .key(sample.hostKey.publicKey), configuration: configuration)
            guard case .granted(let client) = try await login.authenticate(as: "bob", with: .password(SampleServer.password)) else {
                throw Trouble("the right password")
            }
            _ = try await client.run("env WORD", environment: ["WORD": "hidden value"])
            client.close()
            let log = lines.withLock { $0 }
            #expect(log.contains { $0.hasPrefix("sent KEXINIT kex=mlkem768x25519-sha256") } == isWanted)
            #expect(log.contains("sent USERAUTH_REQUEST user=\"bob\" method=password") == isWanted)
            #expect(log.contains("sent CHANNEL_REQUEST channel=0 type=exec reply=true command=\"env WORD\"") == isWanted)
            #expect(!log.contains { $0.contains(SampleServer.password) || $0.contains("hidden") })
        }
        server.close()
    }

    @Test func `M16: many tasks share one connection`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let client = try await sample.connect(server)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<12 {
                group.addTask {
                    let bytes = [UInt8](repeating: UInt8(number), count: 300_000)
                    let result = try await client.run("cat", input: bytes)
                    #expect(result.standardOutput == bytes)
                }
            }
            try await group.waitForAll()
        }
        server.close()
    }

    @Test func `M11: who does not read stops nobody but the one who writes to it`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let client = try await sample.connect(server)
        let slow = try await client.start("flood 20000000")
        _ = try await slow.standardOutput.next()
        for _ in 0..<20 { #expect(try await client.run("flood 1000000").standardOutput.count == 1_000_000) }
        var count = 0
        for try await piece in slow.standardOutput { count += piece.count }
        #expect(count > 19_000_000)
        server.close()
    }

    @Test func `M16: a cancelled task closes its channel, and nothing else`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let client = try await sample.connect(server)
        let task = Task { try await client.run("cat", input: [1, 2, 3]) }
        let waiting = Task { try await client.start("wait").waitUntilExit() }
        task.cancel()
        waiting.cancel()
        _ = await task.result
        guard case .failure(let error) = await waiting.result else { throw Trouble("it ended") }
        #expect(error as? SSHFailure == .cancelled)
        #expect(try await client.run("who").exit.isSuccess)
        server.close()
    }

    @Test func `M1: what takes too long is given up`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let client = try await sample.connect(server)
        await #expect(throws: SSHFailure.timedOut(after: .milliseconds(200), during: "the command")) {
            _ = try await client.run("wait", timeout: .milliseconds(200))
        }
        await #expect(throws: SSHFailure.tooMuchOutput(limit: 1000)) { _ = try await client.run("flood 1000000", limit: 1000) }
        #expect(try await client.run("who").exit.isSuccess)
        server.close()
    }

    @Test func `M2: certificates of an authority stand for hosts, and for users`() async throws {
        let sample = try SampleServer()
        let place = sample.workplace
        let authority = SSHPrivateKey.generate()
        try authority.write(to: place.path("ca"))
        try place.write("host.pub", sample.hostKey.publicKey.line() + "\n")
        _ = try await program(["/usr/bin/ssh-keygen", "-q", "-s", place.path("ca"), "-I", "host", "-h", "-n", "127.0.0.1", place.path("host.pub")])
        _ = try await program(["/usr/bin/ssh-keygen", "-q", "-s", place.path("ca"), "-I", "alice's", "-n", "alice", place.path("key.pub")])
        let certificate = try SSHCertificate(contentsOf: place.path("key-cert.pub"))
        let authentication = Authentication(key: { proven in
            guard let certificate = proven.certificate, certificate.signer == authority.publicKey, certificate.isValid(for: proven.user), !certificate.isRestricted
            else { return .refused }
            return .granted
        })
        let server = try await sample.listen(port: try SocketPort.free(), authentication, certificate: try SSHCertificate(contentsOf: place.path("host-cert.pub")))
        try place.write("known", "@cert-authority 127.0.0.1,[127.0.0.1]:* \(authority.publicKey.line())\n")
        for verifier in [HostKeyVerifier.authority(authority.publicKey), .knownHosts(at: place.path("known"))] {
            let login = try await SSHClient.connect(to: "127.0.0.1", port: server.port, trusting: verifier)
            #expect(login.hostKey.certificate?.keyID == "host")
            guard case .refused = try await login.authenticate(as: "alice", with: .key(place.key)) else { throw Trouble("a key alone") }
            guard case .refused = try await login.authenticate(as: "bob", with: .certificate(certificate, place.key)) else { throw Trouble("another user") }
            await #expect(throws: SSHFailure.badKey("the certificate is for another key")) {
                _ = try await login.authenticate(as: "alice", with: .certificate(certificate, .generate()))
            }
            guard case .granted = try await login.authenticate(as: "alice", with: .certificate(certificate, place.key)) else { throw Trouble("refused") }
        }
        server.close()
    }

    @Test func `M18: what is written in small pieces goes in few packets`() async throws {
        let sample = try SampleServer()
        let (begin, begins) = (AsyncStream<Void>.makeStream(), 2000)
        let server = try await sample.listen { connection in
            for try await session in connection.sessions {
                guard session.command == "count" else {
                    begin.continuation.finish()
                    try await session.exit()
                    continue
                }
                Task {
                    for await _ in begin.stream {}
                    var count = 0
                    for try await piece in session.standardInput { count += piece.count }
                    try await session.standardOutput.write("\(count)")
                    try await session.exit()
                }
            }
        }
        let lines = Mutex<[String]>([])
        var configuration = SSHClient.Configuration()
        configuration.logger = Logger(label: "test") { _ in ListedLog { line in lines.withLock { $0.append(line) } } }
        configuration.logsMessages = true
        let client = try await sample.connect(server, configuration)
        let process = try await client.start("count")
        // As much as the window takes: the rest has to wait for the reader.
        let window = [UInt8](repeating: 1, count: 2 << 20)
        try await process.standardInput.write(window)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<begins { group.addTask { try await process.standardInput.write([2]) } }
            _ = try await client.run("begin")
            try await group.waitForAll()
        }
        try await process.standardInput.finish()
        #expect(try await process.standardOutput.collect() == Array("\(window.count + begins)".utf8))
        let packets = lines.withLock { $0.count { $0.hasPrefix("sent CHANNEL_DATA") } }
        #expect(packets < begins / 4, "\(packets) packets")
        server.close()
    }

    @Test func `M18: what was agreed on can be asked for`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        var configuration = SSHClient.Configuration()
        for cipher in SSHCipher.allCases {
            configuration.ciphers = [cipher]
            let client = try await sample.connect(server, configuration)
            #expect(client.algorithms.cipherToServer == cipher.rawValue)
            #expect(client.algorithms.keyExchange == "mlkem768x25519-sha256")
            #expect(try await client.run("flood 100000").standardOutput.count == 100_000)
        }
        server.close()
    }
}

/// Gives each message to a closure.
private struct ListedLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    let take: @Sendable (String) -> Void

    init(_ take: @escaping @Sendable (String) -> Void) { self.take = take }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { take("\(event.message)") }
}
