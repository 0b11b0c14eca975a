public import SSHKeys
public import Sodium

/// The client's side of a key agreement: a share to send, and what turns the server's share into the secret.
public struct ClientKeyShare: Sendable {
    /// What goes to the server in KEX_ECDH_INIT.
    public let share: [UInt8]
    private let ours: Secret

    private enum Secret: Sendable {
        case curve25519(X25519KeyPair)
    }

    /// Draws a key pair for `method`.
    public init(_ method: KeyExchangeMethod, random: inout some RandomSource) {
        switch method {
        case .curve25519, .curve25519LibSSH:
            let pair = X25519KeyPair(secret: random.secret(count: X25519KeyPair.count))
            share = pair.publicKey
            ours = .curve25519(pair)
        }
    }

    /// The secret, encoded as it enters the exchange hash and key derivation: for curve25519 an `mpint` with its length
    /// (RFC 8731 §3.1).
    public func sharedSecret(serverShare: [UInt8]) throws(KeyAgreementError) -> SecretBytes {
        switch ours {
        case .curve25519(let pair): try pair.encodedSecret(with: serverShare)
        }
    }
}
