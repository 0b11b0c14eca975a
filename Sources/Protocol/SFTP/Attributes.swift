import Files
import SSHWire

/// ATTRS (draft-ietf-secsh-filexfer-02 §5), which begin with what of them is there.
package struct AttributeBits: OptionSet {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let size = AttributeBits(rawValue: 1)
    package static let owner = AttributeBits(rawValue: 2)
    package static let permissions = AttributeBits(rawValue: 4)
    package static let times = AttributeBits(rawValue: 8)
    package static let extended = AttributeBits(rawValue: 0x8000_0000)
    package static let known: AttributeBits = [.size, .owner, .permissions, .times, .extended]
}

extension AttributeChange {
    /// More than any client sends.
    private static let mostExtensions = 64

    init(reading reader: inout WireReader) throws(WireError) {
        self.init()
        let bits = AttributeBits(rawValue: try reader.uint32())
        guard bits.isSubset(of: .known) else { throw .badValue("attributes") }
        if bits.contains(.size) { size = try reader.uint64() }
        if bits.contains(.owner) {
            _ = try reader.uint64()
            owner = true
        }
        if bits.contains(.permissions) { mode = try reader.uint32() & 0o7777 }
        if bits.contains(.times) {
            let accessed = Int64(try reader.uint32())
            times = FileTimes(accessed: accessed, modified: Int64(try reader.uint32()))
        }
        if bits.contains(.extended) {
            let count = try reader.uint32()
            guard count <= Self.mostExtensions else { throw .tooLong(length: Int(count), limit: Self.mostExtensions) }
            for _ in 0..<2 * count { _ = try reader.stringRange(limit: ServiceLimit.packet) }
        }
    }
}

extension FileAttributes {
    func write(to writer: inout WireWriter) {
        writer.uint32(AttributeBits([.size, .owner, .permissions, .times]).rawValue)
        writer.uint64(size)
        writer.uint32(uid)
        writer.uint32(gid)
        writer.uint32(kind.modeBits | mode)
        writer.uint32(UInt32(clamping: accessed))
        writer.uint32(UInt32(clamping: modified))
    }
}

extension FileAttributes.Kind {
    /// As in st_mode (inode(7)).
    var modeBits: UInt32 {
        switch self {
        case .file: 0o100000
        case .directory: 0o040000
        case .link: 0o120000
        case .other: 0o010000
        }
    }

    var letter: String {
        switch self {
        case .file: "-"
        case .directory: "d"
        case .link: "l"
        case .other: "p"
        }
    }
}
