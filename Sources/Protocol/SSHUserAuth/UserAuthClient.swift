public import SSHWire

/// The client's side of user authentication (RFC 4252): one attempt after the other, each granted or refused.
public struct UserAuthClient: Sendable {
    public enum Output: Equatable, Sendable {
        case send([UInt8])
        /// The server would take a signature by the key that was probed.
        case probeAccepted
        /// ``finish()`` gives the proof.
        case granted
        /// The attempt was refused; these methods can continue.
        case refused(methods: [String], partialSuccess: Bool)
        case banner(String)
    }

    private enum State: Equatable, Sendable {
        case idle
        case expectAccept(UserAuthRequest)
        case ready
        case expectAnswer(UserAuthRequest)
        case granted(user: String)
        case finished

        var name: String {
            switch self {
            case .idle: "before authentication"
            case .expectAccept: "authentication: waiting for the service"
            case .ready: "authentication: between attempts"
            case .expectAnswer: "authentication: waiting for an answer"
            case .granted, .finished: "after authentication"
            }
        }
    }

    private static let service = "ssh-userauth"
    private static let nextService = "ssh-connection"

    private var state = State.idle

    public init() {}

    /// True while an attempt may be made.
    public var isReady: Bool { state == .idle || state == .ready }

    /// Makes an attempt; the service is asked for before the first.
    public mutating func attempt(user: String, method: UserAuthRequest.Method) -> [Output] {
        let request = UserAuthRequest(user: user, service: Self.nextService, method: method)
        switch state {
        case .idle:
            state = .expectAccept(request)
            return [.send(ServiceRequest(service: Self.service).payload)]
        case .ready:
            state = .expectAnswer(request)
            return [.send(request.payload)]
        case .expectAccept, .expectAnswer, .granted, .finished:
            preconditionFailure("an attempt during \(state.name)")
        }
    }

    public mutating func receive(_ number: MessageNumber, payload: [UInt8]) throws(UserAuthError) -> [Output] {
        switch (state, number) {
        case (.expectAccept(let request), .serviceAccept):
            let accepted = try parse(ServiceAccept.self, payload)
            guard accepted.service == Self.service else { throw .unknownService(accepted.service) }
            state = .expectAnswer(request)
            return [.send(request.payload)]
        case (.expectAccept, .userAuthBanner), (.ready, .userAuthBanner), (.expectAnswer, .userAuthBanner):
            return [.banner(try parse(UserAuthBanner.self, payload).message)]
        case (.expectAnswer, .userAuthFailure):
            let failure = try parse(UserAuthFailure.self, payload)
            state = .ready
            return [.refused(methods: failure.methodsThatCanContinue, partialSuccess: failure.partialSuccess)]
        case (.expectAnswer(let request), .userAuthSuccess):
            _ = try parse(UserAuthSuccess.self, payload)
            state = .granted(user: request.user)
            return [.granted]
        case (.expectAnswer(let request), .userAuthPublicKeyOK):
            if case .password = request.method {
                // RFC 4252 §8: the same number asks for a new password, which is not had here; other methods may go on.
                state = .ready
                return [.refused(methods: [], partialSuccess: false)]
            }
            return try accept(try parse(UserAuthPublicKeyOK.self, payload), of: request)
        default:
            throw .unexpected(number, during: state.name)
        }
    }

    /// The proof that ``Output/granted`` announced; it can be had once.
    public mutating func finish() -> AuthenticatedUser {
        guard case .granted(let user) = state else { preconditionFailure("not granted; \(state.name)") }
        state = .finished
        return AuthenticatedUser(name: user)
    }

    /// PK_OK must name the key that was probed (RFC 4252 §7).
    private mutating func accept(_ answer: UserAuthPublicKeyOK, of request: UserAuthRequest) throws(UserAuthError) -> [Output] {
        guard case .publicKey(answer.algorithm, answer.key, nil, _) = request.method else {
            throw .unexpected(.userAuthPublicKeyOK, during: state.name)
        }
        state = .ready
        return [.probeAccepted]
    }
}
