public import SSHKeys
public import Sodium

/// The client's side of a key agreement: a share to send, and what turns the server's share into the secret.
public struct ClientKeyShare: Sendable {
    /// What goes to the server in KEX_ECDH_INIT.
    public let share: [UInt8]
    private let method: KeyExchangeMethod
    private let curve: X25519KeyPair
    /// Nil where the method is X25519 alone.
    private let kem: KEM.KeyPair?

    /// Draws a key pair for `method`, or two for a hybrid one.
    public init(_ method: KeyExchangeMethod, random: inout some RandomSource) {
        self.method = method
        curve = X25519KeyPair(secret: random.secret(count: X25519KeyPair.count))
        if let mechanism = method.kem {
            kem = KEM.KeyPair(mechanism, random: &random)
        } else {
            kem = nil
        }
        share = (kem?.publicKey ?? []) + curve.publicKey
    }

    /// The secret, encoded as it enters the exchange hash and key derivation: for curve25519 an `mpint` with its length
    /// (RFC 8731 §3.1), for a hybrid method a `string` (RFC 9941 §3).
    public func sharedSecret(serverShare: [UInt8]) throws(KeyAgreementError) -> SecretBytes {
        let (ciphertext, curveShare) = try method.split(serverShare, kemBytes: method.kem?.ciphertextBytes ?? 0)
        guard let curveSecret = curve.sharedSecret(with: curveShare) else { throw .smallOrder }
        guard let kem else { return SecretBytes(integer: curveSecret) }
        return method.join(kem.decapsulate(ciphertext), curveSecret)
    }
}
