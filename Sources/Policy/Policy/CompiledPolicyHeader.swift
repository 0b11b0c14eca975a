/// The first bytes of a compiled policy: what it is, and where its parts are. All numbers are little-endian.
///
/// ```
/// header | gateway | sandboxes | commands | their slots | keys by fingerprint | their slots | fan-out
///        | authorities by fingerprint | their slots | revoked digests | revoked serials | keys by name
/// ```
/// A *slot* says where a record is, how long, and its checksum; a key's slot has the fingerprint before it. The fan-out has
/// for each value of the leading bits of a fingerprint how many keys come before it, and at last the count of keys. What is revoked
/// stands in order, each entry with its own checksum, and so do the places of the keys in the order of their names: each name once, and none
/// where there are no authorities.
struct CompiledPolicyHeader: Equatable, Sendable {
    static let magic = Array("PosternP".utf8)
    /// Goes up with every change of what is written.
    static let version: UInt32 = 11
    static let length = 160
    static let fingerprintBytes = 32
    /// Of a key and of an authority.
    static let keySlotBytes = fingerprintBytes + RecordSlot.length
    static let digestEntryBytes = fingerprintBytes + 4
    /// The place of an authority, two serials, a checksum.
    static let serialsEntryBytes = 4 + 8 + 8 + 4
    /// The place of a key among the fingerprints, a checksum.
    static let nameEntryBytes = 4 + 4

    var fileLength: UInt64 = 0
    /// Of everything behind the header.
    var bodyChecksum: UInt32 = 0
    var gateway = RecordSlot()
    var sandboxes = Table()
    var commands = Table()
    var keys = Table()
    var fanoutOffset: UInt64 = 0
    /// How many leading bits of a fingerprint the fan-out tells apart: 0 to 16.
    var fanoutBits: UInt8 = 0
    var authorities = Table()
    var revokedDigests = Table()
    var revokedSerials = Table()
    var names = Table()

    /// Where the slots of one kind of record are.
    struct Table: Equatable, Sendable {
        var offset: UInt64 = 0
        var count: UInt32 = 0
    }

    /// ``length`` bytes, the last four of them their checksum.
    var bytes: [UInt8] {
        var writer = RecordWriter()
        writer.raw(Self.magic)
        writer.integer(Self.version)
        writer.integer(fileLength)
        writer.integer(bodyChecksum)
        gateway.write(to: &writer)
        for table in [sandboxes, commands, keys] {
            writer.integer(table.offset)
            writer.integer(table.count)
        }
        writer.integer(fanoutOffset)
        writer.byte(fanoutBits)
        for table in [authorities, revokedDigests, revokedSerials, names] {
            writer.integer(table.offset)
            writer.integer(table.count)
        }
        writer.raw([UInt8](repeating: 0, count: Self.length - 4 - writer.bytes.count))
        writer.integer(CRC32C.of(writer.bytes))
        return writer.bytes
    }

    init() {}

    /// Reads and checks the header of `storage`, and that it is as long as the header says.
    init(reading storage: borrowing some PolicyStorage & ~Copyable) throws(CompiledPolicyError) {
        guard storage.count >= Self.length else { throw .notAPolicy }
        let bytes = try storage.bytes(in: 0..<Self.length)
        guard bytes.starts(with: Self.magic) else { throw .notAPolicy }
        do throws(RecordFault) {
            try self.init(bytes)
        } catch {
            throw .damaged("the header")
        }
        let version = bytes[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard version == Self.version else { throw .otherVersion(found: version, supported: Self.version) }
        guard CRC32C.of(bytes.dropLast(4)) == bytes[(Self.length - 4)...].reversed().reduce(0, { $0 << 8 | UInt32($1) }) else {
            throw .damaged("the header")
        }
        guard fileLength == UInt64(storage.count) else { throw .wrongLength(expected: fileLength, found: storage.count) }
        guard hasItsPartsInside else { throw .damaged("the header") }
    }

    private init(_ bytes: [UInt8]) throws(RecordFault) {
        var reader = RecordReader(bytes)
        _ = try reader.raw(Self.magic.count + 4)
        fileLength = try reader.integer()
        bodyChecksum = try reader.integer()
        gateway = try RecordSlot(reading: &reader)
        sandboxes = Table(offset: try reader.integer(), count: try reader.integer())
        commands = Table(offset: try reader.integer(), count: try reader.integer())
        keys = Table(offset: try reader.integer(), count: try reader.integer())
        fanoutOffset = try reader.integer()
        fanoutBits = try reader.byte()
        authorities = Table(offset: try reader.integer(), count: try reader.integer())
        revokedDigests = Table(offset: try reader.integer(), count: try reader.integer())
        revokedSerials = Table(offset: try reader.integer(), count: try reader.integer())
        names = Table(offset: try reader.integer(), count: try reader.integer())
    }

    /// No offset below can overflow or lie outside of the file.
    private var hasItsPartsInside: Bool {
        guard fanoutBits <= 16, fileLength < UInt64(Int64.max) else { return false }
        let parts: [(offset: UInt64, length: UInt64)] = [
            (gateway.offset, UInt64(gateway.length)),
            (sandboxes.offset, UInt64(sandboxes.count) * UInt64(RecordSlot.length)),
            (commands.offset, UInt64(commands.count) * UInt64(RecordSlot.length)),
            (keys.offset, UInt64(keys.count) * UInt64(Self.keySlotBytes)),
            (authorities.offset, UInt64(authorities.count) * UInt64(Self.keySlotBytes)),
            (revokedDigests.offset, UInt64(revokedDigests.count) * UInt64(Self.digestEntryBytes)),
            (revokedSerials.offset, UInt64(revokedSerials.count) * UInt64(Self.serialsEntryBytes)),
            (names.offset, UInt64(names.count) * UInt64(Self.nameEntryBytes)),
            (fanoutOffset, ((1 << UInt64(fanoutBits)) + 1) * 4),
        ]
        return parts.allSatisfy { $0.length <= fileLength && $0.offset <= fileLength - $0.length }
    }
}

/// Where a record is.
struct RecordSlot: PolicyRecord, Equatable, Sendable {
    static let length = 16
    var offset: UInt64 = 0
    /// In bytes.
    var length: UInt32 = 0
    var checksum: UInt32 = 0

    init() {}

    init(offset: Int, of record: [UInt8]) {
        guard let length = UInt32(exactly: record.count) else { preconditionFailure("a record that a policy cannot hold") }
        self.offset = UInt64(offset)
        self.length = length
        checksum = CRC32C.of(record)
    }

    func write(to writer: inout RecordWriter) {
        writer.integer(offset)
        writer.integer(length)
        writer.integer(checksum)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        offset = try reader.integer()
        length = try reader.integer()
        checksum = try reader.integer()
    }
}
