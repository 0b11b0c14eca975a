public import SSHWire

/// Why the connection layer ended the connection (RFC 4254).
public enum ConnectionError: Error, Equatable, Sendable {
    case wire(WireError)
    /// A message for a channel that is not open.
    case unknownChannel(UInt32)
    /// A message that this channel's state does not allow.
    case unexpected(MessageNumber, during: String)
    /// Data beyond the window (RFC 4254 §5.2), in bytes.
    case windowExceeded(data: Int, window: Int)
    /// Data longer than the packet size we named, in bytes.
    case packetTooLarge(data: Int, limit: Int)
    /// A window above 2^32 − 1 (RFC 4254 §5.2).
    case windowOverflow
    /// More requests than a channel may have waiting.
    case tooManyRequests(limit: Int)
    /// Waiting requests of a channel that are longer together, in bytes.
    case requestsTooLong(limit: Int)
    /// An answer to a request that we never made.
    case answerWithoutRequest(MessageNumber)

    /// What the peer is told.
    public var disconnect: Disconnect { Disconnect(reason: .protocolError, description: "protocol error") }
}

/// For the log.
extension ConnectionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wire(let error): "a malformed message: \(error)"
        case .unknownChannel(let number): "channel \(number), which is not open"
        case .unexpected(let message, let state): "\(message) on \(state)"
        case .windowExceeded(let data, let window): "\(data) bytes for a window of \(window)"
        case .packetTooLarge(let data, let limit): "\(data) bytes in one message, of at most \(limit)"
        case .windowOverflow: "a window beyond its range"
        case .tooManyRequests(let limit): "more than \(limit) waiting requests on a channel"
        case .requestsTooLong(let limit): "waiting requests of more than \(limit) bytes"
        case .answerWithoutRequest(let message): "\(message) that answers no request"
        }
    }
}
