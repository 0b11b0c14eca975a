import SFTP
import SSHWire

/// A name in a directory of a server, and what has it.
public struct RemoteFile: Equatable, Sendable {
    /// Without the directory. Bytes that are no UTF-8 are replaced.
    public let name: String
    /// As ``SFTPClient/status(of:followingLinks:)`` gives it, without following links.
    public let status: RemoteFileStatus
}

/// What a file of a server is; servers need not say everything.
public struct RemoteFileStatus: Equatable, Sendable {
    /// Its length, in bytes.
    public let size: UInt64?
    /// Its kind and who may do what with it, as in st_mode (inode(7)).
    public let mode: UInt32?
    /// When it was read last, in seconds since 1970.
    public let accessed: UInt32?
    /// When it was written last, in seconds since 1970.
    public let modified: UInt32?

    /// It is a directory.
    public var isDirectory: Bool { kind == 0o040000 }
    /// It is an ordinary file.
    public var isFile: Bool { kind == 0o100000 }
    /// It is a symbolic link.
    public var isLink: Bool { kind == 0o120000 }

    private var kind: UInt32? { mode.map { $0 & 0o170000 } }

    /// More than any server sends.
    private static let mostExtensions: UInt32 = 64

    /// Reads ATTRS (draft-ietf-secsh-filexfer-02 §5).
    init(reading reader: inout WireReader) throws(WireError) {
        let bits = AttributeBits(rawValue: try reader.uint32())
        size = bits.contains(.size) ? try reader.uint64() : nil
        if bits.contains(.owner) { _ = try reader.uint64() }
        mode = bits.contains(.permissions) ? try reader.uint32() : nil
        accessed = bits.contains(.times) ? try reader.uint32() : nil
        modified = bits.contains(.times) ? try reader.uint32() : nil
        guard bits.contains(.extended) else { return }
        let count = try reader.uint32()
        guard count <= Self.mostExtensions else { throw .tooLong(length: Int(count), limit: Int(Self.mostExtensions)) }
        for _ in 0..<2 * count { _ = try reader.stringRange(limit: SFTPWire.mostPacket) }
    }
}

/// How far a transfer has come.
public struct TransferProgress: Equatable, Sendable {
    /// Bytes that are there.
    public let bytes: UInt64
    /// Bytes that there will be; nil: nobody has said.
    public let total: UInt64?
}
