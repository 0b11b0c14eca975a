import Peers
import SSHCiphers
import SSHKeys
import SSHWire
import Sodium

@testable import SSHTransport

/// What a peer by hand speaks to.
protocol HandHost {
    mutating func take(_ bytes: [UInt8])
    /// What it has said since.
    mutating func takeOutput() -> [UInt8]
    /// Waits until it has said more; false when it will not.
    mutating func saysMore() -> Bool
}

/// A client that says whatever a test wants, in any order: packets and keys are real, manners are the test's.
struct PeerByHand<Host: HandHost> {
    static var line: String { "SSH-2.0-Hand" }

    var host: Host
    var reader = PacketReader()
    var writer = PacketWriter()
    var random: any RandomSource = SeededRandom(seed: 99)
    var isStrict: Bool
    var cipher = "chacha20-poly1305@openssh.com"
    var isFirst = true
    var sessionIdentifier: [UInt8]?
    /// What the server sent, in order, since it was looked at last.
    var received: [[UInt8]] = []
    private(set) var serverLine: String?
    /// What it logs in with, for a session identifier.
    var login: ([UInt8]) -> UserAuthRequest = { _ in
        UserAuthRequest(user: "alice", service: "ssh-connection", method: .publicKey(algorithm: "ssh-ed25519", key: [1], signature: [2]))
    }

    init(_ host: Host, isStrict: Bool = true, identifies: Bool = true) {
        self.host = host
        self.isStrict = isStrict
        if identifies { raw(Array("\(Self.line)\r\n".utf8)) }
    }

    // MARK: - Saying

    /// Bytes as they are.
    mutating func raw(_ bytes: [UInt8]) {
        host.take(bytes)
        listen()
    }

    /// A packet under the keys of the moment.
    mutating func say(_ payload: [UInt8]) {
        raw(packet(payload))
    }

    mutating func say(_ message: some WireMessage) { say(message.payload) }

    /// The bytes of a packet that the caller spoils and sends itself.
    mutating func packet(_ payload: [UInt8]) -> [UInt8] {
        writer.append(payload)
        let bytes = Array(writer.pending)
        writer.didWrite(bytes.count)
        return bytes
    }

    /// Reads what the server answered.
    mutating func listen() {
        let output = host.takeOutput()
        guard !output.isEmpty else { return }
        _ = reader.receive(limit: output.count) { buffer, range in
            buffer.replaceSubrange(range, with: output)
            return output.count
        }
        if serverLine == nil, let found = try? reader.identification(allowsLinesBefore: true) { serverLine = found.line }
        while serverLine != nil, let payload = try? reader.next() {
            received.append(payload)
            // Packets after NEWKEYS wait for the keys.
            if payload[0] == MessageNumber.newKeys.rawValue { return }
        }
    }

    /// Reads until it is so, or nothing more comes.
    mutating func listen(until isSo: (Self) -> Bool) {
        while !isSo(self), host.saysMore() { listen() }
    }

    /// Reads until a message of this kind has come.
    mutating func listen(for number: MessageNumber) { listen { $0.receivedNumbers.contains(number.rawValue) } }

    /// The messages of one kind among those received, which are then forgotten.
    mutating func take<Message: WireMessage>(_ type: Message.Type) throws -> [Message] {
        let found = received.filter { $0[0] == Message.number.rawValue }
        received.removeAll { $0[0] == Message.number.rawValue }
        return try found.map { try Message(payload: $0) }
    }

    var receivedNumbers: [UInt8] { received.map { $0[0] } }

    // MARK: - Key exchange

    func kexInit() -> KexInit {
        var kex = ["curve25519-sha256"]
        if isFirst { kex += isStrict ? ["ext-info-c", "kex-strict-c-v00@openssh.com"] : ["ext-info-c"] }
        return KexInit(
            cookie: Array(0..<16),
            algorithms: .init(kex: kex, hostKey: ["ssh-ed25519"], cipher: [cipher], mac: ["x"], compression: ["none"]))
    }

    /// KEXINIT, a share and the answer to them: what is left is NEWKEYS of ours.
    mutating func exchangeToReply(_ change: (inout KexInit) -> Void = { _ in }) throws -> DerivedKeys {
        var ours = kexInit()
        change(&ours)
        say(ours)
        return try exchangeAfterKexInit(ours)
    }

    mutating func exchangeAfterKexInit(_ ours: KexInit) throws -> DerivedKeys {
        let share = ClientKeyShare(.curve25519, random: &random)
        say(KexECDHInit(clientShare: share.share))
        return try keys(ours, share)
    }

    /// The keys from the server's answer, checked.
    mutating func keys(_ ours: KexInit, _ share: ClientKeyShare) throws -> DerivedKeys {
        listen(for: .newKeys)
        guard let theirs = received.last(where: { $0[0] == 20 }), let reply = try take(KexECDHReply.self).last, let serverLine else {
            throw TransportError.badHostKey
        }
        let secret = try share.sharedSecret(serverShare: reply.serverShare)
        let hash = ExchangeHash(
            clientVersion: Array(Self.line.utf8), serverVersion: Array(serverLine.utf8), clientKexInit: ours.payload, serverKexInit: theirs,
            hostKey: reply.hostKey, clientShare: share.share, serverShare: reply.serverShare, sharedSecret: secret, hash: .sha256
        ).value
        guard try PublicKey(blob: reply.hostKey).isValid(SignatureBlob(blob: reply.signature), over: hash) else {
            throw TransportError.badHostKeySignature
        }
        received.removeAll { $0[0] == 20 || $0[0] == 21 }
        sessionIdentifier = sessionIdentifier ?? hash
        let algorithms = try NegotiatedAlgorithms(client: ours.algorithms, server: KexInit(payload: theirs).algorithms, role: .client)
        return DerivedKeys(algorithms: algorithms, secret: secret, exchangeHash: hash, sessionIdentifier: sessionIdentifier ?? hash, role: .client)
    }

    /// NEWKEYS both ways.
    mutating func change(to keys: DerivedKeys) {
        reader.use(keys.opener, resetsSequence: isStrict)
        say(NewKeys())
        writer.use(keys.sealer, padding: random.bytes(count: 255), resetsSequence: isStrict)
        isFirst = false
        listen()
        drain()
    }

    /// Reads what waited for the keys.
    private mutating func drain() {
        while let payload = try? reader.next() { received.append(payload) }
    }

    mutating func exchangeKeys() throws { change(to: try exchangeToReply()) }

    // MARK: - Stages

    mutating func authenticate() throws {
        say(ServiceRequest(service: "ssh-userauth"))
        logIn()
    }

    mutating func logIn() { say(login(sessionIdentifier ?? [])) }

    mutating func open() { say(ChannelOpen(type: "session", senderChannel: 5, initialWindow: 1 << 20, maximumPacket: 32_768)) }

    /// How far a connection has come.
    enum Stage: CaseIterable, Sendable { case identified, started, replied, keyed, service, authenticated, channel, rekeying }

    /// Goes on from its identification.
    mutating func advance(to stage: Stage) throws {
        if stage == .identified { return }
        if stage == .started { return say(kexInit()) }
        let keys = try exchangeToReply()
        if stage == .replied {
            // The server has sent its NEWKEYS.
            reader.use(keys.opener, resetsSequence: isStrict)
            return drain()
        }
        change(to: keys)
        if stage == .keyed { return }
        say(ServiceRequest(service: "ssh-userauth"))
        if stage == .service { return }
        logIn()
        if stage == .authenticated { return }
        open()
        if stage == .channel { return }
        say(kexInit())
    }
}
