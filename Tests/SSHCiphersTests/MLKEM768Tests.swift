import Foundation
@testable import SSHCiphers
import Sodium
import Testing

/// Each request is what SHAKE-128 of nothing gives next.
struct SpongeRandom: RandomSource {
    private var sponge = Keccak(.shake128, [])

    mutating func bytes(count: Int) -> [UInt8] { sponge.squeeze(count: count) }
    mutating func secret(count: Int) -> SecretBytes { SecretBytes(copying: bytes(count: count)) }
    mutating func keyMaterial(count: Int) -> [UInt8] { bytes(count: count) }
}

@Suite("FIPS 203: ML-KEM-768") struct MLKEM768Tests {
    /// Go's standard library, crypto/internal/fips140test/mlkem_test.go, TestAccumulated: of so many keys, messages and random ciphertexts
    /// drawn from SHAKE-128, the hash of all public keys, ciphertexts, secrets and secrets of the random ciphertexts.
    static let accumulated: [(Int, String)] = {
        let some = [(100, "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415")]
        let isLong = ProcessInfo.processInfo.environment["POSTERN_LONG"] == "1"
        return isLong ? some + [(10_000, "8a518cc63da366322a8e7a818c7a0d63483cb3528d34a4cf42f35d5ad73f22fc")] : some
    }()

    @Test(arguments: accumulated) func `gives the known answers, wrong ciphertexts included`(count: Int, expected: String) throws {
        var random = SpongeRandom()
        var pieces: [[UInt8]] = []
        for _ in 0..<count {
            let pair = MLKEM768KeyPair(random: &random)
            let (ciphertext, secret) = try #require(MLKEM768.encapsulate(to: pair.publicKey, random: &random))
            #expect(pair.decapsulate(ciphertext).equals(secret))
            let other = pair.decapsulate(random.bytes(count: MLKEM768.ciphertextBytes))
            pieces += [pair.publicKey, ciphertext, secret.disclosed(), other.disclosed()]
        }
        #expect(Keccak.hash(.shake128, pieces, count: 32) == hex(expected))
    }

    @Test func `a key with a coefficient of q or more is none`() throws {
        var random = SystemRandom()
        let good = MLKEM768KeyPair(random: &random).publicKey
        #expect(MLKEM768PublicKey(good) != nil)
        for (index, value) in [(0, 3329), (255, 4095), (767, 3329), (400, 3330)] {
            var values = MLKEMCoding.values(good.dropLast(32), bits: 12)
            values[index] = UInt16(value)
            let bad = MLKEMCoding.bytes(values, bits: 12) + good.suffix(32)
            #expect(MLKEM768.encapsulate(to: bad, random: &random) == nil)
            #expect(throws: KeyAgreementError.noPublicKey) { try KEM.mlkem768.encapsulate(to: bad, random: &random) }
            values[index] = 3328
            #expect(MLKEM768PublicKey(MLKEMCoding.bytes(values, bits: 12) + good.suffix(32)) != nil)
        }
    }

    @Test func `a wrong ciphertext gives a secret of its own, the same each time`() throws {
        var random = SystemRandom()
        let pair = MLKEM768KeyPair(random: &random)
        let (good, secret) = try #require(MLKEM768.encapsulate(to: pair.publicKey, random: &random))
        for position in [0, 959, 960, 1087] {
            var bad = good
            bad[position] ^= 1
            #expect(!pair.decapsulate(bad).equals(secret))
            #expect(pair.decapsulate(bad).equals(pair.decapsulate(bad)))
        }
        #expect(pair.decapsulate(good).equals(secret))
    }

    @Test(arguments: [1, 4, 10]) func `compressing is rounding, for every coefficient`(bits: Int) {
        for first in stride(from: 0, to: 3329, by: 256) {
            let values: [Int] = (first..<first + 256).map { $0 % 3329 }
            let expected: [UInt16] = values.map { value in
                let doubled = value << (bits + 1)
                return UInt16((doubled + 3329) / (2 * 3329) % (1 << bits))
            }
            let bytes = MLKEMCoding.compressed(values.map { Int16($0) }, bits: bits)
            #expect(MLKEMCoding.values(bytes, bits: bits) == expected)
        }
    }
}

@Suite("FIPS 202: Keccak") struct KeccakTests {
    /// NIST's example values and the empty message of each function, as `openssl dgst` gives them too.
    static let known: [(Keccak.Function, String, String)] = [
        (.sha3of256, "", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
        (.sha3of256, "616263", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (.shake128, "", "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"),
        (.shake256, "", "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"),
        (
            .sha3of512, "616263",
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"
        ),
    ]

    @Test(arguments: known) func `gives the known answers`(function: Keccak.Function, message: String, expected: String) {
        let expected = hex(expected)
        #expect(Keccak.hash(function, [hex(message)], count: expected.count) == expected)
    }

    @Test(arguments: [Keccak.Function.sha3of256, .sha3of512, .shake128, .shake256])
    func `it does not matter how what goes in and out is cut`(function: Keccak.Function) {
        for count in [0, 1, function.rate - 1, function.rate, function.rate + 1, 3 * function.rate] {
            let message = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let whole = Keccak.hash(function, [message], count: 400)
            #expect(Keccak.hash(function, message.map { [$0] }, count: 400) == whole)
            var sponge = Keccak(function, [message])
            #expect((0..<400).flatMap { _ in sponge.squeeze(count: 1) } == whole)
        }
    }
}
