import Sodium

/// Polynomials as bytes (FIPS 203 §4.2.1).
enum MLKEMCoding {
    /// Packs integers of `bits` bits, the lowest bit first (FIPS 203 algorithm 5).
    static func bytes(_ values: [UInt16], bits: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * bits / 8)
        var (waiting, count) = (UInt32(0), 0)
        for value in values {
            waiting |= UInt32(value) << UInt32(count)
            count += bits
            while count >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: waiting))
                waiting >>= 8
                count -= 8
            }
        }
        return bytes
    }

    /// The integers of ``bytes(_:bits:)``.
    static func values(_ bytes: some Collection<UInt8>, bits: Int) -> [UInt16] {
        var values: [UInt16] = []
        values.reserveCapacity(bytes.count * 8 / bits)
        var (waiting, count) = (UInt32(0), 0)
        for byte in bytes {
            waiting |= UInt32(byte) << UInt32(count)
            count += 8
            while count >= bits {
                values.append(UInt16(truncatingIfNeeded: waiting & (1 << UInt32(bits) - 1)))
                waiting >>= UInt32(bits)
                count -= bits
            }
        }
        return values
    }

    /// A polynomial in whole, 12 bits a coefficient.
    static func bytes(_ polynomial: [Int16]) -> [UInt8] {
        bytes(polynomial.map { MLKEMRing.canonical($0) }, bits: 12)
    }

    /// A polynomial in `bits` bits a coefficient: round(2^bits/q · x) modulo 2^bits (FIPS 203 §4.2.1, Compress).
    static func compressed(_ polynomial: [Int16], bits: Int) -> [UInt8] {
        bytes(
            polynomial.map { coefficient in
                let scaled = UInt64(MLKEMRing.canonical(coefficient)) << UInt64(bits) &+ UInt64(MLKEMRing.q / 2)
                // A division whose time may depend on a secret is none: 2^38/q, rounded up, is exact for what is below 2^23.
                return UInt16(truncatingIfNeeded: (scaled &* 82_570_715) >> 38) & (1 << UInt16(bits) - 1)
            }, bits: bits)
    }

    /// What a compressed polynomial is nearest to (FIPS 203 §4.2.1, Decompress).
    static func decompressed(_ bytes: some Collection<UInt8>, bits: Int) -> [Int16] {
        values(bytes, bits: bits).map { Int16(truncatingIfNeeded: (UInt32($0) * UInt32(MLKEMRing.q) + 1 << UInt32(bits - 1)) >> UInt32(bits)) }
    }

    /// 32 bytes as a polynomial: q/2, rounded up, for each bit that is set.
    static func polynomial(message: [UInt8]) -> [Int16] {
        (0..<MLKEMRing.n).map { index in
            // A multiplication by a bit that the optimiser knows to be one may become a branch.
            let bit = opaque(UInt32(message[index / 8]) >> UInt32(index % 8) & 1)
            return Int16(truncatingIfNeeded: 0 &- bit) & 1665
        }
    }
}
