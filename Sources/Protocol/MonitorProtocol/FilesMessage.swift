public import SSHWire

/// What `postern-files` tells the monitor, over a socketpair of their own; only ``check`` is answered.
///
/// The monitor distrusts it: it is recorded as what the target user's process says.
public enum FilesMessage: Equatable, Sendable {
    /// A file is there whole: its path from the root that the client is shown, and the SHA-256 of its content.
    case received(path: [UInt8], size: UInt64, sha256: [UInt8])
    /// A file is whole and not yet there: `verify` is to look at it, at this path from the root.
    case check(path: [UInt8])

    /// The largest message, in bytes.
    public static let longest = 8192
    private static let longestPath = 4200
    private static let digestBytes = 32

    private enum Tag: UInt8 { case received = 1, check }

    public init(bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= Self.longest else { throw .tooLong(length: bytes.count, limit: Self.longest) }
        var reader = WireReader(bytes)
        let number = try reader.byte()
        guard let tag = Tag(rawValue: number) else { throw .unknownMessage(number) }
        let path = try reader.string(limit: Self.longestPath)
        switch tag {
        case .received: self = .received(path: path, size: try reader.uint64(), sha256: try reader.raw(Self.digestBytes))
        case .check: self = .check(path: path)
        }
        try reader.finish()
    }

    public var bytes: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .received(let path, let size, let sha256):
            precondition(sha256.count == Self.digestBytes, "a digest of another length")
            writer.byte(Tag.received.rawValue)
            writer.string(path)
            writer.uint64(size)
            writer.raw(sha256)
        case .check(let path):
            writer.byte(Tag.check.rawValue)
            writer.string(path)
        }
        return writer.bytes
    }
}

/// The monitor's answer to ``FilesMessage/check(path:)``.
public struct CheckVerdict: Equatable, Sendable {
    /// Whether the file may appear.
    public var isGood: Bool
    /// Why not: a line for the sender, at most ``longestReason`` bytes.
    public var reason: String

    public static let longest = 1024
    public static let longestReason = 500

    public init(isGood: Bool, reason: String) {
        self.isGood = isGood
        self.reason = reason
    }

    public init(bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        isGood = try reader.boolean()
        reason = try reader.text(limit: Self.longestReason)
        try reader.finish()
    }

    public var bytes: [UInt8] {
        var writer = WireWriter()
        writer.boolean(isGood)
        writer.text(reason)
        return writer.bytes
    }
}
