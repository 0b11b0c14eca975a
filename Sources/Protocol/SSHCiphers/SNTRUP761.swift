import Sodium

/// Streamlined NTRU Prime with parameter set sntrup761: a key encapsulation mechanism (NTRU Prime: round 3, 7 October 2020, §3;
/// the bytes as in §3.3 to §3.5; "spec" in this module's comments).
///
/// The sender draws a small polynomial r and sends h·r rounded; only the owner of h = g/3f finds r again. What both then hash
/// is r. All of it is plain arithmetic on integers of a public size: no branch, index or division depends on a secret.
///
/// Constancy was checked by running key generation, encapsulation and decapsulation of the release build under valgrind's memcheck
/// with all random bytes marked undefined, so that any branch or address that depends on them is reported: the one report is of
/// the start over when a drawn g has no inverse, which says nothing of the g that is kept. In the machine code what is
/// multiplied is multiplied by pmullw, mulps and imul, whose time does not depend on their operands.
enum SNTRUP761 {
    /// The length of a public key, in bytes.
    static let publicKeyBytes = 1158
    /// The length of a ciphertext, in bytes: rounded coefficients and a 32-byte confirmation.
    static let ciphertextBytes = roundedBytes + hashBytes
    /// The length of the secret that is agreed on, in bytes.
    static let hashBytes = 32

    static let roundedBytes = 1007
    static let smallBytes = 191

    /// Draws a secret for the owner of a public key.
    ///
    /// - Parameter publicKey: ``publicKeyBytes`` bytes, any of which are a key; the caller has checked the length.
    static func encapsulate(
        to publicKey: [UInt8], random: inout some RandomSource
    ) -> (ciphertext: [UInt8], secret: SecretBytes) {
        precondition(publicKey.count == publicKeyBytes, "a public key of \(publicKey.count) bytes")
        var r = NTRUPrimeRing.short(random: &random)
        defer { wipe(&r) }
        var message = NTRUPrimeCoding.bytes(small: r)
        defer { wipe(&message) }
        let ciphertext = hide(r, message, NTRUPrimeCoding.modular(publicKey), keyHash: hash(4, [.bytes(publicKey)]))
        return (ciphertext, sessionSecret(1, message, ciphertext))
    }

    /// The ciphertext of r: round(h·r), and a hash that only who knows r can make (spec §3.5: Hide).
    static func hide(_ r: [Int16], _ message: [UInt8], _ h: [Int16], keyHash: SecretBytes) -> [UInt8] {
        let product = NTRUPrimeRing.product(h, r).map { Modulus.q.reduce($0) }
        let rounded = NTRUPrimeCoding.bytes(rounded: product)
        let confirmation = hash(2, [.secret(hash(3, [.bytes(message)])), .secret(keyHash)])
        return rounded + confirmation.disclosed()
    }

    /// What both sides know in the end (spec §3.4: HashSession).
    ///
    /// - Parameter kind: 1, or 0 where `message` is what stands in for that of a wrong ciphertext.
    static func sessionSecret(_ kind: UInt8, _ message: [UInt8], _ ciphertext: [UInt8]) -> SecretBytes {
        hash(kind, [.secret(hash(3, [.bytes(message)])), .bytes(ciphertext)])
    }

    /// The first half of SHA-512, with a byte in front that says what is hashed (spec §3.4).
    static func hash(_ kind: UInt8, _ pieces: [HashPiece]) -> SecretBytes {
        let whole = HashFunction.sha512.secretHash([.bytes([kind])] + pieces)
        return SecretBytes(count: hashBytes) { half in
            whole.withSpan { for index in half.indices { half[index] = $0[index] } }
        }
    }
}
