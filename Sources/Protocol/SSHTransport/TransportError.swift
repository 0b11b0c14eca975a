public import SSHCiphers
public import SSHWire

/// Why a transport ended (RFC 4253).
public enum TransportError: Error, Equatable, Sendable {
    case identification(IdentificationError)
    case wire(WireError)
    /// A packet length outside RFC 4253 §6's bounds, or not a multiple of the block size.
    case badPacketLength(UInt32)
    /// Padding shorter than four bytes, or longer than its packet.
    case badPadding(UInt8)
    case cipher(CipherError)
    case keyAgreement(KeyAgreementError)
    /// The peers have no algorithm of this kind in common.
    case noCommonAlgorithm(kind: String, theirs: [String])
    /// A message that this state does not allow.
    case unexpected(MessageNumber, during: String)
    /// The host key is malformed or of another type than was agreed.
    case badHostKey
    /// The server's signature of the exchange hash is wrong.
    case badHostKeySignature
    /// The user of the library did not accept the host key.
    case hostKeyRefused
    /// More was queued during a key exchange than ``Transport`` holds.
    case queueFull(limit: Int)
    /// A key was used for as many packets as it may be.
    case keysExhausted
    /// The peer did not finish a key exchange in the time, or in the bytes, that one may take.
    case keyExchangeUnfinished
    /// A second key exchange before the user is authenticated, where that is not allowed.
    case earlyKeyExchange
    /// More packets that mean nothing than an honest peer sends.
    case flood(MessageNumber)

    /// What the peer is told: less than the log.
    public var disconnect: Disconnect {
        switch self {
        case .identification(.protocolVersion):
            Disconnect(reason: .versionNotSupported, description: "this server speaks SSH-2.0 only")
        case .cipher:
            Disconnect(reason: .macError, description: "packet corrupt")
        case .noCommonAlgorithm(let kind, _):
            Disconnect(reason: .keyExchangeFailed, description: "no common \(kind) algorithm; a newer client is needed")
        case .keyExchangeUnfinished:
            Disconnect(reason: .keyExchangeFailed, description: "key exchange not finished")
        case .earlyKeyExchange:
            Disconnect(reason: .keyExchangeFailed, description: "no new keys before authentication")
        case .keyAgreement, .badHostKey, .badHostKeySignature, .hostKeyRefused:
            Disconnect(reason: .keyExchangeFailed, description: "key exchange failed")
        default:
            Disconnect(reason: .protocolError, description: "protocol error")
        }
    }
}

/// For the log.
extension TransportError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .identification(.tooLong(let limit)): "an identification string of more than \(limit) bytes"
        case .identification(.malformed): "a malformed identification string"
        case .identification(.protocolVersion(let version)): "protocol version \(version)"
        case .wire(let error): "a malformed message: \(error)"
        case .badPacketLength(let length): "a packet length of \(length)"
        case .badPadding(let length): "a padding of \(length) bytes"
        case .cipher(let error): "\(error)"
        case .keyAgreement(let error): "\(error)"
        case .noCommonAlgorithm(let kind, let theirs): "no common \(kind) algorithm; theirs are \(theirs.joined(separator: ","))"
        case .unexpected(let message, let state): "\(message) during \(state)"
        case .badHostKey: "a bad host key"
        case .badHostKeySignature: "a wrong signature of the host key"
        case .hostKeyRefused: "the host key was not accepted"
        case .queueFull(let limit): "more than \(limit) bytes to answer during a key exchange"
        case .keysExhausted: "keys used for too many packets"
        case .keyExchangeUnfinished: "a key exchange that the peer did not finish"
        case .earlyKeyExchange: "a second key exchange before authentication"
        case .flood(let message): "too many of \(message)"
        }
    }
}
