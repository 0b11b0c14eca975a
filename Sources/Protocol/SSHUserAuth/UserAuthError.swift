public import SSHWire

/// Why an authentication ended the connection (RFC 4252).
public enum UserAuthError: Error, Equatable, Sendable {
    case wire(WireError)
    /// A message that this state does not allow.
    case unexpected(MessageNumber, during: String)
    /// A service other than `ssh-userauth` and then `ssh-connection`.
    case unknownService(String)
    /// More signatures, or more other requests, than a connection may try.
    case tooManyAttempts(limit: Int)

    /// What the peer is told.
    public var disconnect: Disconnect {
        switch self {
        case .unknownService:
            Disconnect(reason: .serviceNotAvailable, description: "no such service")
        case .tooManyAttempts:
            Disconnect(reason: .noMoreAuthMethods, description: "too many authentication attempts")
        case .wire, .unexpected:
            Disconnect(reason: .protocolError, description: "protocol error")
        }
    }
}

/// For the log.
extension UserAuthError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wire(let error): "a malformed message: \(error)"
        case .unexpected(let message, let state): "\(message) during \(state)"
        case .unknownService(let name): "unknown service \(name)"
        case .tooManyAttempts(let limit): "more than \(limit) authentication attempts"
        }
    }
}
