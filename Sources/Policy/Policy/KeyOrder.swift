/// Keys in the order of their fingerprints, and how many come before each value of the leading bits.
struct KeyOrder {
    /// Indices of the keys.
    let indices: [Int]
    /// About one key for each value, and at most 16: the file of a small policy stays small.
    let fanoutBits: Int

    init(_ keys: [Key]) {
        precondition(keys.allSatisfy { $0.fingerprint.count == CompiledPolicyHeader.fingerprintBytes }, "a fingerprint of another length")
        // The first eight bytes tell nearly all apart, and compare much faster than arrays.
        var prefixes = keys.enumerated().map { (index: $0, prefix: Self.prefix(of: $1.fingerprint)) }
        prefixes.sort { one, other in
            one.prefix != other.prefix
                ? one.prefix < other.prefix
                : keys[one.index].fingerprint.lexicographicallyPrecedes(keys[other.index].fingerprint)
        }
        indices = prefixes.map(\.index)
        for (one, other) in zip(indices, indices.dropFirst()) {
            precondition(keys[one].fingerprint != keys[other].fingerprint, "a public key that is there twice")
        }
        fanoutBits = min(16, keys.isEmpty ? 0 : Int.bitWidth - (keys.count - 1).leadingZeroBitCount)
    }

    /// For each value of the leading bits how many keys come before it; and at last the count of keys.
    func fanout(of keys: [Key]) -> [Int] {
        var counts = [Int](repeating: 0, count: 1 << fanoutBits + 1)
        for key in keys { counts[Self.bucket(of: key.fingerprint, bits: fanoutBits) + 1] += 1 }
        for bucket in 1..<counts.count { counts[bucket] += counts[bucket - 1] }
        return counts
    }

    /// The value of the leading bits.
    static func bucket(of fingerprint: [UInt8], bits: Int) -> Int {
        (Int(fingerprint[0]) << 8 | Int(fingerprint[1])) >> (16 - bits)
    }

    private static func prefix(of fingerprint: [UInt8]) -> UInt64 {
        fingerprint[..<8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
