import Sodium

/// Polynomials modulo x^761 − x − 1 as arrays of 761 coefficients, the constant one first (spec §3.1).
///
/// Coefficients modulo m stand between −(m−1)/2 and (m−1)/2. Small polynomials have coefficients −1, 0 and 1 only.
enum NTRUPrimeRing {
    static let p = 761
    static let q: Int32 = 4591
    /// How many coefficients of a short polynomial are not zero.
    static let weight = 286

    /// The product of any polynomial and a small one, not reduced: coefficients are below 3 · 761 times the largest in `a`.
    ///
    /// Sixteen coefficients at a time: block o of the result is the sum, over blocks b of `small` and their coefficients k, of what
    /// stands in `a` k places before block o − b.
    static func product(_ a: [Int16], _ small: [Int16]) -> [Int32] {
        var shifted = shiftedBlocks(of: a)
        var factors = small.map { Block(repeating: $0) } + [Block](repeating: .zero, count: blocks * lanes - p)
        defer {
            wipe(&shifted)
            wipe(&factors)
        }
        var sums = [Int32](repeating: 0, count: 2 * blocks * lanes)
        for block in 0..<2 * blocks {
            let sum = sumOfBlock(block, shifted.span, factors.span)
            for lane in 0..<lanes { sums[block * lanes + lane] = sum[lane] }
        }
        // x^761 = x + 1.
        for index in p...2 * p - 2 {
            sums[index - p] &+= sums[index]
            sums[index - p + 1] &+= sums[index]
        }
        sums.removeLast(sums.count - p)
        return sums
    }

    private static func sumOfBlock(_ block: Int, _ shifted: Span<Block>, _ factors: Span<Block>) -> SIMD16<Int32> {
        var sum = SIMD16<Int32>.zero
        for factor in max(0, block - blocks)...min(blocks - 1, block) {
            let places = (block - factor) * lanes
            for half in [0, lanes / 2] {
                // Eight products of at most 2295 fit in 16 bits.
                var short = Block.zero
                for k in half..<half + lanes / 2 { short &+= shifted[places + k] &* factors[factor * lanes + k] }
                sum &+= SIMD16<Int32>(truncatingIfNeeded: short)
            }
        }
        return sum
    }

    /// At 16j + k the block j of `a` after it was moved up by k places.
    private static func shiftedBlocks(of a: [Int16]) -> [Block] {
        let padded = [Int16](repeating: 0, count: lanes) + a + [Int16](repeating: 0, count: (blocks + 1) * lanes - p)
        return (0..<(blocks + 1) * lanes).map { index in
            let start = (index / lanes + 1) * lanes - index % lanes
            var block = Block.zero
            for lane in 0..<lanes { block[lane] = padded[start + lane] }
            return block
        }
    }

    private typealias Block = SIMD16<Int16>
    private static let lanes = 16
    /// How many blocks 761 coefficients take.
    private static let blocks = 48

    /// Replaces a small polynomial by ``weight`` ones and then zeros, unless it is short (spec §3.2: such a one was not encrypted).
    static func forceWeight(_ r: inout [Int16]) {
        let difference = r.reduce(Int32(0)) { $0 &+ Int32($1 & 1) } &- Int32(weight)
        let isWrong = Int16(truncatingIfNeeded: opaque(UInt32(bitPattern: (difference | (0 &- difference)) >> 31)))
        for index in r.indices { r[index] ^= isWrong & (r[index] ^ (index < weight ? 1 : 0)) }
    }
}

/// What coefficients are reduced by.
enum Modulus: Sendable {
    case three
    case q

    /// What stands for `value` between −(m−1)/2 and (m−1)/2.
    ///
    /// - Parameter value: less than 2^24 away from zero; then 2^40/m, rounded, tells exactly how often m is taken away.
    func reduce(_ value: Int32) -> Int16 {
        let times = (Int64(value) &* reciprocal &+ 1 << 39) >> 40
        return Int16(truncatingIfNeeded: value &- Int32(truncatingIfNeeded: times) &* self.value)
    }

    var value: Int32 {
        switch self {
        case .three: 3
        case .q: NTRUPrimeRing.q
        }
    }

    private var reciprocal: Int64 {
        switch self {
        case .three: 366_503_875_925
        case .q: 239_492_840
        }
    }
}
