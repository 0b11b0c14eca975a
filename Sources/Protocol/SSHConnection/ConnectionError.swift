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
