/// The bytes of a compiled policy: an open file, or an array.
public protocol PolicyStorage: ~Copyable {
    /// In bytes; the same at every call.
    var count: Int { get }
    /// Copies some bytes; `range` lies inside 0 to ``count``.
    ///
    /// - Throws: ``CompiledPolicyError/unreadable(_:)``.
    func bytes(in range: Range<Int>) throws(CompiledPolicyError) -> [UInt8]
}

extension Array: PolicyStorage where Element == UInt8 {
    /// A copy of the elements in `range`.
    public func bytes(in range: Range<Int>) -> [UInt8] { Array(self[range]) }
}

/// A policy as `postern apply` publishes it, read piece by piece where it lies (DESIGN §9).
///
/// Opening it reads only the header. Every record has a checksum that is tested when the record is read; ``verify()`` tests the
/// whole file. Finding a key takes a handful of small reads, however many keys there are.
public struct CompiledPolicy<Storage: PolicyStorage & ~Copyable>: ~Copyable {
    private let storage: Storage
    private let header: CompiledPolicyHeader

    /// Opens a compiled policy.
    ///
    /// - Throws: ``CompiledPolicyError`` when it is something else, of another version, cut off, or its header is damaged.
    public init(_ storage: consuming Storage) throws(CompiledPolicyError) {
        header = try CompiledPolicyHeader(reading: storage)
        self.storage = storage
    }

    /// How many keys there are.
    public var keyCount: Int { Int(header.keys.count) }
    /// How many commands there are.
    public var commandCount: Int { Int(header.commands.count) }
    /// How many sandboxes there are.
    public var sandboxCount: Int { Int(header.sandboxes.count) }

    /// How many authorities there are.
    public var authorityCount: Int { Int(header.authorities.count) }

    /// Tests the checksum of the whole file.
    public func verify() throws(CompiledPolicyError) {
        var checksum = CRC32C()
        var position = CompiledPolicyHeader.length
        while position < storage.count {
            let end = min(position + 1 << 20, storage.count)
            checksum.update(try storage.bytes(in: position..<end))
            position = end
        }
        guard checksum.value == header.bodyChecksum else { throw .damaged("the file") }
    }

    /// The settings of the gateway.
    public func gateway() throws(CompiledPolicyError) -> Gateway {
        try record(header.gateway, "the gateway's settings") { (reader) throws(RecordFault) in try Gateway(reading: &reader) }
    }

    /// The sandbox that a command names; `index` is below ``sandboxCount``.
    public func sandbox(at index: Int) throws(CompiledPolicyError) -> SandboxPlan {
        precondition(index < sandboxCount, "no such sandbox")
        let name = "sandbox \(index)"
        return try record(try slot(header.sandboxes, index, name), name) { (reader) throws(RecordFault) in
            try SandboxPlan(reading: &reader)
        }
    }

    /// The command that a key names; `index` is below ``commandCount``.
    public func command(at index: Int) throws(CompiledPolicyError) -> Command {
        precondition(index < commandCount, "no such command")
        let name = "command \(index)"
        return try record(try slot(header.commands, index, name), name) { (reader) throws(RecordFault) in
            let command = try Command(reading: &reader)
            let sandboxes = [command.sandbox, command.drop?.verify?.sandbox, command.drop?.onComplete?.sandbox, command.rsync?.readingSandbox].compactMap(\.self)
            guard sandboxes.allSatisfy({ $0 < sandboxCount }) else { throw RecordFault() }
            return command
        }
    }

    /// The name of a command, without the rest; `index` is below ``commandCount``.
    public func commandName(at index: Int) throws(CompiledPolicyError) -> String {
        precondition(index < commandCount, "no such command")
        let name = "command \(index)"
        let bytes = try bytes(of: try slot(header.commands, index, name), name)
        do throws(RecordFault) {
            var reader = RecordReader(bytes)
            return try reader.text()
        } catch {
            throw .damaged(name)
        }
    }

    /// The commands of a key of this policy, in its order.
    public func commands(of key: Key) throws(CompiledPolicyError) -> [Command] { try commands(at: key.may) }

    /// The commands that an authority's principal names; all indices are below ``commandCount``.
    public func commands(at indices: [Int]) throws(CompiledPolicyError) -> [Command] {
        var commands: [Command] = []
        for index in indices { commands.append(try command(at: index)) }
        return commands
    }

    /// A key by its place among the fingerprints; `index` is below ``keyCount``.
    public func key(at index: Int) throws(CompiledPolicyError) -> Key {
        precondition(index < keyCount, "no such key")
        let name = "key \(index)"
        let expected = try fingerprint(header.keys, index)
        let slot = try slot(at: Self.keySlot(header.keys, index) + CompiledPolicyHeader.fingerprintBytes, name)
        return try record(slot, name) { (reader) throws(RecordFault) in
            let key = try Key(reading: &reader)
            guard key.fingerprint == expected, key.may.allSatisfy({ $0 < commandCount }) else { throw RecordFault() }
            return key
        }
    }

    /// The key with this SHA-256 fingerprint of 32 bytes, or nil.
    public func key(fingerprint wanted: [UInt8]) throws(CompiledPolicyError) -> Key? {
        guard wanted.count == CompiledPolicyHeader.fingerprintBytes else { return nil }
        return try place(of: wanted, in: header.keys, candidates(for: wanted)).map { (index) throws(CompiledPolicyError) in try key(at: index) }
    }

    /// Where an entry with this fingerprint is among those of `candidates`, which stand in order.
    private func place(of wanted: [UInt8], in table: CompiledPolicyHeader.Table, _ candidates: Range<Int>) throws(CompiledPolicyError) -> Int? {
        var candidates = candidates
        while !candidates.isEmpty {
            let middle = candidates.lowerBound + candidates.count / 2
            let found = try fingerprint(table, middle)
            if found == wanted { return middle }
            candidates = found.lexicographicallyPrecedes(wanted) ? middle + 1..<candidates.upperBound : candidates.lowerBound..<middle
        }
        return nil
    }

    /// The keys whose leading bits are those of `fingerprint`.
    private func candidates(for fingerprint: [UInt8]) throws(CompiledPolicyError) -> Range<Int> {
        let bucket = KeyOrder.bucket(of: fingerprint, bits: Int(header.fanoutBits))
        let offset = Int(header.fanoutOffset) + bucket * 4
        let bytes = try storage.bytes(in: offset..<offset + 8)
        do throws(RecordFault) {
            var reader = RecordReader(bytes)
            let (first, end) = (try reader.count(), try reader.count())
            guard first <= end, end <= keyCount else { throw RecordFault() }
            return first..<end
        } catch {
            throw .damaged("the key index")
        }
    }

    private func fingerprint(_ table: CompiledPolicyHeader.Table, _ index: Int) throws(CompiledPolicyError) -> [UInt8] {
        let offset = Self.keySlot(table, index)
        return try storage.bytes(in: offset..<offset + CompiledPolicyHeader.fingerprintBytes)
    }

    private static func keySlot(_ table: CompiledPolicyHeader.Table, _ index: Int) -> Int {
        Int(table.offset) + index * CompiledPolicyHeader.keySlotBytes
    }

    private func slot(
        _ table: CompiledPolicyHeader.Table, _ index: Int, _ name: String
    ) throws(CompiledPolicyError) -> RecordSlot {
        try slot(at: Int(table.offset) + index * RecordSlot.length, name)
    }

    private func slot(at offset: Int, _ name: String) throws(CompiledPolicyError) -> RecordSlot {
        let bytes = try storage.bytes(in: offset..<offset + RecordSlot.length)
        do throws(RecordFault) {
            var reader = RecordReader(bytes)
            return try RecordSlot(reading: &reader)
        } catch {
            throw .damaged(name)
        }
    }

    // MARK: - Authorities and what is revoked

    /// The authority whose key has this SHA-256 fingerprint of 32 bytes, or nil.
    public func authority(fingerprint: [UInt8]) throws(CompiledPolicyError) -> CertificateAuthority? {
        guard let place = try place(of: fingerprint, in: header.authorities, 0..<authorityCount) else { return nil }
        return try authority(at: place)
    }

    /// An authority by its place among the fingerprints; `index` is below ``authorityCount``.
    public func authority(at index: Int) throws(CompiledPolicyError) -> CertificateAuthority {
        precondition(index < authorityCount, "no such authority")
        let name = "authority \(index)"
        let expected = try fingerprint(header.authorities, index)
        let slot = try slot(at: Self.keySlot(header.authorities, index) + CompiledPolicyHeader.fingerprintBytes, name)
        return try record(slot, name) { (reader) throws(RecordFault) in
            let authority = try CertificateAuthority(reading: &reader)
            let hasItsCommands = authority.principals.allSatisfy { $0.may.allSatisfy { $0 < commandCount } }
            guard authority.fingerprint == expected, hasItsCommands else { throw RecordFault() }
            return authority
        }
    }

    /// Whether a fingerprint, or what stands for a key id, is revoked.
    public func isRevoked(digest wanted: [UInt8]) throws(CompiledPolicyError) -> Bool {
        var candidates = 0..<Int(header.revokedDigests.count)
        while !candidates.isEmpty {
            let middle = candidates.lowerBound + candidates.count / 2
            let found = try checkedEntry(header.revokedDigests, middle, bytes: CompiledPolicyHeader.digestEntryBytes)
            if found == wanted { return true }
            candidates = found.lexicographicallyPrecedes(wanted) ? middle + 1..<candidates.upperBound : candidates.lowerBound..<middle
        }
        return false
    }

    /// Whether a serial of a certificate is revoked; 0 is none.
    ///
    /// - Parameter authority: the fingerprint of an authority of this policy.
    public func isRevoked(serial: UInt64, of authority: [UInt8]) throws(CompiledPolicyError) -> Bool {
        guard serial > 0 else { return false }
        guard let place = try place(of: authority, in: header.authorities, 0..<authorityCount) else { throw .damaged("an authority") }
        var candidates = 0..<Int(header.revokedSerials.count)
        while !candidates.isEmpty {
            let middle = candidates.lowerBound + candidates.count / 2
            let (found, low, high) = try revokedSerials(at: middle)
            if found == place, low <= serial, serial <= high { return true }
            candidates = (found, low) < (place, serial) ? middle + 1..<candidates.upperBound : candidates.lowerBound..<middle
        }
        return false
    }

    /// Whether a listed key has this name, and none of those that have it this fingerprint; known only where there are authorities.
    public func isTaken(name: String, besides fingerprint: [UInt8]) throws(CompiledPolicyError) -> Bool {
        var candidates = 0..<Int(header.names.count)
        while !candidates.isEmpty {
            let middle = candidates.lowerBound + candidates.count / 2
            let found = try key(at: try namedPlace(at: middle)).name
            if found.hasSameBytes(as: name) { return try key(fingerprint: fingerprint).map { !$0.name.hasSameBytes(as: name) } ?? true }
            let isBefore = found.utf8.lexicographicallyPrecedes(name.utf8)
            candidates = isBefore ? middle + 1..<candidates.upperBound : candidates.lowerBound..<middle
        }
        return false
    }

    /// The place of a key, by the order of names.
    private func namedPlace(at index: Int) throws(CompiledPolicyError) -> Int {
        let entry = try checkedEntry(header.names, index, bytes: CompiledPolicyHeader.nameEntryBytes, "the names of keys")
        let place = entry.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard place < keyCount else { throw .damaged("the names of keys") }
        return place
    }

    /// All that is revoked; authorities are numbered by their places among the fingerprints.
    func revocations() throws(CompiledPolicyError) -> Revocations {
        var digests: [[UInt8]] = []
        for index in 0..<Int(header.revokedDigests.count) {
            digests.append(try checkedEntry(header.revokedDigests, index, bytes: CompiledPolicyHeader.digestEntryBytes))
        }
        var serials: [Revocations.Serials] = []
        for index in 0..<Int(header.revokedSerials.count) {
            let (place, low, high) = try revokedSerials(at: index)
            guard place < authorityCount, low <= high else { throw .damaged("what is revoked") }
            serials.append(.init(authority: place, range: low...high))
        }
        return Revocations(digests: digests, serials: serials)
    }

    private func revokedSerials(at index: Int) throws(CompiledPolicyError) -> (place: Int, low: UInt64, high: UInt64) {
        let entry = try checkedEntry(header.revokedSerials, index, bytes: CompiledPolicyHeader.serialsEntryBytes)
        do throws(RecordFault) {
            var reader = RecordReader(entry)
            return (try reader.count(), try reader.integer(), try reader.integer())
        } catch {
            throw .damaged("what is revoked")
        }
    }

    /// An entry without its checksum, which is tested.
    private func checkedEntry(
        _ table: CompiledPolicyHeader.Table, _ index: Int, bytes count: Int, _ part: String = "what is revoked"
    ) throws(CompiledPolicyError) -> [UInt8] {
        let offset = Int(table.offset) + index * count
        let entry = try storage.bytes(in: offset..<offset + count)
        let checksum = entry[(count - 4)...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard CRC32C.of(entry.dropLast(4)) == checksum else { throw .damaged(part) }
        return Array(entry.dropLast(4))
    }

    private func record<Record>(
        _ slot: RecordSlot, _ name: String, _ read: (inout RecordReader) throws(RecordFault) -> Record
    ) throws(CompiledPolicyError) -> Record {
        let bytes = try bytes(of: slot, name)
        do throws(RecordFault) {
            var reader = RecordReader(bytes)
            let record = try read(&reader)
            try reader.finish()
            return record
        } catch {
            throw .damaged(name)
        }
    }

    private func bytes(of slot: RecordSlot, _ name: String) throws(CompiledPolicyError) -> [UInt8] {
        let length = UInt64(slot.length)
        guard length <= header.fileLength, slot.offset <= header.fileLength - length else { throw .damaged(name) }
        let bytes = try storage.bytes(in: Int(slot.offset)..<Int(slot.offset + length))
        guard CRC32C.of(bytes) == slot.checksum else { throw .damaged(name) }
        return bytes
    }
}

extension CompiledPolicy: Copyable where Storage: Copyable {}
extension CompiledPolicy: Sendable where Storage: Sendable & ~Copyable {}

/// Why a compiled policy cannot be used.
public enum CompiledPolicyError: Error, Equatable, Sendable {
    case notAPolicy
    case otherVersion(found: UInt32, supported: UInt32)
    /// The file is shorter or longer than its header says, in bytes.
    case wrongLength(expected: UInt64, found: Int)
    /// The checksum of this part is wrong.
    case damaged(String)
    /// The file cannot be read, or has been shortened since it was opened; why, for people.
    case unreadable(String)
}

extension CompiledPolicyError: CustomStringConvertible {
    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .notAPolicy: "this is not a compiled policy; give the file that \"postern apply\" wrote"
        case .otherVersion(let found, let supported):
            "the compiled policy has format \(found), and this program reads format \(supported); run \"postern apply\" of the same release"
        case .wrongLength(let expected, let found):
            "the compiled policy has \(found) bytes instead of \(expected); run \"postern apply\" again"
        case .damaged(let part): "\(part) of the compiled policy is damaged; run \"postern apply\" again, and test the disk"
        case .unreadable(let reason): "the compiled policy cannot be read: \(reason); run \"postern apply\" again, and test the disk"
        }
    }
}
