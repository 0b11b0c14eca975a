import Sodium

/// The generator that NIST's known answers for key encapsulation are made with: AES-256 in counter mode (SP 800-90A §10.2.1, without a
/// derivation function), of which each request is one `keyMaterial`, `secret` or `bytes`.
struct KnownAnswerRandom: RandomSource {
    private var key = BlockCipher(key: [UInt8](repeating: 0, count: 32))
    private var counter = [UInt8](repeating: 0, count: 16)

    /// - Parameter seed: 48 bytes.
    init(seed: [UInt8]) { update(with: seed) }

    mutating func bytes(count: Int) -> [UInt8] {
        let drawn = Array(blocks((count + 15) / 16).prefix(count))
        update(with: [UInt8](repeating: 0, count: 48))
        return drawn
    }

    mutating func secret(count: Int) -> SecretBytes { SecretBytes(copying: bytes(count: count)) }
    mutating func keyMaterial(count: Int) -> [UInt8] { bytes(count: count) }

    private mutating func update(with data: [UInt8]) {
        let mixed = zip(blocks(3), data).map { $0 ^ $1 }
        key = BlockCipher(key: Array(mixed.prefix(32)))
        counter = Array(mixed.suffix(16))
    }

    private mutating func blocks(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { _ in
            for index in counter.indices.reversed() {
                counter[index] &+= 1
                if counter[index] != 0 { break }
            }
            return key.encrypt(counter)
        }
    }
}

/// AES-256 on one block (FIPS 197), slow and for tests only.
struct BlockCipher: Sendable {
    private let roundKeys: [[UInt8]]

    init(key: [UInt8]) {
        var words = (0..<8).map { Array(key[4 * $0..<4 * $0 + 4]) }
        var constant: UInt8 = 1
        for index in 8..<60 {
            var word = words[index - 1]
            if index % 8 == 0 {
                word = (word[1...] + word[..<1]).map { Self.box[Int($0)] }
                word[0] ^= constant
                constant = Self.double(constant)
            } else if index % 8 == 4 {
                word = word.map { Self.box[Int($0)] }
            }
            words.append(zip(words[index - 8], word).map { $0 ^ $1 })
        }
        roundKeys = (0..<15).map { Array(words[4 * $0..<4 * $0 + 4].joined()) }
    }

    func encrypt(_ block: [UInt8]) -> [UInt8] {
        var state = zip(block, roundKeys[0]).map { $0 ^ $1 }
        for round in 1...14 {
            let moved = (0..<16).map { Self.box[Int(state[($0 + 4 * ($0 % 4)) % 16])] }
            let mixed = round == 14 ? moved : Self.mixColumns(moved)
            state = zip(mixed, roundKeys[round]).map { $0 ^ $1 }
        }
        return state
    }

    private static func mixColumns(_ state: [UInt8]) -> [UInt8] {
        (0..<16).map { index in
            let column = index / 4 * 4
            let (a, b, c, d) = (
                state[index], state[column + (index + 1) % 4], state[column + (index + 2) % 4], state[column + (index + 3) % 4]
            )
            return double(a) ^ double(b) ^ b ^ c ^ d
        }
    }

    private static func double(_ value: UInt8) -> UInt8 { value << 1 ^ (value >> 7) &* 0x1b }

    /// FIPS 197 §5.1.1: the inverse in GF(2^8), then an affine map. Powers of 3 go through all but zero.
    private static let box: [UInt8] = {
        var powers: [UInt8] = [1]
        while powers.count < 255 { powers.append(double(powers[powers.count - 1]) ^ powers[powers.count - 1]) }
        var box = [UInt8](repeating: 0x63, count: 256)
        for (exponent, value) in powers.enumerated() {
            let inverse = powers[(255 - exponent) % 255]
            var mapped = inverse ^ 0x63
            for turn in 1...4 { mapped ^= inverse << turn | inverse >> (8 - turn) }
            box[Int(value)] = mapped
        }
        return box
    }()
}
