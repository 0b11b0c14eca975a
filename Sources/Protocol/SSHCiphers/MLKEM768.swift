import Sodium

/// ML-KEM-768, a key encapsulation mechanism (FIPS 203).
///
/// The sender hides a message in two noisy products with the public key; only the owner can take the noise away. All of it is
/// plain arithmetic on integers of a public size: no branch, index or division depends on a secret. What a matrix is drawn
/// from is public, and only that takes a time that depends on it.
enum MLKEM768 {
    /// The length of a public key ("encapsulation key"), in bytes.
    static let publicKeyBytes = 1184
    /// The length of a ciphertext, in bytes.
    static let ciphertextBytes = vectorBytes + 128
    /// The length of the secret that is agreed on, of a message and of a seed, in bytes.
    static let secretBytes = 32

    /// The first part of a ciphertext: three polynomials of 10 bits a coefficient. The second has 4 bits.
    static let vectorBytes = 960
    static let vectorBits = 10
    static let scalarBits = 4

    /// Draws a secret for the owner of a public key (FIPS 203 algorithm 20).
    ///
    /// - Parameter publicKey: ``publicKeyBytes`` bytes; the caller has checked the length.
    /// - Returns: nil for bytes that are no public key.
    static func encapsulate(
        to publicKey: [UInt8], random: inout some RandomSource
    ) -> (ciphertext: [UInt8], secret: SecretBytes)? {
        guard let key = MLKEM768PublicKey(publicKey) else { return nil }
        var message = random.keyMaterial(count: secretBytes)
        defer { wipe(&message) }
        let (secret, ciphertext) = key.encrypt(message)
        return (ciphertext, secret)
    }
}
