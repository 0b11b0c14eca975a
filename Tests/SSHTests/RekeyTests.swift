import Peers
import SSHConnection
import SSHWire
import Testing

@testable import SSH
@testable import SSHTransport

@Suite("RFC 4253 §9: key re-exchange") struct RekeyTests {
    private func count(_ pair: Pair) -> (server: Int, client: Int) {
        let client = pair.clientEvents.count { event in if case .keysChanged(_, isFirst: false) = event { true } else { false } }
        return (pair.host.log.count { $0 == "new keys" }, client)
    }

    /// Data goes as far as windows and key exchanges let it, both ways, until each end has sent `total` bytes.
    private func stream(_ pair: inout Pair, _ id: ChannelID, total: Int, every: (inout Pair, Int) -> Void = { _, _ in }) throws {
        let block = [UInt8](repeating: 0x61, count: 20_000)
        var (fromServer, fromClient, turn) = (0, 0, 0)
        while fromServer < total || fromClient < total {
            fromServer += send(&pair.host.server, id, Array(block.prefix(total - fromServer)))
            fromClient += send(&pair.client, id, Array(block.prefix(total - fromClient)))
            turn += 1
            every(&pair, turn)
            try pair.step()
            try #require(turn < 100_000)
        }
        try pair.run()
        let received = pair.channelEvents.reduce(0) { sum, event in if case .data(_, _, let bytes) = event { sum + bytes.count } else { sum } }
        #expect(received == total)
        let taken = pair.host.log.reduce(0) { sum, line in line.hasPrefix("data ") ? sum + (Int(line.split(separator: " ").last ?? "") ?? 0) : sum }
        #expect(taken == total)
    }

    enum Starter: CaseIterable, Sendable { case client, server, both }

    @Test(arguments: Starter.allCases) func `is started by either end or both, and keeps the session identifier`(starter: Starter) throws {
        var pair = Pair()
        try pair.authenticate()
        let identifier = pair.client.sessionIdentifier
        if starter != .server { pair.client.requestKeyExchange() }
        if starter != .client { pair.host.server.requestKeyExchange() }
        try pair.run()
        #expect(count(pair) == (1, 1))
        #expect(pair.client.sessionIdentifier == identifier && pair.host.server.sessionIdentifier == identifier)
        let id = try pair.open()
        #expect(pair.channelEvents == [.opened(id)])
    }

    @Test(arguments: Starter.allCases) func `loses nothing that flows meanwhile, whoever starts and when`(starter: Starter) throws {
        var pair = Pair()
        try pair.authenticate()
        let id = try pair.open()
        try stream(&pair, id, total: 3_000_000) { pair, turn in
            if starter != .server, turn % 7 == 0 { pair.client.requestKeyExchange() }
            if starter != .client, turn % 5 == 0 { pair.host.server.requestKeyExchange() }
        }
        let done = count(pair)
        #expect(done.server == done.client && done.server > 10)
    }

    @Test func `comes after so many bytes, at each end by its own measure`() throws {
        for isServer in [true, false] {
            var pair = Pair(
                client: { if !isServer { $0.rekeyAfterBytes = 100_000 } }, server: { if isServer { $0.transport.rekeyAfterBytes = 100_000 } })
            try pair.authenticate()
            let id = try pair.open()
            try stream(&pair, id, total: 1_000_000)
            #expect((8...20).contains(count(pair).server))
        }
    }

    @Test func `comes after so long`() throws {
        var pair = Pair(server: { $0.transport.rekeyAfter = .seconds(60) })
        try pair.authenticate()
        pair.now = .seconds(59)
        try pair.run()
        #expect(count(pair) == (0, 0))
        pair.now = .seconds(60)
        try pair.run()
        #expect(count(pair) == (1, 1))
        pair.now = .seconds(119)
        try pair.run()
        #expect(count(pair) == (1, 1))
    }

    @Test func `can be done a hundred times in a row`() throws {
        var pair = Pair()
        try pair.authenticate()
        for _ in 0..<100 {
            pair.client.requestKeyExchange()
            try pair.run()
        }
        #expect(count(pair) == (100, 100))
        _ = try pair.open()
    }

    @Test func `holds data back and queues the rest in order`() throws {
        var pair = Pair()
        try pair.authenticate()
        let id = try pair.open()
        #expect(pair.host.server.room(id) == 32_768)
        pair.host.server.requestKeyExchange()
        #expect(pair.host.server.room(id) == 0)
        let sent = send(&pair.host.server, id, [1])
        #expect(sent == 0)
        pair.host.server.request(id, .exitStatus(3))
        pair.host.server.end(id)
        pair.host.server.close(id)
        try pair.run()
        #expect(pair.channelEvents.suffix(3) == [.requested(id, .exitStatus(3)), .ended(id), .closed(id)])
        #expect(count(pair) == (1, 1))
    }

    @Test func `takes what was on its way before the peer's KEXINIT`() throws {
        var peer = try HandPeer.at(.channel)
        peer.host.server.requestKeyExchange()
        peer.say(ChannelData(recipientChannel: 0, data: [1, 2]))
        peer.say(ChannelRequest(recipientChannel: 0, wantReply: true, kind: .shell))
        #expect(peer.host.log.suffix(2) == ["data 0 2", "requested 0 shell"])
        #expect(try peer.take(ChannelSuccess.self).isEmpty)
        try peer.exchangeKeys()
        #expect(try peer.take(ChannelSuccess.self).count == 1)
        #expect(peer.host.log.last == "new keys")
    }

    @Test func `allows nothing but key exchange after the peer's KEXINIT`() throws {
        var peer = try HandPeer.at(.channel)
        peer.say(peer.kexInit())
        peer.say(ChannelData(recipientChannel: 0, data: [1, 2]))
        #expect(peer.host.error == .transport(.unexpected(.channelData, during: "key exchange: waiting for the client's share")))
    }

    @Test(arguments: [true, false]) func `numbers packets anew only where it is strict`(isStrict: Bool) throws {
        var peer = try HandPeer.at(.channel, isStrict: isStrict)
        try peer.exchangeKeys()
        peer.received = []
        peer.say([8])
        // 0: KEXINIT, 1: share, 2: NEWKEYS, 3: service, 4: signature, 5: channel, 6: KEXINIT, 7: share, 8: NEWKEYS, 9: this.
        #expect(try peer.take(Unimplemented.self) == [Unimplemented(sequence: isStrict ? 0 : 9)])
        #expect(peer.reader.sequence == (isStrict ? 1 : 11))
    }

    @Test func `a guess is passed over in a repeated exchange too`() throws {
        var peer = try HandPeer.at(.channel)
        var ours = peer.kexInit()
        ours.algorithms.kex.insert("sntrup", at: 0)
        ours.firstKexPacketFollows = true
        peer.say(ours)
        peer.say([30, 1, 2, 3])
        peer.change(to: try peer.exchangeAfterKexInit(ours))
        #expect(peer.host.error == nil)
        #expect(peer.host.log.last == "new keys")
    }

    @Test func `that the peer does not answer ends the connection after two minutes`() throws {
        var peer = try HandPeer.at(.channel)
        peer.host.server.requestKeyExchange()
        peer.say(ChannelData(recipientChannel: 0, data: [1]))
        #expect(peer.host.server.deadline == .seconds(30))
        peer.host.now = .seconds(119)
        peer.say(ChannelData(recipientChannel: 0, data: [1]))
        peer.host.tick()
        #expect(peer.host.error == nil)
        #expect(peer.host.server.deadline == .seconds(120))
        peer.received = []
        peer.host.now = .seconds(120)
        peer.host.tick()
        #expect(peer.host.error == .transport(.keyExchangeUnfinished))
        peer.listen()
        #expect(try peer.take(Disconnect.self).map(\.reason) == [.keyExchangeFailed])
    }

    @Test func `that the peer does not answer ends the connection after 64 MiB under the old keys`() throws {
        var peer = try HandPeer.at(.channel)
        peer.host.server.requestKeyExchange()
        let ignored: [UInt8] = [2, 0, 0, 0x7d, 0] + [UInt8](repeating: 0, count: 32_000)
        var sent = 0
        while peer.host.error == nil, sent < 3000 {
            // As many as may come in ten seconds, over and over.
            if sent % 1000 == 999 { peer.host.now += .seconds(11) }
            peer.say(ignored)
            sent += 1
        }
        #expect(peer.host.error == .transport(.keyExchangeUnfinished))
        #expect((2090...2100).contains(sent))
    }

    @Test func `a finished one leaves no deadline behind`() throws {
        var peer = try HandPeer.at(.channel)
        peer.host.server.requestKeyExchange()
        peer.say(ChannelData(recipientChannel: 0, data: [1]))
        peer.host.now = .seconds(100)
        try peer.exchangeKeys()
        peer.host.now = .seconds(125)
        peer.host.tick()
        #expect(peer.host.error == nil)
        #expect(peer.host.log.last == "new keys")
    }

    @Test func `before authentication is refused where the host says so`() throws {
        var peer = try HandPeer.at(.service, ServerHost { $0.transport.allowsEarlyRekeying = false })
        peer.received = []
        peer.say(peer.kexInit())
        #expect(peer.host.error == .transport(.earlyKeyExchange))
        #expect(try peer.take(Disconnect.self).map(\.reason) == [.keyExchangeFailed])
        var other = try HandPeer.at(.channel, ServerHost { $0.transport.allowsEarlyRekeying = false })
        try other.exchangeKeys()
        #expect(other.host.log.last == "new keys")
    }

    @Test func `is allowed before authentication when the peer asks`() throws {
        var peer = try HandPeer.at(.service)
        try peer.exchangeKeys()
        try peer.authenticateOnce()
        #expect(peer.host.server.isAuthenticated)
    }

    @Test func `of a peer without the strict sign works as often`() throws {
        var peer = try HandPeer.at(.channel, isStrict: false)
        for _ in 0..<20 { try peer.exchangeKeys() }
        peer.say(ChannelData(recipientChannel: 0, data: [1]))
        #expect(peer.host.error == nil)
        #expect(peer.host.log.count { $0 == "new keys" } == 20)
        #expect(peer.host.log.last == "data 0 1")
    }
}
