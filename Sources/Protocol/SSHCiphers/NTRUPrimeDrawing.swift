import Sodium

/// Random polynomials (spec §3.2, with the bytes as in §3.3: 32-bit words, low byte first).
extension NTRUPrimeRing {
    /// A uniformly drawn small polynomial, as nearly as 30 bits allow.
    static func small(random: inout some RandomSource) -> [Int16] {
        var words = words(random: &random)
        defer { wipe(&words) }
        return words.map { Int16(truncatingIfNeeded: (($0 & 0x3fff_ffff) &* 3) >> 30) &- 1 }
    }

    /// A uniformly drawn short polynomial: ``weight`` coefficients are −1 or 1, the others 0.
    ///
    /// The two low bits of each word say which coefficient it carries; sorting by the others puts them in a random order.
    static func short(random: inout some RandomSource) -> [Int16] {
        var words = words(random: &random)
        defer { wipe(&words) }
        for index in words.indices { words[index] = index < weight ? words[index] & ~1 : words[index] & ~3 | 1 }
        sortInConstantTime(&words)
        return words.map { Int16(truncatingIfNeeded: $0 & 3) &- 1 }
    }

    private static func words(random: inout some RandomSource) -> [UInt32] {
        var bytes = random.keyMaterial(count: 4 * p)
        defer { wipe(&bytes) }
        return stride(from: 0, to: 4 * p, by: 4).map { start in
            bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
    }
}

/// Sorts in an order of comparisons that depends on the count only: Batcher's merge exchange (Knuth, The Art of Computer Programming,
/// volume 3, §5.2.2, algorithm M).
func sortInConstantTime(_ words: inout [UInt32]) {
    guard words.count > 1 else { return }
    let top = 1 << (Int.bitWidth - 1 - (words.count - 1).leadingZeroBitCount)
    var p = top
    while p > 0 {
        var q = top
        var r = 0
        var d = p
        while true {
            for low in 0..<words.count - d where low & p == r { order(&words, low, low + d) }
            if q == p { break }
            d = q - p
            q >>= 1
            r = p
        }
        p >>= 1
    }
}

/// Exchanges two words, without a branch, unless the first is the smaller.
@inline(__always) private func order(_ words: inout [UInt32], _ low: Int, _ high: Int) {
    let (first, second) = (words[low], words[high])
    let exchange = (first ^ second) & UInt32(truncatingIfNeeded: (Int64(second) &- Int64(first)) >> 63)
    words[low] = first ^ exchange
    words[high] = second ^ exchange
}
