import SSHWire

/// Our number of a channel (RFC 4254 §5.1): the smallest that is free when it is opened.
public struct ChannelID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt32

    public init(number: UInt32) { self.number = number }

    public static func < (left: ChannelID, right: ChannelID) -> Bool { left.number < right.number }
    public var description: String { "channel \(number)" }
}

/// What data is: plain, or of a numbered type, of which 1 is standard error (RFC 4254 §5.2).
public enum DataType: Hashable, Sendable {
    case standard
    case extended(UInt32)

    public static let standardError = DataType.extended(ChannelExtendedData.standardError)
}

/// One channel: its two ends, its two windows, and the requests that wait for an answer.
struct Channel: Sendable {
    enum Phase: Sendable {
        /// We asked to open it.
        case opening
        /// The peer asked, and the host has not answered.
        case offered
        case open
    }

    /// How far one direction of the data has come.
    enum Direction: Sendable { case flowing, ended, closed }

    /// A request of the peer, and the length of its payload.
    struct WaitingRequest: Sendable {
        let request: ChannelRequest
        let bytes: Int
    }

    var phase: Phase
    var outgoing = Direction.flowing
    var incoming = Direction.flowing
    /// The peer's number of the channel; meaningless while `opening`.
    var peerNumber: UInt32
    /// Bytes that we may still send.
    var peerWindow: UInt32
    /// The largest data we may send in one message.
    var peerPacket: UInt32
    /// Bytes that the peer may still send.
    var window = UInt32(Connection.windowBytes)
    /// Bytes that the host has taken and the peer was not told of.
    var consumed: UInt32 = 0
    /// The peer's requests, the first one being with the host.
    var requests: [WaitingRequest] = []
    /// Requests of ours with `wantReply` that have no answer yet.
    var unanswered = 0

    /// The length of what waits.
    var requestBytes: Int { requests.reduce(0) { $0 + $1.bytes } }

    /// For error messages.
    var name: String {
        switch (phase, incoming) {
        case (.opening, _): "a channel that is being opened"
        case (.offered, _): "a channel that is not yet accepted"
        case (.open, .flowing): "an open channel"
        case (.open, .ended): "a channel after EOF"
        case (.open, .closed): "a closed channel"
        }
    }
}
