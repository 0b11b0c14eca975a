import Sodium

/// The hashes and extendable outputs of FIPS 202, which ML-KEM is made of.
///
/// Bitwise operations at fixed places only: nothing of its time depends on the bytes.
struct Keccak: Sendable {
    /// What tells the functions apart.
    enum Function: Sendable {
        case sha3of256, sha3of512, shake128, shake256

        /// How many bytes go in or come out between two permutations.
        var rate: Int {
            switch self {
            case .sha3of512: 72
            case .sha3of256, .shake256: 136
            case .shake128: 168
            }
        }

        /// The bits behind the message, with the first bit of the padding above them (FIPS 202 §6, appendix B.2).
        var suffix: UInt8 {
            switch self {
            case .sha3of256, .sha3of512: 0x06
            case .shake128, .shake256: 0x1f
            }
        }
    }

    private var lanes = [UInt64](repeating: 0, count: 25)
    private var position = 0
    private let rate: Int

    /// Takes in all of the pieces, one after the other; what comes out is read by ``squeeze(count:)``.
    init(_ function: Function, _ pieces: [[UInt8]]) {
        rate = function.rate
        for piece in pieces {
            for byte in piece {
                if position == rate { permute() }
                mix(byte, at: position)
                position += 1
            }
        }
        if position == rate { permute() }
        mix(function.suffix, at: position)
        mix(0x80, at: rate - 1)
        permute()
    }

    /// The first `count` bytes that come out, with nothing left behind.
    static func hash(_ function: Function, _ pieces: [[UInt8]], count: Int) -> [UInt8] {
        var sponge = Keccak(function, pieces)
        defer { wipe(&sponge.lanes) }
        return sponge.squeeze(count: count)
    }

    /// The next `count` bytes.
    mutating func squeeze(count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for index in bytes.indices {
            if position == rate { permute() }
            bytes[index] = UInt8(truncatingIfNeeded: lanes[position >> 3] >> UInt64(8 * (position & 7)))
            position += 1
        }
        return bytes
    }

    private mutating func mix(_ byte: UInt8, at place: Int) { lanes[place >> 3] ^= UInt64(byte) << UInt64(8 * (place & 7)) }

    /// Keccak-f[1600] (FIPS 202 §3.3).
    private mutating func permute() {
        var a = Lanes(repeating: 0)
        for index in lanes.indices { a[index] = lanes[index] }
        for constant in Self.roundConstants { a = Self.round(a, constant) }
        for index in lanes.indices { lanes[index] = a[index] }
        position = 0
    }

    private typealias Lanes = InlineArray<25, UInt64>

    /// One round: lane x + 5y is FIPS 202's A[x, y].
    @inline(__always) private static func round(_ a: Lanes, _ constant: UInt64) -> Lanes {
        let c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20]
        let c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21]
        let c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22]
        let c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23]
        let c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24]
        let (d0, d1, d2) = (c4 ^ turned(c1, 1), c0 ^ turned(c2, 1), c1 ^ turned(c3, 1))
        let (d3, d4) = (c2 ^ turned(c4, 1), c3 ^ turned(c0, 1))
        var b = Lanes(repeating: 0)
        // ρ and π (§3.2.2, §3.2.3).
        b[0] = a[0] ^ d0
        b[1] = turned(a[6] ^ d1, 44)
        b[2] = turned(a[12] ^ d2, 43)
        b[3] = turned(a[18] ^ d3, 21)
        b[4] = turned(a[24] ^ d4, 14)
        b[5] = turned(a[3] ^ d3, 28)
        b[6] = turned(a[9] ^ d4, 20)
        b[7] = turned(a[10] ^ d0, 3)
        b[8] = turned(a[16] ^ d1, 45)
        b[9] = turned(a[22] ^ d2, 61)
        b[10] = turned(a[1] ^ d1, 1)
        b[11] = turned(a[7] ^ d2, 6)
        b[12] = turned(a[13] ^ d3, 25)
        b[13] = turned(a[19] ^ d4, 8)
        b[14] = turned(a[20] ^ d0, 18)
        b[15] = turned(a[4] ^ d4, 27)
        b[16] = turned(a[5] ^ d0, 36)
        b[17] = turned(a[11] ^ d1, 10)
        b[18] = turned(a[17] ^ d2, 15)
        b[19] = turned(a[23] ^ d3, 56)
        b[20] = turned(a[2] ^ d2, 62)
        b[21] = turned(a[8] ^ d3, 55)
        b[22] = turned(a[14] ^ d4, 39)
        b[23] = turned(a[15] ^ d0, 41)
        b[24] = turned(a[21] ^ d1, 2)
        // χ and ι (§3.2.4, §3.2.5).
        var result = b
        for y in 0..<5 {
            for x in 0..<5 { result[5 * y + x] = b[5 * y + x] ^ (~b[5 * y + (x + 1) % 5] & b[5 * y + (x + 2) % 5]) }
        }
        result[0] ^= constant
        return result
    }

    @inline(__always) private static func turned(_ lane: UInt64, _ count: UInt64) -> UInt64 {
        lane << count | lane >> (64 - count)
    }

    private static let roundConstants: [UInt64] = [
        0x1, 0x8082, 0x800000000000808a, 0x8000000080008000, 0x808b, 0x80000001,
        0x8000000080008081, 0x8000000000008009, 0x8a, 0x88, 0x80008009, 0x8000000a,
        0x8000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
        0x800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x80000001, 0x8000000080008008,
    ]
}
