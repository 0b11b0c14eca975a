import Peers
import SSH
import SSHConnection
import SSHKeys
import SSHTransport
import SSHUserAuth
import SSHWire
import Sodium
import Testing

/// A server and a client of ours, joined in memory.
struct Pair {
    var host: ServerHost
    var client: ClientConnection
    var now: Duration = .zero
    var clientEvents: [ClientConnection.Event] = []
    private static let userKey = Ed25519SigningKey(seed: SecretBytes(copying: [UInt8](repeating: 2, count: 32)))

    init(client clientChange: (inout Transport.Configuration) -> Void = { _ in }, server change: (inout ServerConnection.Configuration) -> Void = { _ in }) {
        host = ServerHost(change)
        host.checksSignatures = true
        var configuration = Transport.Configuration(identification: Identification(software: "Test_client"))
        clientChange(&configuration)
        client = ClientConnection(configuration, random: SeededRandom(seed: 2), now: .zero)
    }

    /// Carries bytes both ways until both ends are quiet.
    mutating func run() throws {
        repeat { try step() } while client.pendingBytes > 0 || host.server.pendingBytes > 0
    }

    /// Carries what waits, each way once.
    mutating func step() throws {
        host.now = now
        let toServer = Array(client.pending)
        client.didWrite(toServer.count)
        host.take(toServer)
        host.advance()
        if let error = host.error { throw error }
        var toClient = host.takeOutput()[...]
        while !toClient.isEmpty, client.takesInput {
            toClient = toClient.dropFirst(feed(&client, toClient, now: now))
            while let event = try client.next(now: now) { handle(event) }
        }
    }

    private mutating func handle(_ event: ClientConnection.Event) {
        if case .judgeHostKey = event { client.acceptHostKey(now: now) }
        if case .channel(.data(let id, _, let bytes)) = event { client.didConsume(id, bytes.count) }
        if case .channel(.globalRequest(_, true, _)) = event { client.answerGlobal(nil) }
        clientEvents.append(event)
    }

    mutating func authenticate() throws {
        try run()
        let key = PublicKey(ed25519: Self.userKey.publicKey)
        let data = PublicKeySignedData(
            sessionIdentifier: try #require(client.sessionIdentifier), user: "alice", service: "ssh-connection", algorithm: key.algorithm, blob: key.blob)
        let signature = SignatureBlob.ed25519(Self.userKey.sign(data.bytes))
        client.attempt(user: "alice", method: .publicKey(algorithm: key.algorithm, key: key.blob, signature: signature))
        try run()
    }

    /// Opens a channel.
    mutating func open() throws -> ChannelID {
        let opened = client.openSession()
        let id = try #require(opened)
        try run()
        return id
    }

    /// What the client heard of its channels.
    var channelEvents: [Connection.Event] {
        clientEvents.compactMap { event in if case .channel(let inner) = event { inner } else { nil } }
    }
}

extension SignatureBlob {
    /// RFC 8709 §6.
    static func ed25519(_ signature: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        writer.text("ssh-ed25519")
        writer.string(signature)
        return writer.bytes
    }
}

@Suite("SSH: both ends of ours speak to each other") struct PairTests {
    @Test func `agrees on keys, authenticates and runs a command`() throws {
        var pair = Pair()
        try pair.authenticate()
        #expect(pair.client.sessionIdentifier == pair.host.server.sessionIdentifier)
        let id = try pair.open()
        pair.client.request(id, .exec(command: Array("true".utf8)), wantReply: true)
        try pair.run()
        let sent = send(&pair.host.server, id, Array("hello".utf8))
        #expect(sent == 5)
        pair.host.server.request(id, .exitStatus(7))
        pair.host.server.end(id)
        pair.host.server.close(id)
        try pair.run()
        #expect(
            pair.channelEvents == [
                .opened(id), .answered(id, true), .data(id, .standard, ArraySlice("hello".utf8)), .requested(id, .exitStatus(7)), .ended(id),
                .closed(id),
            ])
        #expect(
            pair.host.log == [
                "identified SSH-2.0-Test_client", "sign curve25519-sha256", "first keys", "verify alice ssh-ed25519 true", "offered 0 session",
                "requested 0 exec true", "closed 0",
            ])
        #expect(pair.host.server.openChannels.isEmpty)
    }

    @Test(arguments: KeyExchangeMethod.allCases) func `client and server agree by every method`(method: KeyExchangeMethod) throws {
        var pair = Pair(server: { $0.transport.proposal.kex = [method] })
        try pair.authenticate()
        #expect(pair.host.log.contains("sign \(method.rawValue)"))
        _ = try pair.open()
    }

    @Test func `a client keeps its word when the server is of another mind`() throws {
        var pair = Pair()
        pair.host.grants = false
        try pair.authenticate()
        guard case .refused(["publickey"], false) = pair.clientEvents.last else {
            Issue.record("\(String(describing: pair.clientEvents.last))")
            return
        }
        #expect(pair.client.mayAttempt)
    }

    @Test func `keepalives of a quiet server are answered, and silence ends the connection`() throws {
        var pair = Pair()
        try pair.authenticate()
        _ = try pair.open()
        for round in 1...3 {
            pair.now = .seconds(30 * round)
            pair.host.now = pair.now
            pair.host.tick()
            try pair.run()
        }
        #expect(pair.host.log.count { $0 == "global answered" } == 3)
        for round in 4...7 {
            pair.host.now = .seconds(30 * round)
            pair.host.tick()
        }
        #expect(pair.host.error == .peerSilent)
    }
}
