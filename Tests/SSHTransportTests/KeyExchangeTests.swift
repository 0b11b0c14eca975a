import Peers
import SSHCiphers
import SSHKeys
import SSHWire
import Sodium
import Testing

@testable import SSHTransport

/// A client's and a server's key exchange, each message carried by hand.
struct ExchangePair {
    /// The shares and hashes below are of this method.
    static let proposal = AlgorithmProposal(kex: [.curve25519, .curve25519LibSSH])

    var client = ExchangePair.exchange(.client)
    var server = ExchangePair.exchange(.server)
    var random: any RandomSource = SeededRandom(seed: 1)
    let hostKey = HostKey(Ed25519SigningKey(seed: SecretBytes(copying: [UInt8](repeating: 7, count: 32))))

    static func exchange(_ role: Role) -> KeyExchange {
        KeyExchange(role: role, proposal: ExchangePair.proposal, clientVersion: "SSH-2.0-client", serverVersion: "SSH-2.0-server")
    }

    static func message(_ payload: [UInt8]) throws -> KeyExchange.Message {
        switch MessageNumber(rawValue: payload[0]) {
        case .kexInit: .kexInit(try KexInit(payload: payload), payload: payload)
        case .kexECDHInit: .ecdhInit(try KexECDHInit(payload: payload))
        case .kexECDHReply: .ecdhReply(try KexECDHReply(payload: payload))
        default: .newKeys(try NewKeys(payload: payload))
        }
    }

    /// What a step sends, in order.
    static func sent(_ steps: [KeyExchange.Step]) throws -> [KeyExchange.Message] {
        try steps.compactMap { step in if case .send(let payload) = step { try message(payload) } else { nil } }
    }

    func answer(_ steps: [KeyExchange.Step]) throws -> SignatureAnswer {
        guard case .needSignature(let request) = steps.last else { throw TransportError.badHostKey }
        let hash = ExchangeHash(
            clientVersion: Array("SSH-2.0-client".utf8), serverVersion: Array("SSH-2.0-server".utf8), clientKexInit: request.clientKexInit,
            serverKexInit: request.serverKexInit, hostKey: hostKey.blob, clientShare: request.clientShare, serverShare: request.serverShare,
            sharedSecret: request.sharedSecret, hash: .sha256)
        return SignatureAnswer(hostKey: hostKey.blob, signature: hostKey.sign(hash.value))
    }

    /// Runs from where both are idle as far as `stop`, or to the end.
    mutating func run(until stop: Stop? = nil) throws -> [KeyExchange.Message] {
        let clientInit = try Self.sent(client.start(random: &random))
        let serverInit = try Self.sent(server.start(random: &random))
        var seen = clientInit + serverInit
        if stop == .bothStarted { return seen }
        let share = try Self.sent(client.receive(serverInit[0], random: &random))
        _ = try server.receive(clientInit[0], random: &random)
        seen += share
        if stop == .agreed { return seen }
        let question = try server.receive(share[0], random: &random)
        if stop == .asked { return seen }
        let reply = try Self.sent(server.sign(with: try answer(question)))
        seen += reply
        _ = try client.receive(reply[0], random: &random)
        if stop == .judging { return seen }
        let accepted = try Self.sent(client.acceptHostKey())
        if stop == .switching { return seen }
        _ = try server.receive(accepted[0], random: &random)
        _ = try client.receive(reply[1], random: &random)
        return seen
    }

    enum Stop { case bothStarted, agreed, asked, judging, switching }
}

@Suite("RFC 4253 §7, §8: key exchange") struct KeyExchangeTests {
    private func names(_ steps: [KeyExchange.Step]) -> [String] {
        steps.map { step in
            switch step {
            case .send(let payload): "send \(payload[0])"
            case .needSignature: "sign?"
            case .judgeHostKey: "host key?"
            case .sealWith(_, let isFirst): "seal first \(isFirst)"
            case .openWith: "open"
            case .finished(_, let isFirst): "finished first \(isFirst)"
            }
        }
    }

    @Test(arguments: [true, false]) func `runs from KEXINIT to new keys, and again`(clientStarts: Bool) throws {
        var pair = ExchangePair()
        for first in [true, false] {
            var clientInit = [KeyExchange.Step]()
            var serverInit = [KeyExchange.Step]()
            var share = [KeyExchange.Step]()
            if clientStarts {
                clientInit = pair.client.start(random: &pair.random)
                serverInit = try pair.server.receive(ExchangePair.sent(clientInit)[0], random: &pair.random)
                #expect(names(serverInit) == ["send 20"])
                share = try pair.client.receive(ExchangePair.sent(serverInit)[0], random: &pair.random)
                #expect(names(share) == ["send 30"])
            } else {
                serverInit = pair.server.start(random: &pair.random)
                let both = try pair.client.receive(ExchangePair.sent(serverInit)[0], random: &pair.random)
                #expect(names(both) == ["send 20", "send 30"])
                #expect(names(try pair.server.receive(ExchangePair.sent(both)[0], random: &pair.random)) == [])
                share = Array(both.dropFirst())
            }
            let question = try pair.server.receive(ExchangePair.sent(share)[0], random: &pair.random)
            #expect(names(question) == ["sign?"])
            let reply = pair.server.sign(with: try pair.answer(question))
            #expect(names(reply) == ["send 31", "send 21", "seal first \(first)"])
            #expect(names(try pair.client.receive(ExchangePair.sent(reply)[0], random: &pair.random)) == ["host key?"])
            let accepted = pair.client.acceptHostKey()
            #expect(names(accepted) == ["send 21", "seal first \(first)"])
            #expect(names(try pair.client.receive(ExchangePair.sent(reply)[1], random: &pair.random)) == ["open", "finished first \(first)"])
            #expect(names(try pair.server.receive(ExchangePair.sent(accepted)[0], random: &pair.random)) == ["open", "finished first \(first)"])
            #expect(pair.client.isIdle && pair.server.isIdle && !pair.client.isFirst)
        }
        #expect(pair.client.sessionIdentifier == pair.server.sessionIdentifier)
    }

    @Test func `both may start at once`() throws {
        var pair = ExchangePair()
        _ = try pair.run()
        let identifier = pair.server.sessionIdentifier
        #expect(identifier != nil)
        _ = try pair.run()
        #expect(pair.server.isIdle && pair.client.isIdle)
        #expect(pair.server.sessionIdentifier == identifier)
    }

    @Test func `starting twice sends one KEXINIT`() throws {
        var pair = ExchangePair()
        #expect(names(pair.server.start(random: &pair.random)) == ["send 20"])
        #expect(names(pair.server.start(random: &pair.random)) == [])
    }

    /// Who, how far, and what is refused there.
    static let refused: [(Role, ExchangePair.Stop?, refused: [MessageNumber], during: String)] = [
        (.server, .bothStarted, [.kexECDHInit, .kexECDHReply, .newKeys], "key exchange: waiting for KEXINIT"),
        (.server, .agreed, [.kexInit, .kexECDHReply, .newKeys], "key exchange: waiting for the client's share"),
        (.server, .asked, [.kexInit, .kexECDHInit, .kexECDHReply, .newKeys], "key exchange: waiting for the signature"),
        (.server, .switching, [.kexInit, .kexECDHInit, .kexECDHReply], "key exchange: waiting for NEWKEYS"),
        (.server, nil, [.kexECDHInit, .kexECDHReply, .newKeys], "no key exchange"),
        (.client, .bothStarted, [.kexECDHInit, .kexECDHReply, .newKeys], "key exchange: waiting for KEXINIT"),
        (.client, .agreed, [.kexInit, .kexECDHInit, .newKeys], "key exchange: waiting for the server's share"),
        (.client, .judging, [.kexInit, .kexECDHInit, .kexECDHReply, .newKeys], "key exchange: waiting for the host key's acceptance"),
        (.client, .switching, [.kexInit, .kexECDHInit, .kexECDHReply], "key exchange: waiting for NEWKEYS"),
        (.client, nil, [.kexECDHInit, .kexECDHReply, .newKeys], "no key exchange"),
    ]

    @Test(arguments: refused)
    func `refuses what its state does not allow`(role: Role, stop: ExchangePair.Stop?, refused: [MessageNumber], during: String) throws {
        let kexInit = ExchangePair.proposal.kexInit(role: .client, cookie: Array(0..<16), isFirst: true)
        let messages: [KeyExchange.Message] = [
            .kexInit(kexInit, payload: kexInit.payload), .ecdhInit(KexECDHInit(clientShare: Array(1...32))),
            .ecdhReply(KexECDHReply(hostKey: [], serverShare: [], signature: [])), .newKeys(NewKeys()),
        ]
        var pair = ExchangePair()
        _ = try pair.run(until: stop)
        for message in messages where refused.contains(message.number) {
            var machine = role == .server ? pair.server : pair.client
            #expect(throws: TransportError.unexpected(message.number, during: during)) { try machine.receive(message, random: &pair.random) }
        }
    }

    static let badShares: [(share: [UInt8], KeyAgreementError)] = [
        ([], .wrongLength(bytes: 0, expected: 32)), (Array(1...31), .wrongLength(bytes: 31, expected: 32)),
        (Array(1...33), .wrongLength(bytes: 33, expected: 32)), ([UInt8](repeating: 0, count: 32), .smallOrder),
        ([1] + [UInt8](repeating: 0, count: 31), .smallOrder),
        ([0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f], .smallOrder),
    ]

    @Test(arguments: badShares) func `refuses shares of wrong length or small order, on both sides`(share: [UInt8], error: KeyAgreementError) throws {
        var pair = ExchangePair()
        _ = try pair.run(until: .agreed)
        #expect(throws: TransportError.keyAgreement(error)) {
            try pair.server.receive(.ecdhInit(KexECDHInit(clientShare: share)), random: &pair.random)
        }
        let reply = KexECDHReply(hostKey: pair.hostKey.blob, serverShare: share, signature: [])
        #expect(throws: TransportError.keyAgreement(error)) { try pair.client.receive(.ecdhReply(reply), random: &pair.random) }
    }

    @Test func `a client refuses a host key that is none, and a signature that is wrong`() throws {
        var pair = ExchangePair()
        var seen = try pair.run(until: .agreed)
        let question = try pair.server.receive(seen.removeLast(), random: &pair.random)
        let sent = try ExchangePair.sent(pair.server.sign(with: try pair.answer(question)))
        guard case .ecdhReply(let good) = sent[0] else { throw TransportError.badHostKey }
        var wrongSignature = good
        wrongSignature.signature[wrongSignature.signature.count - 1] ^= 0x10
        var wrongShare = good
        wrongShare.serverShare[0] ^= 1
        var noKey = good
        noKey.hostKey.removeLast()
        var noSignature = good
        noSignature.signature = []
        var otherKey = good
        otherKey.hostKey = PublicKey(ed25519: [UInt8](repeating: 3, count: 32)).blob
        let cases: [(KexECDHReply, TransportError)] = [
            (wrongSignature, .badHostKeySignature), (wrongShare, .badHostKeySignature), (otherKey, .badHostKeySignature), (noKey, .badHostKey),
            (noSignature, .badHostKey),
        ]
        for (reply, error) in cases {
            var client = pair.client
            #expect(throws: error) { try client.receive(.ecdhReply(reply), random: &pair.random) }
        }
        #expect(names(try pair.client.receive(.ecdhReply(good), random: &pair.random)) == ["host key?"])
    }

    @Test func `a wrong guess is ignored once`() throws {
        for (kex, ignored) in [(["curve25519-sha256"], false), (["other", "curve25519-sha256"], true)] {
            var pair = ExchangePair()
            var theirs = ExchangePair.proposal.kexInit(role: .client, cookie: Array(0..<16), isFirst: true)
            theirs.algorithms.kex = kex
            theirs.firstKexPacketFollows = true
            _ = try pair.server.receive(.kexInit(theirs, payload: theirs.payload), random: &pair.random)
            let first = pair.server.ignoresGuess()
            let second = pair.server.ignoresGuess()
            #expect(first == ignored && !second)
        }
    }

    @Test func `is strict only by the first KEXINIT`() throws {
        var pair = ExchangePair()
        _ = try pair.run()
        #expect(pair.server.isStrict && pair.client.isStrict && pair.server.peerTakesExtInfo)
        var plain = ExchangePair()
        let theirs = ExchangePair.proposal.kexInit(role: .client, cookie: Array(0..<16), isFirst: false)
        _ = try plain.server.receive(.kexInit(theirs, payload: theirs.payload), random: &plain.random)
        #expect(!plain.server.isStrict && !plain.server.peerTakesExtInfo)
        _ = try pair.run()
        #expect(pair.server.isStrict)
    }
}
