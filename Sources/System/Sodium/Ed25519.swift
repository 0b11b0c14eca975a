import CSodium

/// Ed25519 signatures (RFC 8032 §5.1).
public enum Ed25519 {
    /// The length of a public key.
    public static let publicKeyBytes = 32
    /// The length of a signature.
    public static let signatureBytes = 64

    /// Whether `signature` is one over `message` by the owner of `publicKey`; false for wrong lengths too.
    ///
    /// Stricter than RFC 8032 asks for: S must be canonical, and neither the key nor R of small order.
    public static func isValid(signature: [UInt8], message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard signature.count == signatureBytes, publicKey.count == publicKeyBytes else { return false }
        // SAFETY: libsodium reads 64, `message.count` and 32 bytes, and the arrays have that many.
        return unsafe crypto_sign_verify_detached(signature, message, UInt64(message.count), publicKey) == 0
    }
}
