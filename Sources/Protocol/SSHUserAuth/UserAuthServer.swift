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
    }

    /// A key with a signature that has yet to be verified against the session identifier.
    public struct SignedKey: Equatable, Sendable {
        public let user: String
        public let algorithm: String
        public let key: [UInt8]
        public let signature: [UInt8]
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
        /// What a failure lists: `publickey`, and where the library wants it `password`.
        public var methods = ["publickey"]
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
        do throws(WireError) {
            switch (state, number) {
            case (.expectService, .serviceRequest):
                return try accept(ServiceRequest(payload: payload)).get()
            case (.expectRequest, .userAuthRequest):
                return try consider(UserAuthRequest(payload: payload)).get()
            case (.granted, .userAuthRequest):
                // RFC 4252 §5.1: requests after success are silently ignored.
                return []
            default:
                break
            }
        } catch {
            throw .wire(error)
        }
        throw .unexpected(number, during: state.name)
    }

    /// Answers ``Question/mayProbe(_:)``: whether a signature by this key would be accepted.
    public mutating func answerProbe(_ isWelcome: Bool) -> [Output] {
        guard case .asked(.mayProbe(let probe)) = state else { preconditionFailure("no probe is open, \(state.name)") }
        state = .expectRequest
        return isWelcome ? [.send(UserAuthPublicKeyOK(algorithm: probe.algorithm, key: probe.key).payload)] : [failure]
    }

    /// Answers a proof with yes: the only way to an ``AuthenticatedUser`` on the server's side.
    public mutating func grant() -> (user: AuthenticatedUser, output: [Output]) {
        preconditionFailure("see grant(sending:)")
    }
}
