import SSHCiphers
import SSHKeys
import SSHWire
import Sodium

/// A key exchange and its repetitions, in either role (RFC 4253 §7, §8, §9).
///
/// It knows nothing of packets: messages in, steps out. Legal steps are the lines of ``receive(_:random:)``.
struct KeyExchange: Sendable {
    /// What the transport has to do, in this order.
    enum Step: Sendable {
        case send([UInt8])
        /// Server: the exchange hash needs the host key's signature; ``sign(with:)`` goes on.
        case needSignature(SignatureRequest)
        /// Client: this host key must be accepted; ``acceptHostKey()`` goes on.
        case judgeHostKey([UInt8])
        case sealWith(DerivedKeys, isFirst: Bool)
        case openWith(DerivedKeys)
        /// Both directions have new keys.
        case finished(NegotiatedAlgorithms, isFirst: Bool)
    }

    enum Message: Equatable, Sendable {
        case kexInit(KexInit, payload: [UInt8])
        case ecdhInit(KexECDHInit)
        case ecdhReply(KexECDHReply)
        case newKeys(NewKeys)

        var number: MessageNumber {
            switch self {
            case .kexInit: .kexInit
            case .ecdhInit: .kexECDHInit
            case .ecdhReply: .kexECDHReply
            case .newKeys: .newKeys
            }
        }
    }

    private enum State: Sendable {
        case idle
        case expectKexInit(ours: KexInit, payload: [UInt8])
        case expectClientShare(Agreement)
        case expectSignature(Agreement, SignatureRequest)
        case expectServerShare(Agreement, ClientKeyShare)
        case expectVerdict(Agreement, exchangeHash: [UInt8], secret: SecretBytes)
        case expectNewKeys(Agreement, DerivedKeys)

        var name: String {
            switch self {
            case .idle: "no key exchange"
            case .expectKexInit: "key exchange: waiting for KEXINIT"
            case .expectClientShare: "key exchange: waiting for the client's share"
            case .expectSignature: "key exchange: waiting for the signature"
            case .expectServerShare: "key exchange: waiting for the server's share"
            case .expectVerdict: "key exchange: waiting for the host key's acceptance"
            case .expectNewKeys: "key exchange: waiting for NEWKEYS"
            }
        }
    }

    private let role: Role
    private let proposal: AlgorithmProposal
    private let clientVersion: String
    private let serverVersion: String
    private var state = State.idle
    /// The exchange hash of the first key exchange (RFC 4253 §7.2); nil until that is made.
    private(set) var sessionIdentifier: [UInt8]?
    /// True until both directions have their first keys.
    private(set) var isFirst = true
    /// Both ends sent the strict sign in their first KEXINIT (OpenSSH PROTOCOL §1.10).
    private(set) var isStrict = false
    /// The peer understands EXT_INFO (RFC 8308 §2.1).
    private(set) var peerTakesExtInfo = false

    init(role: Role, proposal: AlgorithmProposal, clientVersion: String, serverVersion: String) {
        self.role = role
        self.proposal = proposal
        self.clientVersion = clientVersion
        self.serverVersion = serverVersion
    }

    /// Nothing but key exchange may be sent while this holds (RFC 4253 §7.1); ours ends when NEWKEYS is sent.
    var isSending: Bool {
        switch state {
        case .idle, .expectNewKeys: false
        default: true
        }
    }

    var isIdle: Bool {
        if case .idle = state { true } else { false }
    }

    /// The peer has sent KEXINIT and not yet NEWKEYS: it may send nothing else either.
    var peerIsBound: Bool {
        switch state {
        case .idle, .expectKexInit: false
        default: true
        }
    }

    /// The host's answer is awaited; no further packet is read until it came.
    var awaitsAnswer: Bool {
        switch state {
        case .expectSignature, .expectVerdict: true
        default: false
        }
    }

    var stateName: String { state.name }

    /// True once, for the packet of the method that the client guessed wrongly: it is to be ignored (RFC 4253 §7).
    mutating func ignoresGuess() -> Bool {
        guard case .expectClientShare(var agreement) = state, agreement.ignoresNextGuess else { return false }
        agreement.ignoresNextGuess = false
        state = .expectClientShare(agreement)
        return true
    }

    /// Sends our KEXINIT; nothing when a key exchange is already running.
    mutating func start(random: inout any RandomSource) -> [Step] {
        guard case .idle = state else { return [] }
        let ours = proposal.kexInit(role: role, cookie: random.bytes(count: 16), isFirst: sessionIdentifier == nil)
        let payload = ours.payload
        state = .expectKexInit(ours: ours, payload: payload)
        return [.send(payload)]
    }

    mutating func receive(_ message: Message, random: inout any RandomSource) throws(TransportError) -> [Step] {
        switch (state, message) {
        case (.idle, .kexInit(let theirs, let payload)):
            // RFC 4253 §9: either end may ask for new keys at any time.
            let steps = start(random: &random)
            return try steps + receive(.kexInit(theirs, payload: payload), random: &random)
        case (.expectKexInit(let ours, let ourPayload), .kexInit(let theirs, let payload)):
            return try agree(ours: ours, ourPayload: ourPayload, theirs: theirs, theirPayload: payload, random: &random)
        case (.expectClientShare(let agreement), .ecdhInit(let message)):
            return try respond(to: message, agreement, random: &random)
        case (.expectServerShare(let agreement, let share), .ecdhReply(let message)):
            return try check(message, agreement, share)
        case (.expectNewKeys(let agreement, let keys), .newKeys):
            state = .idle
            defer { isFirst = false }
            return [.openWith(keys), .finished(agreement.algorithms, isFirst: isFirst)]
        default:
            throw .unexpected(message.number, during: state.name)
        }
    }

    /// Server: goes on with the signature that ``Step/needSignature(_:)`` asked for.
    mutating func sign(with answer: SignatureAnswer) -> [Step] {
        guard case .expectSignature(let agreement, let request) = state else {
            preconditionFailure("a signature that nobody asked for, during \(state.name)")
        }
        let hash = agreement.exchangeHash(
            hostKey: answer.hostKey, clientShare: request.clientShare, serverShare: request.serverShare, secret: request.sharedSecret)
        let reply = KexECDHReply(hostKey: answer.hostKey, serverShare: request.serverShare, signature: answer.signature)
        return [.send(reply.payload)] + switchKeys(agreement, exchangeHash: hash, secret: request.sharedSecret)
    }

    /// Client: goes on after ``Step/judgeHostKey(_:)``.
    mutating func acceptHostKey() -> [Step] {
        guard case .expectVerdict(let agreement, let hash, let secret) = state else {
            preconditionFailure("a host key that nobody asked about, during \(state.name)")
        }
        return switchKeys(agreement, exchangeHash: hash, secret: secret)
    }

    // MARK: - Steps, in the order they happen

    private mutating func agree(
        ours: KexInit, ourPayload: [UInt8], theirs: KexInit, theirPayload: [UInt8], random: inout any RandomSource
    ) throws(TransportError) -> [Step] {
        let (client, server) = role == .client ? (ours, theirs) : (theirs, ours)
        let algorithms = try NegotiatedAlgorithms(client: client.algorithms, server: server.algorithms, role: role)
        if sessionIdentifier == nil {
            isStrict = theirs.algorithms.kex.contains(role.peer.strictSign)
            peerTakesExtInfo = theirs.algorithms.kex.contains(role.peer.extInfoSign)
        }
        let agreement = Agreement(
            algorithms: algorithms, clientVersion: clientVersion, serverVersion: serverVersion,
            clientKexInit: role == .client ? ourPayload : theirPayload, serverKexInit: role == .client ? theirPayload : ourPayload,
            ignoresNextGuess: theirs.firstKexPacketFollows && !algorithms.guessWasRight)
        guard role == .client else {
            state = .expectClientShare(agreement)
            return []
        }
        let share = ClientKeyShare(algorithms.kex, random: &random)
        state = .expectServerShare(agreement, share)
        return [.send(KexECDHInit(clientShare: share.share).payload)]
    }

    private mutating func respond(
        to message: KexECDHInit, _ agreement: Agreement, random: inout any RandomSource
    ) throws(TransportError) -> [Step] {
        do throws(KeyAgreementError) {
            let (share, secret) = try agreement.algorithms.kex.respond(to: message.clientShare, random: &random)
            let request = SignatureRequest(
                method: agreement.algorithms.kex, hostKeyAlgorithm: agreement.algorithms.hostKey, clientVersion: clientVersion,
                clientKexInit: agreement.clientKexInit, serverKexInit: agreement.serverKexInit, clientShare: message.clientShare,
                serverShare: share, sharedSecret: secret)
            state = .expectSignature(agreement, request)
            return [.needSignature(request)]
        } catch {
            throw .keyAgreement(error)
        }
    }

    private mutating func check(_ message: KexECDHReply, _ agreement: Agreement, _ share: ClientKeyShare) throws(TransportError) -> [Step] {
        let secret: SecretBytes
        do throws(KeyAgreementError) {
            secret = try share.sharedSecret(serverShare: message.serverShare)
        } catch {
            throw .keyAgreement(error)
        }
        let hash = agreement.exchangeHash(
            hostKey: message.hostKey, clientShare: share.share, serverShare: message.serverShare, secret: secret)
        let key: PublicKey
        let signature: SignatureBlob
        do throws(KeyError) {
            key = try Self.hostKey(message.hostKey, agreement.algorithms.hostKey)
            signature = try SignatureBlob(blob: message.signature)
        } catch {
            throw .badHostKey
        }
        guard key.isValid(signature, over: hash) else { throw .badHostKeySignature }
        state = .expectVerdict(agreement, exchangeHash: hash, secret: secret)
        return [.judgeHostKey(message.hostKey)]
    }

    /// The key that signs, in the blob of a key or of a certificate, which must be of the type that was agreed.
    private static func hostKey(_ blob: [UInt8], _ algorithm: String) throws(KeyError) -> PublicKey {
        if Certificate.algorithms.contains(algorithm) {
            let certificate = try Certificate(blob: blob)
            guard certificate.algorithm == algorithm else { throw .unsupported(algorithm: certificate.algorithm) }
            return certificate.key
        }
        let key = try PublicKey(blob: blob)
        guard key.algorithm == algorithm else { throw .unsupported(algorithm: key.algorithm) }
        return key
    }

    private mutating func switchKeys(_ agreement: Agreement, exchangeHash: [UInt8], secret: SecretBytes) -> [Step] {
        let identifier = sessionIdentifier ?? exchangeHash
        sessionIdentifier = identifier
        let keys = DerivedKeys(
            algorithms: agreement.algorithms, secret: secret, exchangeHash: exchangeHash, sessionIdentifier: identifier, role: role)
        state = .expectNewKeys(agreement, keys)
        return [.send(NewKeys().payload), .sealWith(keys, isFirst: isFirst)]
    }
}
