public import SSHWire

/// The server's side of user authentication (RFC 4252): it asks the host, and the host decides.
///
/// While a question is open it takes no further message: the caller holds them back until the answer.
public struct UserAuthServer: Sendable {
    /// A key that someone asks about: nothing is proven.
    public struct ProbedKey: Equatable, Sendable {
        public let user: String
        public let algorithm: String
        public let key: [UInt8]
        /// The host key that the client binds itself to; nil in a plain request.
        public let hostKey: [UInt8]?
    }

    /// A key with a signature that has yet to be verified against the session identifier.
    public struct SignedKey: Equatable, Sendable {
        public let user: String
        public let algorithm: String
        public let key: [UInt8]
        public let signature: [UInt8]
        /// The host key that the signature covers; nil in a plain request.
        public let hostKey: [UInt8]?
    }

    public enum Question: Equatable, Sendable {
        /// Answer with ``answerProbe(_:)``.
        case mayProbe(ProbedKey)
        /// Answer with ``grant()`` or ``refuse()``.
        case verify(SignedKey)
        /// Answer with ``grant()`` or ``refuse()``; only where passwords are allowed.
        case password(user: String, password: String)
    }

    public enum Output: Equatable, Sendable {
        case send([UInt8])
        case ask(Question)
    }

    public struct Configuration: Sendable {
        /// What a failure lists.
        var methods: [String] { (takesPublicKeys ? ["publickey"] : []) + (takesPasswords ? ["password"] : []) }
        /// Whether keys are asked about at all.
        public var takesPublicKeys = true
        /// The library may let its user decide about passwords. The gateway cannot: a test sees to it that only Sources/Library names this
        /// interface, and without it there is no way to set it.
        @_spi(Passwords) public var takesPasswords = false
        /// Shown to the user before anything else; empty: nothing.
        public var banner = ""
        /// Signatures (or passwords) a connection may try; more end it.
        public var mostSignatures = 6
        /// All other requests: probes, `none` and methods we do not have.
        public var mostProbes = 64

        public init() {}
    }

    private enum State: Equatable, Sendable {
        case expectService
        case expectRequest
        case asked(Question)
        case granted

        var name: String {
            switch self {
            case .expectService: "authentication: waiting for the service request"
            case .expectRequest: "authentication: waiting for a request"
            case .asked: "authentication: deciding a request"
            case .granted: "after authentication"
            }
        }
    }

    private static let service = "ssh-userauth"
    private static let nextService = "ssh-connection"

    private let configuration: Configuration
    private var state = State.expectService
    private var signatures = 0
    private var probes = 0

    public init(configuration: Configuration) { self.configuration = configuration }

    /// A question is open.
    public var awaitsAnswer: Bool {
        if case .asked = state { true } else { false }
    }

    public mutating func receive(_ number: MessageNumber, payload: [UInt8]) throws(UserAuthError) -> [Output] {
        switch (state, number) {
        case (.expectService, .serviceRequest):
            return try accept(try parse(ServiceRequest.self, payload))
        case (.expectRequest, .userAuthRequest):
            return try consider(try parse(UserAuthRequest.self, payload))
        case (.granted, .userAuthRequest):
            // RFC 4252 §5.1: requests after success are silently ignored.
            return []
        default:
            throw .unexpected(number, during: state.name)
        }
    }

    /// Answers ``Question/mayProbe(_:)``: whether a signature by this key would be accepted.
    public mutating func answerProbe(_ isWelcome: Bool, banner: String? = nil) -> [Output] {
        guard case .asked(.mayProbe(let probe)) = state else { preconditionFailure("no probe is open; \(state.name)") }
        state = .expectRequest
        let answer = isWelcome ? .send(UserAuthPublicKeyOK(algorithm: probe.algorithm, key: probe.key).payload) : failure
        return sending(banner) + [answer]
    }

    /// Answers a signature or a password with yes: the only way to an ``AuthenticatedUser`` on the server's side.
    ///
    /// - Parameter output: gets what is to be sent.
    public mutating func grant(banner: String? = nil, output: inout [Output]) -> AuthenticatedUser {
        let user = provenUser
        state = .granted
        output = sending(banner) + [.send(UserAuthSuccess().payload)]
        return AuthenticatedUser(name: user)
    }

    /// Answers a signature or a password with no.
    public mutating func refuse(banner: String? = nil) -> [Output] {
        _ = provenUser
        state = .expectRequest
        return sending(banner) + [failure]
    }

    // MARK: - Steps

    private mutating func accept(_ request: ServiceRequest) throws(UserAuthError) -> [Output] {
        guard request.service == Self.service else { throw .unknownService(request.service) }
        state = .expectRequest
        let accepted = Output.send(ServiceAccept(service: request.service).payload)
        return [accepted] + sending(configuration.banner.isEmpty ? nil : configuration.banner)
    }

    private mutating func consider(_ request: UserAuthRequest) throws(UserAuthError) -> [Output] {
        guard request.service == Self.nextService else { throw .unknownService(request.service) }
        switch request.method {
        case .publicKey(let algorithm, let key, let signature?, let hostKey) where configuration.takesPublicKeys:
            try countSignature()
            return ask(.verify(SignedKey(user: request.user, algorithm: algorithm, key: key, signature: signature, hostKey: hostKey)))
        case .publicKey(let algorithm, let key, nil, let hostKey) where configuration.takesPublicKeys:
            try countProbe()
            return ask(.mayProbe(ProbedKey(user: request.user, algorithm: algorithm, key: key, hostKey: hostKey)))
        case .password(let password) where configuration.takesPasswords:
            try countSignature()
            return ask(.password(user: request.user, password: password))
        case .none, .publicKey, .password, .other:
            try countProbe()
            return [failure]
        }
    }

    private mutating func ask(_ question: Question) -> [Output] {
        state = .asked(question)
        return [.ask(question)]
    }

    private mutating func countSignature() throws(UserAuthError) {
        signatures += 1
        guard signatures <= configuration.mostSignatures else { throw .tooManyAttempts(limit: configuration.mostSignatures) }
    }

    private mutating func countProbe() throws(UserAuthError) {
        probes += 1
        guard probes <= configuration.mostProbes else { throw .tooManyAttempts(limit: configuration.mostProbes) }
    }

    private var provenUser: String {
        switch state {
        case .asked(.verify(let signed)): signed.user
        case .asked(.password(let user, _)): user
        default: preconditionFailure("no proof is open; \(state.name)")
        }
    }

    private var failure: Output {
        .send(UserAuthFailure(methodsThatCanContinue: configuration.methods, partialSuccess: false).payload)
    }

    private func sending(_ banner: String?) -> [Output] {
        banner.map { [.send(UserAuthBanner(message: $0).payload)] } ?? []
    }
}

/// Reads a whole message, its faults as ours.
func parse<Message: WireMessage>(_ type: Message.Type, _ payload: [UInt8]) throws(UserAuthError) -> Message {
    do throws(WireError) {
        return try Message(payload: payload)
    } catch {
        throw .wire(error)
    }
}
