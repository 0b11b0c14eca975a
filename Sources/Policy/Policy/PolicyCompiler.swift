extension CompiledPolicy where Storage == [UInt8] {
    /// The bytes of the compiled form, for a file.
    ///
    /// What a policy must keep to is not tested here but trapped: fingerprints have 32 bytes, none twice, and indices name what is there.
    public static func encode(_ policy: Policy) -> [UInt8] {
        var compiler = PolicyCompiler(policy)
        return compiler.compile(policy)
    }
}

/// Writes the parts one behind the other: see ``CompiledPolicyHeader``.
private struct PolicyCompiler {
    private var bytes: [UInt8]
    private var header = CompiledPolicyHeader()
    /// One for all records, so that its memory is reused.
    private var writer = RecordWriter()

    init(_ policy: Policy) {
        bytes = [UInt8](repeating: 0, count: CompiledPolicyHeader.length)
        // A key takes about this much with its slot; arrays that grow by doubling would need twice the memory.
        bytes.reserveCapacity(1 << 16 + policy.keys.count * 192)
    }

    mutating func compile(_ policy: Policy) -> [UInt8] {
        header.gateway = append(policy.gateway)
        header.sandboxes = appendTable(policy.sandboxes)
        precondition(policy.commands.allSatisfy { policy.sandboxes.indices.contains($0.sandbox) }, "a command without its sandbox")
        header.commands = appendTable(policy.commands)
        let order = KeyOrder(policy.keys)
        appendKeys(policy, order)
        let places = appendAuthorities(policy)
        appendRevocations(policy.revoked, places)
        if !policy.authorities.isEmpty { appendNames(policy.keys, order) }
        header.fileLength = UInt64(bytes.count)
        header.bodyChecksum = CRC32C.of(bytes[CompiledPolicyHeader.length...])
        bytes.replaceSubrange(0..<CompiledPolicyHeader.length, with: header.bytes)
        return bytes
    }

    private mutating func append(_ record: some PolicyRecord) -> RecordSlot {
        writer.removeAll()
        record.write(to: &writer)
        defer { bytes += writer.bytes }
        return RecordSlot(offset: bytes.count, of: writer.bytes)
    }

    private mutating func appendTable(_ records: [some PolicyRecord]) -> CompiledPolicyHeader.Table {
        var slots = RecordWriter()
        for record in records { append(record).write(to: &slots) }
        defer { bytes += slots.bytes }
        return CompiledPolicyHeader.Table(offset: UInt64(bytes.count), count: UInt32(records.count))
    }

    private mutating func appendKeys(_ policy: Policy, _ order: KeyOrder) {
        var slots = RecordWriter()
        for index in order.indices {
            let key = policy.keys[index]
            precondition(key.may.allSatisfy(policy.commands.indices.contains), "a key with a command that is not there")
            slots.raw(key.fingerprint)
            append(key).write(to: &slots)
        }
        header.keys = CompiledPolicyHeader.Table(offset: UInt64(bytes.count), count: UInt32(policy.keys.count))
        bytes += slots.bytes
        header.fanoutOffset = UInt64(bytes.count)
        header.fanoutBits = UInt8(order.fanoutBits)
        var fanout = RecordWriter()
        for count in order.fanout(of: policy.keys) { fanout.count(count) }
        bytes += fanout.bytes
    }

    /// In the order of their fingerprints.
    ///
    /// - Returns: the place of each of the policy's authorities in that order.
    private mutating func appendAuthorities(_ policy: Policy) -> [Int] {
        let order = policy.authorities.indices.sorted {
            policy.authorities[$0].fingerprint.lexicographicallyPrecedes(policy.authorities[$1].fingerprint)
        }
        var slots = RecordWriter()
        var places = [Int](repeating: 0, count: order.count)
        for (place, index) in order.enumerated() {
            let authority = policy.authorities[index]
            precondition(authority.fingerprint.count == CompiledPolicyHeader.fingerprintBytes, "a fingerprint of another length")
            precondition(authority.principals.allSatisfy { $0.may.allSatisfy(policy.commands.indices.contains) }, "a principal with a command that is not there")
            places[index] = place
            slots.raw(authority.fingerprint)
            append(authority).write(to: &slots)
        }
        header.authorities = CompiledPolicyHeader.Table(offset: UInt64(bytes.count), count: UInt32(order.count))
        bytes += slots.bytes
        return places
    }

    /// Every entry has its checksum: a damaged one must not let anybody in.
    private mutating func appendRevocations(_ revoked: Revocations, _ places: [Int]) {
        header.revokedDigests = CompiledPolicyHeader.Table(offset: UInt64(bytes.count), count: UInt32(revoked.digests.count))
        for digest in revoked.digests { appendChecked { $0.raw(digest) } }
        let serials = revoked.serials.map { (place: places[$0.authority], range: $0.range) }.sorted {
            ($0.place, $0.range.lowerBound) < ($1.place, $1.range.lowerBound)
        }
        header.revokedSerials = CompiledPolicyHeader.Table(offset: UInt64(bytes.count), count: UInt32(serials.count))
        for (place, range) in serials {
            appendChecked { writer in
                writer.count(place)
                writer.integer(range.lowerBound)
                writer.integer(range.upperBound)
            }
        }
    }

    /// A certificate must not bear the name of a listed key: each name once, by the place of a key that has it.
    private mutating func appendNames(_ keys: [Key], _ order: KeyOrder) {
        precondition(keys.allSatisfy { NameRule.accepts($0.name.utf8) }, "a key whose name is none")
        // Of names, which are ASCII, this is the order of their bytes.
        let named = order.indices.enumerated().map { (place: $0.offset, name: keys[$0.element].name) }.sorted { $0.name < $1.name }
        header.names.offset = UInt64(bytes.count)
        for (index, entry) in named.enumerated() where index == 0 || !named[index - 1].name.hasSameBytes(as: entry.name) {
            appendChecked { $0.count(entry.place) }
            header.names.count += 1
        }
    }

    private mutating func appendChecked(_ write: (inout RecordWriter) -> Void) {
        writer.removeAll()
        write(&writer)
        writer.integer(CRC32C.of(writer.bytes))
        bytes += writer.bytes
    }
}
