import CSodium

/// A key pair for Diffie-Hellman on Curve25519 (RFC 7748 §5, §6.1).
public struct X25519KeyPair: Sendable {
    private let secret: SecretBytes
    /// 32 bytes.
    public let publicKey: [UInt8]

    /// The length of each key and of the shared secret, in bytes.
    public static let count = 32

    /// The pair of a 32-byte secret, of which any is good.
    public init(secret: SecretBytes) {
        precondition(secret.count == Self.count, "a secret of \(secret.count) bytes")
        var publicKey = [UInt8](repeating: 0, count: Self.count)
        // SAFETY: libsodium reads and writes 32 bytes, and both have that many.
        unsafe secret.withAddress { _ = unsafe crypto_scalarmult_base(&publicKey, $0) }
        self.secret = secret
        self.publicKey = publicKey
    }

    /// The 32 bytes shared with the owner of `peer`.
    ///
    /// - Parameter peer: 32 bytes; the caller has checked that.
    /// - Returns: nil where `peer` is of small order, so that the result would be all zeros (RFC 7748 §6.1, RFC 8731 §3).
    public func sharedSecret(with peer: [UInt8]) -> SecretBytes? {
        precondition(peer.count == Self.count, "a public key of \(peer.count) bytes")
        let shared = SecretBytes(count: Self.count)
        // SAFETY: libsodium reads 32 and 32 bytes and writes 32, and the three have that many.
        let status = unsafe secret.withAddress { secret in
            unsafe shared.withAddress { unsafe crypto_scalarmult($0, secret, peer) }
        }
        return status == 0 ? shared : nil
    }
}
