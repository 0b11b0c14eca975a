import CSodium

/// A private Ed25519 key (RFC 8032 §5.1.5).
public struct Ed25519SigningKey: Sendable {
    /// The seed and the public key, 64 bytes: the form in which OpenSSH stores it and libsodium uses it.
    public let secretKey: SecretBytes
    /// 32 bytes.
    public let publicKey: [UInt8]

    /// The length of a seed.
    public static let seedBytes = 32
    static let secretKeyBytes = 64

    /// The key that a 32-byte seed stands for.
    public init(seed: SecretBytes) {
        precondition(seed.count == Self.seedBytes, "a seed of \(seed.count) bytes")
        let secretKey = SecretBytes(count: Self.secretKeyBytes)
        var publicKey = [UInt8](repeating: 0, count: Ed25519.publicKeyBytes)
        // SAFETY: libsodium reads 32 bytes and writes 64 and 32, and the three have that many.
        unsafe seed.withAddress { seed in
            unsafe secretKey.withAddress { secret in
                _ = unsafe crypto_sign_seed_keypair(&publicKey, secret, seed)
            }
        }
        self.secretKey = secretKey
        self.publicKey = publicKey
    }

    /// A new key from the kernel's generator.
    public static func generate() -> Ed25519SigningKey {
        Ed25519SigningKey(seed: .random(count: seedBytes))
    }

    /// The 64-byte signature over `message`.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Ed25519.signatureBytes)
        // SAFETY: libsodium reads `message.count` and 64 bytes and writes 64, and the three have that many.
        unsafe secretKey.withAddress { secret in
            _ = unsafe crypto_sign_detached(&signature, nil, message, UInt64(message.count), secret)
        }
        return signature
    }
}
