import Sodium

/// Who owns a public key of ``SNTRUP761`` (spec §3.2, §3.6).
struct SNTRUP761KeyPair: Sendable {
    /// ``SNTRUP761/publicKeyBytes`` bytes.
    let publicKey: [UInt8]
    /// The polynomial that the public key is.
    private let h: [Int16]
    /// f, 1/g modulo 3, and ρ, which stands in for the message of a wrong ciphertext: 191 bytes each.
    let secret: SecretBytes
    let keyHash: SecretBytes

    init(random: inout some RandomSource) {
        var (g, inverse) = Self.invertible(random: &random)
        var f = NTRUPrimeRing.short(random: &random)
        var tripled = f.map { 3 &* $0 }
        var reciprocal = NTRUPrimeReciprocal.reciprocal(of: tripled, modulo: .q).inverse
        defer {
            wipe(&g)
            wipe(&inverse)
            wipe(&f)
            wipe(&tripled)
            wipe(&reciprocal)
        }
        h = NTRUPrimeRing.product(reciprocal, g).map { Modulus.q.reduce($0) }
        publicKey = NTRUPrimeCoding.bytes(modular: h)
        var parts = NTRUPrimeCoding.bytes(small: f) + NTRUPrimeCoding.bytes(small: inverse)
        var rho = random.keyMaterial(count: SNTRUP761.smallBytes)
        secret = SecretBytes(copying: [parts, rho].joined())
        wipe(&parts)
        wipe(&rho)
        keyHash = SNTRUP761.hash(4, [.bytes(publicKey)])
    }

    /// The secret that a ciphertext hides.
    ///
    /// - Parameter ciphertext: ``SNTRUP761/ciphertextBytes`` bytes. For a wrong one the result is random to its sender.
    func decapsulate(_ ciphertext: [UInt8]) -> SecretBytes {
        precondition(ciphertext.count == SNTRUP761.ciphertextBytes, "a ciphertext of \(ciphertext.count) bytes")
        var r = decrypt(ciphertext)
        var message = NTRUPrimeCoding.bytes(small: r)
        let again = SNTRUP761.hide(r, message, h, keyHash: keyHash)
        // All bits set where the ciphertext is not that of r.
        let difference = zip(again, ciphertext).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        let isWrong = UInt8(truncatingIfNeeded: opaque((0 &- UInt32(difference)) >> 31))
        let mask = 0 &- isWrong
        secret.withSpan { secret in
            for index in message.indices { message[index] ^= mask & (message[index] ^ secret[2 * SNTRUP761.smallBytes + index]) }
        }
        defer {
            wipe(&r)
            wipe(&message)
        }
        return SNTRUP761.sessionSecret(1 &- isWrong, message, ciphertext)
    }

    /// r of the first part of a ciphertext, c: 3f·c modulo q is g·r and some small multiple of 3 (spec §3.2).
    private func decrypt(_ ciphertext: [UInt8]) -> [Int16] {
        let c = NTRUPrimeCoding.rounded(Array(ciphertext[..<SNTRUP761.roundedBytes]))
        var f = small(at: 0)
        var inverse = small(at: 1)
        var e = NTRUPrimeRing.product(c, f).map { Modulus.three.reduce(Int32(Modulus.q.reduce(3 &* Int32(Modulus.q.reduce($0))))) }
        var r = NTRUPrimeRing.product(e, inverse).map { Modulus.three.reduce($0) }
        defer {
            wipe(&f)
            wipe(&inverse)
            wipe(&e)
        }
        NTRUPrimeRing.forceWeight(&r)
        return r
    }

    /// The small polynomial that is part 0 or 1 of the secret.
    private func small(at part: Int) -> [Int16] {
        secret.withSpan { NTRUPrimeCoding.small($0.extracting(part * SNTRUP761.smallBytes..<(part + 1) * SNTRUP761.smallBytes)) }
    }

    /// A random small g that has an inverse modulo 3, and that; nearly every one has.
    private static func invertible(random: inout some RandomSource) -> (g: [Int16], inverse: [Int16]) {
        while true {
            let g = NTRUPrimeRing.small(random: &random)
            let (inverse, exists) = NTRUPrimeReciprocal.reciprocal(of: g, modulo: .three)
            if exists { return (g, inverse) }
        }
    }
}
