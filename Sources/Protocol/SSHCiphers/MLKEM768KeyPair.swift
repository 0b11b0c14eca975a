import Sodium

/// Who owns a public key of ``MLKEM768``.
struct MLKEM768KeyPair: Sendable {
    private let key: MLKEM768PublicKey
    /// d, which the key is made from, and z, which stands in for the message of a wrong ciphertext: 32 bytes each.
    private let seed: SecretBytes

    /// ``MLKEM768/publicKeyBytes`` bytes.
    var publicKey: [UInt8] { key.bytes }

    init(random: inout some RandomSource) {
        seed = random.secret(count: 2 * MLKEM768.secretBytes)
        var (matrixSeed, noiseSeed) = Self.seeds(of: seed)
        var s = Self.secretVector(noiseSeed)
        var e = MLKEMRing.smallVector(seed: noiseSeed, first: 3)
        for index in 0..<3 { MLKEMRing.transform(&e[index]) }
        key = MLKEM768PublicKey(seed: matrixSeed, s: s, e: e)
        wipe(&matrixSeed)
        wipe(&noiseSeed)
        for index in 0..<3 {
            wipe(&s[index])
            wipe(&e[index])
        }
    }

    /// The secret that a ciphertext hides (FIPS 203 algorithm 18).
    ///
    /// - Parameter ciphertext: ``MLKEM768/ciphertextBytes`` bytes. For a wrong one the result is random to its sender.
    func decapsulate(_ ciphertext: [UInt8]) -> SecretBytes {
        precondition(ciphertext.count == MLKEM768.ciphertextBytes, "a ciphertext of \(ciphertext.count) bytes")
        var message = decrypt(ciphertext)
        let (secret, again) = key.encrypt(message)
        var z = bytes(of: seed, from: MLKEM768.secretBytes)
        var other = Keccak.hash(.shake256, [z, ciphertext], count: MLKEM768.secretBytes)
        defer {
            wipe(&message)
            wipe(&z)
            wipe(&other)
        }
        // All bits set where the ciphertext is not that of the message.
        let difference = zip(again, ciphertext).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        let isWrong = UInt8(truncatingIfNeeded: opaque((0 &- UInt32(difference)) >> 31))
        let mask = 0 &- isWrong
        return SecretBytes(count: MLKEM768.secretBytes) { chosen in
            secret.withSpan { for index in chosen.indices { chosen[index] = $0[index] ^ mask & ($0[index] ^ other[index]) } }
        }
    }

    /// K-PKE's decryption (FIPS 203 algorithm 15): v − s·u is the message and a little noise.
    private func decrypt(_ ciphertext: [UInt8]) -> [UInt8] {
        var (_, noiseSeed) = Self.seeds(of: seed)
        var s = Self.secretVector(noiseSeed)
        let part = MLKEM768.vectorBytes / 3
        let u = (0..<3).map { index in
            var polynomial = MLKEMCoding.decompressed(ciphertext[index * part..<(index + 1) * part], bits: MLKEM768.vectorBits)
            MLKEMRing.transform(&polynomial)
            return polynomial
        }
        let v = MLKEMCoding.decompressed(ciphertext[MLKEM768.vectorBytes...], bits: MLKEM768.scalarBits)
        var hidden = MLKEM768PublicKey.product(s, u)
        MLKEMRing.transformBack(&hidden)
        var content = MLKEMRing.sum(v, hidden.map { 0 &- $0 })
        defer {
            wipe(&noiseSeed)
            for index in s.indices { wipe(&s[index]) }
            wipe(&hidden)
            wipe(&content)
        }
        return MLKEMCoding.compressed(content, bits: 1)
    }

    /// ρ and σ: what the matrix and the noise are drawn from (FIPS 203 algorithm 13, line 1).
    private static func seeds(of seed: SecretBytes) -> (matrix: [UInt8], noise: [UInt8]) {
        var d = bytes(of: seed, from: 0)
        var parts = Keccak.hash(.sha3of512, [d, [3]], count: 64)
        defer {
            wipe(&d)
            wipe(&parts)
        }
        return (Array(parts[..<32]), Array(parts[32...]))
    }

    private static func secretVector(_ noiseSeed: [UInt8]) -> [[Int16]] {
        var s = MLKEMRing.smallVector(seed: noiseSeed, first: 0)
        for index in 0..<3 { MLKEMRing.transform(&s[index]) }
        return s
    }
}

/// 32 bytes of a secret in ordinary memory; whoever takes them wipes them.
private func bytes(of secret: SecretBytes, from start: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: MLKEM768.secretBytes)
    secret.withSpan { span in
        for index in bytes.indices { bytes[index] = span[start + index] }
    }
    return bytes
}
