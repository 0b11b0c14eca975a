/// Polynomials as bytes (spec §3.3).
enum NTRUPrimeCoding {
    /// Four coefficients of a small polynomial in a byte, the first in the lowest bits; each is stored as itself + 1.
    static func bytes(small polynomial: [Int16]) -> [UInt8] {
        stride(from: 0, to: polynomial.count, by: 4).map { start in
            let quad = polynomial[start..<min(start + 4, polynomial.count)]
            return quad.reversed().reduce(UInt8(0)) { $0 << 2 | UInt8(truncatingIfNeeded: $1 &+ 1) }
        }
    }

    /// The inverse of ``bytes(small:)``.
    static func small(_ bytes: Span<UInt8>) -> [Int16] {
        (0..<NTRUPrimeRing.p).map { Int16(bytes[$0 / 4] >> UInt8($0 % 4 * 2) & 3) &- 1 }
    }

    /// Coefficients modulo q.
    static func bytes(modular polynomial: [Int16]) -> [UInt8] {
        encode(polynomial.map { UInt32(truncatingIfNeeded: Int32($0) &+ half) }, modulus: UInt32(NTRUPrimeRing.q))
    }

    /// The inverse of ``bytes(modular:)``; any bytes are some polynomial.
    static func modular(_ bytes: [UInt8]) -> [Int16] {
        decode(bytes, modulus: UInt32(NTRUPrimeRing.q)).map { Int16(truncatingIfNeeded: Int32(truncatingIfNeeded: $0) &- half) }
    }

    /// Coefficients modulo q, each rounded to the nearest multiple of 3.
    static func bytes(rounded polynomial: [Int16]) -> [UInt8] {
        // (x + 2296) / 3 rounded down: the factor is 2^15/3 rounded up, exact for what is below 2^14.
        encode(polynomial.map { UInt32(truncatingIfNeeded: (Int32($0) &+ half &+ 1) &* 10923) >> 15 }, modulus: roundedModulus)
    }

    /// What ``bytes(rounded:)`` rounded to; any bytes are some polynomial.
    static func rounded(_ bytes: [UInt8]) -> [Int16] {
        decode(bytes, modulus: roundedModulus).map { Int16(truncatingIfNeeded: 3 &* Int32(truncatingIfNeeded: $0) &- half) }
    }

    private static let half = (NTRUPrimeRing.q - 1) / 2
    private static let roundedModulus = UInt32(NTRUPrimeRing.q + 2) / 3

    // MARK: - Numbers in mixed radix

    /// Writes numbers below `modulus`, two of them as one with the product of their moduli, and so on, putting out low bytes while
    /// the modulus is above 2^14. Moduli are public: what is done depends on nothing else.
    private static func encode(_ numbers: [UInt32], modulus: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        var numbers = numbers
        var moduli = [UInt32](repeating: modulus, count: numbers.count)
        while numbers.count > 1 {
            for pair in 0..<numbers.count / 2 {
                var number = numbers[2 * pair] &+ moduli[2 * pair] &* numbers[2 * pair + 1]
                var modulus = moduli[2 * pair] * moduli[2 * pair + 1]
                while modulus >= limit {
                    bytes.append(UInt8(truncatingIfNeeded: number))
                    number >>= 8
                    modulus = (modulus + 255) >> 8
                }
                numbers[pair] = number
                moduli[pair] = modulus
            }
            halve(&numbers)
            halve(&moduli)
        }
        var modulus = moduli[0]
        while modulus > 1 {
            bytes.append(UInt8(truncatingIfNeeded: numbers[0]))
            numbers[0] >>= 8
            modulus = (modulus + 255) >> 8
        }
        return bytes
    }

    /// Keeps the first half, and a last one that had no partner.
    private static func halve(_ values: inout [UInt32]) {
        let pairs = values.count / 2
        if values.count % 2 == 1 { values[pairs] = values[values.count - 1] }
        values.removeLast(pairs)
    }

    /// Reads what ``encode(_:modulus:)`` wrote: 761 numbers below `modulus`. Its input is public, so it may divide.
    private static func decode(_ bytes: [UInt8], modulus: UInt32) -> [UInt32] {
        // Down: the moduli of every level, and the low bytes that were put out there.
        var levels: [(moduli: [UInt32], low: [UInt32], scale: [UInt32])] = []
        var moduli = [UInt32](repeating: modulus, count: NTRUPrimeRing.p)
        var next = 0
        while moduli.count > 1 {
            var low = [UInt32](repeating: 0, count: moduli.count / 2)
            var scale = [UInt32](repeating: 1, count: moduli.count / 2)
            var joined = moduli
            for pair in low.indices {
                var modulus = moduli[2 * pair] * moduli[2 * pair + 1]
                while modulus >= limit {
                    low[pair] += UInt32(bytes[next]) * scale[pair]
                    scale[pair] <<= 8
                    next += 1
                    modulus = (modulus + 255) >> 8
                }
                joined[pair] = modulus
            }
            levels.append((moduli, low, scale))
            halve(&joined)
            moduli = joined
        }
        // Up: the one number left, then two of each.
        var last: UInt32 = 0
        for byte in bytes[next...].reversed() { last = last << 8 | UInt32(byte) }
        var numbers = [last % moduli[0]]
        for (moduli, low, scale) in levels.reversed() {
            var split: [UInt32] = []
            split.reserveCapacity(moduli.count)
            for pair in low.indices {
                let number = low[pair] &+ scale[pair] &* numbers[pair]
                split.append(number % moduli[2 * pair])
                split.append(number / moduli[2 * pair] % moduli[2 * pair + 1])
            }
            if moduli.count % 2 == 1, let unpaired = numbers.last { split.append(unpaired) }
            numbers = split
        }
        return numbers
    }

    private static let limit: UInt32 = 1 << 14
}
