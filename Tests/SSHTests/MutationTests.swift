import Peers
import SSHConnection
import SSHTransport
import SSHUserAuth
import SSHWire
import Testing

@testable import SSH

/// Sessions with one message spoiled: the same for the same number, so that a failure can be repeated.
struct Mutation {
    /// What an honest client says once it has keys, one message after the other.
    static let script: [[UInt8]] = [
        ExtInfo(extensions: [ExtInfo.Extension(name: "ext-info-in-auth@openssh.com", value: [0x30])]).payload,
        ServiceRequest(service: "ssh-userauth").payload,
        UserAuthRequest(user: "alice", service: "ssh-connection", method: .none).payload,
        UserAuthRequest(user: "alice", service: "ssh-connection", method: .publicKey(algorithm: "ssh-ed25519", key: [1, 2], signature: nil)).payload,
        UserAuthRequest(user: "alice", service: "ssh-connection", method: .publicKey(algorithm: "ssh-ed25519", key: [1], signature: [2, 3])).payload,
        GlobalRequest(name: "no-more-sessions-later@openssh.com", wantReply: true, details: [1]).payload,
        ChannelOpen(type: "session", senderChannel: 5, initialWindow: 70_000, maximumPacket: 32_768).payload,
        ChannelRequest(recipientChannel: 0, wantReply: false, kind: .environment(name: "LANG", value: [0x43])).payload,
        ChannelRequest(recipientChannel: 0, wantReply: true, kind: .exec(command: Array("release v1".utf8))).payload,
        ChannelData(recipientChannel: 0, data: [UInt8](repeating: 0x61, count: 300)).payload,
        ChannelExtendedData(recipientChannel: 0, type: 1, data: [1, 2]).payload,
        ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: 50_000).payload,
        Ping(data: [1, 2, 3]).payload, [2, 0, 0, 0, 1, 7],
        ChannelOpen(type: "direct-tcpip", senderChannel: 6, initialWindow: 1, maximumPacket: 1, details: [1, 2, 3]).payload,
        ChannelRequest(recipientChannel: 0, wantReply: true, kind: .signal(name: "INT")).payload,
        ChannelOpen(type: "session", senderChannel: 7, initialWindow: 10, maximumPacket: 1).payload,
        ChannelRequest(recipientChannel: 1, wantReply: true, kind: .subsystem(name: "sftp")).payload,
        ChannelEOF(recipientChannel: 0).payload, ChannelClose(recipientChannel: 1).payload, ChannelClose(recipientChannel: 0).payload,
        HandPeer().kexInit().payload, Messages.share, Disconnect(reason: .byApplication, description: "bye").payload,
    ]

    private static let words: [UInt32] = [0, 1, 2, 5, 0x7fff_ffff, 0x8000_0000, .max, .max - 1, 32_768, 32_769, 35_000, 35_001, 2 << 20]
    private static let bytes: [UInt8] = [0, 1, 2, 0x20, 0x2c, 0x7f, 0x80, 0xff]

    var random: SeededRandom

    init(_ number: Int) { random = SeededRandom(seed: UInt64(number) &* 0x1234_5679) }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[Int.random(in: elements.indices, using: &random)] }

    /// What is said instead of `payload`.
    mutating func spoil(_ payload: [UInt8]) -> [[UInt8]] {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return []
        case 1: return [payload, payload]
        case 2: return [pick(Messages.all), payload]
        case 3: return [pick(Self.script)]
        case 4: return [Array(payload.prefix(Int.random(in: 1...payload.count, using: &random)))]
        case 5: return [payload + random.bytes(count: Int.random(in: 1...40, using: &random))]
        case 6, 7: return [overwriting(payload)]
        default:
            var spoiled = payload
            for _ in 0...Int.random(in: 0...2, using: &random) {
                let index = Int.random(in: spoiled.indices, using: &random)
                spoiled[index] = Bool.random(using: &random) ? pick(Self.bytes) : UInt8.random(in: 0...255, using: &random)
            }
            return [spoiled]
        }
    }

    /// A length or a number changed to one at the edge of something.
    private mutating func overwriting(_ payload: [UInt8]) -> [UInt8] {
        guard payload.count > 4 else { return payload }
        var spoiled = payload
        let index = Int.random(in: 1...payload.count - 4, using: &random)
        let word = pick(Self.words)
        for offset in 0..<4 { spoiled[index + offset] = UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * offset)) }
        return spoiled
    }

    /// What a host may do at any time.
    mutating func act(_ peer: inout HandPeer) {
        guard let id = peer.host.server.openChannels.first, peer.host.error == nil else { return }
        switch Int.random(in: 0..<12, using: &random) {
        case 0: _ = send(&peer.host.server, id, [UInt8](repeating: 1, count: 40_000))
        case 1: peer.host.server.end(id)
        case 2: peer.host.server.close(id)
        case 3: peer.host.server.request(id, .exitStatus(1), wantReply: true)
        case 4: peer.host.server.requestKeyExchange()
        default: return
        }
    }
}

@Suite("SSH: thousands of spoiled sessions") struct MutationTests {
    /// Whatever was said: no trap, and an error has told the peer, once and last.
    private func check(_ peer: inout HandPeer, _ number: Int, tellsPeer: Bool = true) throws {
        peer.listen()
        guard peer.host.error != nil else { return }
        let told = peer.received.count { $0[0] == MessageNumber.disconnect.rawValue }
        if tellsPeer { #expect(told == 1 && peer.received.last?[0] == MessageNumber.disconnect.rawValue, "session \(number)") }
        let next = try peer.host.server.next(now: .seconds(1))
        #expect(next == nil, "session \(number)")
        #expect(peer.host.server.pendingBytes == 0)
    }

    @Test func `under keys, with one message spoiled, none traps`() throws {
        var stages: [HandPeer] = []
        var peer = try HandPeer.at(.keyed)
        for payload in Mutation.script {
            stages.append(peer)
            peer.say(payload)
        }
        #expect(peer.host.error == nil)
        #expect(peer.host.log.last == "disconnected 11 bye")
        for number in 0..<4_000 {
            var mutation = Mutation(number)
            let index = number % stages.count
            var peer = stages[index]
            peer.received = []
            for payload in mutation.spoil(Mutation.script[index]) { peer.say(payload) }
            mutation.act(&peer)
            for payload in Mutation.script[(index + 1)...].prefix(3) where peer.host.error == nil { peer.say(payload) }
            // Beyond the repeated key exchange's reply the server speaks with keys that this peer has not taken up.
            try check(&peer, number, tellsPeer: !stages[index].receivedNumbers.contains(21) && !peer.receivedNumbers.contains(21))
        }
    }

    @Test func `in the key exchange, with one message spoiled, none traps`() throws {
        let stages = try [HandPeer.Stage.identified, .started, .replied, .rekeying].map { try HandPeer.at($0) }
        let said = [HandPeer().kexInit().payload, Messages.share, NewKeys().payload, Messages.share]
        for number in 0..<2000 {
            var mutation = Mutation(number)
            let index = number % stages.count
            var peer = stages[index]
            peer.received = []
            for payload in mutation.spoil(said[index]) { peer.say(payload) }
            for payload in said where peer.host.error == nil { peer.say(payload) }
            try check(&peer, number, tellsPeer: index != 2 && !peer.receivedNumbers.contains(21))
        }
    }

    @Test func `in the clear, with bytes changed and cut anywhere, none traps`() throws {
        var writer = HandPeer(identifies: false)
        let whole = Array("\(HandPeer.line)\r\n".utf8) + writer.packet(writer.kexInit().payload) + writer.packet(Messages.share) + writer.packet([21])
        for number in 0..<2000 {
            var mutation = Mutation(number)
            var bytes = whole
            for _ in 0...number % 3 {
                let index = Int.random(in: bytes.indices, using: &mutation.random)
                bytes[index] = UInt8.random(in: 0...255, using: &mutation.random)
            }
            if number % 5 == 0 { bytes.remove(at: Int.random(in: bytes.indices, using: &mutation.random)) }
            var peer = HandPeer(identifies: false)
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...400, using: &mutation.random)
                peer.raw(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            try check(&peer, number, tellsPeer: !peer.receivedNumbers.contains(21))
        }
    }
}
