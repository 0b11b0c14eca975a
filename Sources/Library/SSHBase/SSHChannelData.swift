/// Bytes of a channel, and what they are (RFC 4254 §5.2).
public enum SSHChannelData: Equatable, Sendable {
    /// A command's input, or its output.
    case standard([UInt8])
    /// A command's error output.
    case standardError([UInt8])
    /// Of another type, which RFC 4254 knows no meaning of.
    case extended(UInt32, [UInt8])

    /// The bytes.
    public var bytes: [UInt8] {
        switch self {
        case .standard(let bytes), .standardError(let bytes), .extended(_, let bytes): bytes
        }
    }
}
