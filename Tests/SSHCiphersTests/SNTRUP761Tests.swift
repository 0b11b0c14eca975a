@testable import SSHCiphers
import Sodium
import Testing

@Suite("NTRU Prime, round 3: sntrup761") struct SNTRUP761Tests {
    /// How many of NIST's known answers, and their SHA-256, from liboqs, tests/KATs/kem/kats.json.
    static let knownAnswers: [(Int, String)] = {
        let first = [(1, "afc42c3a5b10f4ef69654250097ebda9b9564570f4086744b24a6daf2bd1f89a")]
        let all = [(100, "36e1e53d4e6e295e8fb804449958ad9a3719aa350e91933c65791b9117382d57")]
        #if DEBUG
            // Without optimisation a key pair takes seconds.
            return first
        #else
            return first + all
        #endif
    }()

    @Test(arguments: knownAnswers) func `gives the known answers`(count: Int, expected: String) {
        var seeds = KnownAnswerRandom(seed: Array(0..<48))
        let records = (0..<count).map { number in
            let seed = seeds.bytes(count: 48)
            var random = KnownAnswerRandom(seed: seed)
            let pair = SNTRUP761KeyPair(random: &random)
            let (ciphertext, secret) = SNTRUP761.encapsulate(to: pair.publicKey, random: &random)
            #expect(pair.decapsulate(ciphertext).equals(secret))
            let parts = pair.secret.disclosed()
            return record(
                number,
                [
                    ("seed", seed), ("pk", pair.publicKey),
                    ("sk", Array(parts[..<382]) + pair.publicKey + Array(parts[382...]) + pair.keyHash.disclosed()), ("ct", ciphertext),
                    ("ss", secret.disclosed()),
                ])
        }
        #expect(SHA256.hash(Array(records.joined(separator: "\n").utf8)) == hex(expected))
    }

    private func record(_ number: Int, _ fields: [(name: String, value: [UInt8])]) -> String {
        let lines = fields.map { field in
            "\(field.name) = " + field.value.map { String($0 >> 4, radix: 16, uppercase: true) + String($0 & 15, radix: 16, uppercase: true) }.joined()
        }
        return (["count = \(number)"] + lines).joined(separator: "\n") + "\n"
    }

    @Test func `a wrong ciphertext gives a secret of its own, the same each time`() {
        var random = KnownAnswerRandom(seed: Array(0..<48))
        let pair = SNTRUP761KeyPair(random: &random)
        let (good, secret) = SNTRUP761.encapsulate(to: pair.publicKey, random: &random)
        for position in [0, 500, 1006, 1007, 1038] {
            var bad = good
            bad[position] ^= 1
            #expect(!pair.decapsulate(bad).equals(secret))
            #expect(pair.decapsulate(bad).equals(pair.decapsulate(bad)))
        }
        #expect(pair.decapsulate(good).equals(secret))
    }

    @Test func `any bytes of the right length are a public key and a ciphertext`() {
        var random = KnownAnswerRandom(seed: Array(0..<48))
        let pair = SNTRUP761KeyPair(random: &random)
        for byte in [UInt8(0), 0x55, 0xff] {
            let (ciphertext, _) = SNTRUP761.encapsulate(to: [UInt8](repeating: byte, count: 1158), random: &random)
            #expect(ciphertext.count == 1039)
            #expect(pair.decapsulate([UInt8](repeating: byte, count: 1039)).count == 32)
        }
    }
}

@Suite("NTRU Prime: polynomials") struct NTRUPrimeTests {
    @Test(arguments: [0, 1, 2, 3, 4, 7, 8, 31, 761, 1000]) func `sorts any count of words`(count: Int) {
        var random = KnownAnswerRandom(seed: [UInt8](repeating: 7, count: 48))
        let bytes = random.bytes(count: 4 * count)
        var words = (0..<count).map { index in (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[4 * index + $1]) } }
        let expected = words.sorted()
        sortInConstantTime(&words)
        #expect(words == expected)
        sortInConstantTime(&words)
        #expect(words == expected)
    }

    @Test func `a short polynomial has 286 coefficients that are not zero`() {
        var random = KnownAnswerRandom(seed: [UInt8](repeating: 8, count: 48))
        for _ in 0..<10 {
            let short = NTRUPrimeRing.short(random: &random)
            #expect(short.count == 761)
            #expect(short.filter { abs($0) == 1 }.count == 286)
            #expect(short.filter { $0 == 0 }.count == 475)
        }
    }

    @Test func `multiplies as the schoolbook does`() {
        var random = KnownAnswerRandom(seed: [UInt8](repeating: 9, count: 48))
        let bytes = random.bytes(count: 2 * 761)
        let a = (0..<761).map { Modulus.q.reduce(Int32(bytes[2 * $0]) << 8 | Int32(bytes[2 * $0 + 1])) }
        for small in [NTRUPrimeRing.small(random: &random), [Int16](repeating: 1, count: 761), [Int16](repeating: -1, count: 761)] {
            for factor in [a, [Int16](repeating: 2295, count: 761), [Int16](repeating: -2295, count: 761)] {
                var expected = [Int32](repeating: 0, count: 2 * 761)
                for i in 0..<761 { for j in 0..<761 { expected[i + j] += Int32(factor[i]) * Int32(small[j]) } }
                for i in stride(from: 1520, through: 761, by: -1) {
                    expected[i - 761] += expected[i]
                    expected[i - 760] += expected[i]
                }
                #expect(NTRUPrimeRing.product(factor, small) == Array(expected[..<761]))
            }
        }
    }

    @Test func `reduces to what is nearest zero, up to its limit`() {
        let limit: Int32 = 1 << 24
        let near = (-5000...5000).map { Int32($0) }
        for value in near + near.map({ $0 + limit - 5001 }) + near.map({ $0 - limit + 5001 }) {
            for modulus in [Modulus.three, .q] {
                let half = (modulus.value - 1) / 2
                let expected = ((value + half) % modulus.value + modulus.value) % modulus.value - half
                #expect(Int32(modulus.reduce(value)) == expected)
            }
        }
    }

    @Test func `what has no reciprocal is found`() {
        let zero = [Int16](repeating: 0, count: 761)
        #expect(!NTRUPrimeReciprocal.reciprocal(of: zero, modulo: .three).exists)
        #expect(!NTRUPrimeReciprocal.reciprocal(of: zero, modulo: .q).exists)
        var one = zero
        one[0] = 1
        let reciprocal = NTRUPrimeReciprocal.reciprocal(of: one, modulo: .q)
        #expect(reciprocal.exists)
        #expect(reciprocal.inverse == one)
    }

    @Test func `bytes and polynomials turn into each other`() {
        var random = KnownAnswerRandom(seed: [UInt8](repeating: 10, count: 48))
        let bytes = random.bytes(count: 2 * 761)
        let modular = (0..<761).map { Modulus.q.reduce(Int32(bytes[2 * $0]) << 8 | Int32(bytes[2 * $0 + 1])) }
        for polynomial in [modular, [Int16](repeating: 2295, count: 761), [Int16](repeating: -2295, count: 761)] {
            let encoded = NTRUPrimeCoding.bytes(modular: polynomial)
            #expect(encoded.count == 1158)
            #expect(NTRUPrimeCoding.modular(encoded) == polynomial)
            let rounded = NTRUPrimeCoding.bytes(rounded: polynomial)
            #expect(rounded.count == 1007)
            #expect(zip(NTRUPrimeCoding.rounded(rounded), polynomial).allSatisfy { $0 % 3 == 0 && abs($0 - $1) <= 1 })
        }
        let small = NTRUPrimeRing.small(random: &random)
        let encoded = NTRUPrimeCoding.bytes(small: small)
        #expect(encoded.count == 191)
        #expect(NTRUPrimeCoding.small(encoded.span) == small)
    }
}
