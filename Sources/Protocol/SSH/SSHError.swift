public import SSHConnection
public import SSHTransport
public import SSHUserAuth
public import SSHWire

/// Why a connection ended, by the layer that ended it.
public enum SSHError: Error, Equatable, Sendable {
    case transport(TransportError)
    case userAuth(UserAuthError)
    case connection(ConnectionError)
    /// The user did not authenticate in time.
    case loginGraceExpired
    /// Nothing ran and no byte moved for so long.
    case idle
    /// Three keepalives had no answer.
    case peerSilent

    /// What the peer is told: less than the log.
    public var disconnect: Disconnect {
        switch self {
        case .transport(let error): error.disconnect
        case .userAuth(let error): error.disconnect
        case .connection(let error): error.disconnect
        case .loginGraceExpired: Disconnect(reason: .byApplication, description: "authentication took too long")
        case .idle: Disconnect(reason: .byApplication, description: "nothing happened for too long")
        case .peerSilent: Disconnect(reason: .connectionLost, description: "no answer to keepalives")
        }
    }
}

/// For the log.
extension SSHError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .transport(let error): "\(error)"
        case .userAuth(let error): "\(error)"
        case .connection(let error): "\(error)"
        case .loginGraceExpired: "authentication took too long"
        case .idle: "nothing happened for too long"
        case .peerSilent: "no answer to keepalives"
        }
    }
}
