import Sodium

/// Polynomials from hashes (FIPS 203 §4.2.2).
extension MLKEMRing {
    /// The transform that a public seed and two indices stand for (FIPS 203 algorithm 7); how long it takes says nothing that is secret.
    static func uniform(seed: [UInt8], column: UInt8, row: UInt8) -> [Int16] {
        var sponge = Keccak(.shake128, [seed, [column, row]])
        var coefficients: [Int16] = []
        coefficients.reserveCapacity(n)
        while true {
            let bytes = sponge.squeeze(count: Keccak.Function.shake128.rate)
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let three = UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2]) << 16
                for candidate in [Int16(three & 0xfff), Int16(three >> 12)] where candidate < q {
                    coefficients.append(candidate)
                    if coefficients.count == n { return coefficients }
                }
            }
        }
    }

    /// A small polynomial: coefficients are differences of two sums of two bits (FIPS 203 algorithm 8 with η = 2).
    ///
    /// - Parameters:
    ///   - seed: 32 secret bytes.
    ///   - number: differs for each polynomial of a seed.
    static func small(seed: [UInt8], number: UInt8) -> [Int16] {
        var bytes = Keccak.hash(.shake256, [seed, [number]], count: n / 2)
        defer { wipe(&bytes) }
        var coefficients = [Int16](repeating: 0, count: n)
        for (index, byte) in bytes.enumerated() {
            let sums = (byte & 0x55) &+ (byte >> 1 & 0x55)
            coefficients[2 * index] = Int16(sums & 3) &- Int16(sums >> 2 & 3)
            coefficients[2 * index + 1] = Int16(sums >> 4 & 3) &- Int16(sums >> 6)
        }
        return coefficients
    }

    /// Three small polynomials, wiped by whoever takes them.
    static func smallVector(seed: [UInt8], first: UInt8) -> [[Int16]] {
        (0..<3).map { small(seed: seed, number: first + $0) }
    }
}
