import SSH
import SSHCiphers
import SSHConnection
import SSHKeys
import SSHTransport
import SSHUserAuth
import SSHWire
import Sodium
import Testing

/// A server and a client of ours, joined in memory.
struct Pair {
    var server: ServerConnection
    var client: ClientConnection
    let hostKey = HostKey(Ed25519SigningKey.generate())
    let userKey = Ed25519SigningKey.generate()
    var now: Duration = .zero
    var serverEvents: [Connection.Event] = []
    var clientEvents: [ClientConnection.Event] = []
    let serverLine = "SSH-2.0-Test_server"

    init(rekeyAfterBytes: UInt64 = 1 << 30) {
        Sodium.initialize()
        var transport = Transport.Configuration(identification: Identification(software: "Test_server"))
        transport.extensions = [ExtInfo.Extension(name: "server-sig-algs", value: Array("ssh-ed25519".utf8))]
        transport.rekeyAfterBytes = rekeyAfterBytes
        server = ServerConnection(ServerConnection.Configuration(transport: transport), random: SystemRandom(), now: .zero)
        client = ClientConnection(
            Transport.Configuration(identification: Identification(software: "Test_client")), random: SystemRandom(), now: .zero)
    }

    /// Carries bytes both ways until both ends are quiet; grants every signature that is valid.
    mutating func run() throws {
        while true {
            let toServer = Array(client.pending)
            client.didWrite(toServer.count)
            feed(&server, toServer)
            while let event = try server.next(now: now) { handle(event) }
            let toClient = Array(server.pending)
            server.didWrite(toClient.count)
            feed(&client, toClient)
            while let event = try client.next(now: now) {
                if case .judgeHostKey = event { client.acceptHostKey(now: now) }
                clientEvents.append(event)
            }
            if client.pendingBytes == 0 && server.pendingBytes == 0 { return }
        }
    }

    mutating func handle(_ event: ServerConnection.Event) {
        switch event {
        case .needSignature(let request):
            let hash = ExchangeHash(
                clientVersion: Array(request.clientVersion.utf8), serverVersion: Array(serverLine.utf8),
                clientKexInit: request.clientKexInit, serverKexInit: request.serverKexInit, hostKey: hostKey.blob,
                clientShare: request.clientShare, serverShare: request.serverShare, sharedSecret: request.sharedSecret, hash: request.method.hash)
            server.sign(SignatureAnswer(hostKey: hostKey.blob, signature: hostKey.sign(hash.value)), now: now)
        case .mayProbe: server.answerProbe(true)
        case .verify: server.grant(now: now)
        case .channel(let event): serverEvents.append(event)
        default: break
        }
    }

    mutating func authenticate() throws {
        try run()
        let key = PublicKey(ed25519: userKey.publicKey)
        client.attempt(user: "alice", method: .publicKey(algorithm: key.algorithm, key: key.blob, signature: [1]))
        try run()
    }
}

func feed(_ endpoint: inout some Endpoint, _ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    _ = endpoint.receive(limit: bytes.count, now: .zero) { buffer, range in
        buffer.replaceSubrange(range, with: bytes)
        return bytes.count
    }
}

func send(_ endpoint: inout some Endpoint, _ id: ChannelID, _ bytes: [UInt8]) -> Int {
    endpoint.send(id, .standard, limit: bytes.count) { buffer, range in
        buffer.replaceSubrange(range, with: bytes[..<range.count])
        return range.count
    }
}

@Suite("SSH: both ends of ours speak to each other") struct PairTests {
    @Test func `agrees on keys, authenticates and runs a command`() throws {
        var pair = Pair()
        try pair.authenticate()
        #expect(pair.client.sessionIdentifier == pair.server.sessionIdentifier)
        let opened = pair.client.openSession()
        let id = try #require(opened)
        try pair.run()
        #expect(pair.serverEvents == [.offered(id, type: "session")])
        pair.server.accept(id)
        try pair.run()
        pair.client.request(id, .exec(command: Array("true".utf8)), wantReply: true)
        try pair.run()
        #expect(pair.serverEvents.last == .requested(id, .exec(command: Array("true".utf8))))
        pair.server.answer(id, true)
        let sent = send(&pair.server, id, Array("hello".utf8))
        #expect(sent == 5)
        pair.server.request(id, .exitStatus(7))
        pair.server.end(id)
        pair.server.close(id)
        try pair.run()
        let events = pair.clientEvents.compactMap { event -> Connection.Event? in if case .channel(let inner) = event { inner } else { nil } }
        #expect(
            events == [
                .opened(id), .answered(id, true), .data(id, .standard, ArraySlice("hello".utf8)), .requested(id, .exitStatus(7)), .ended(id),
                .closed(id),
            ])
        #expect(pair.serverEvents.last == .closed(id))
        #expect(pair.server.openChannels.isEmpty)
    }
}
