public import SSHKeys
public import Sodium

extension KeyExchangeMethod {
    /// The server's side: answers a client's share with its own and the secret.
    ///
    /// - Returns: `secret` is encoded as it enters the exchange hash and key derivation, see ``ClientKeyShare``.
    public func respond(
        to clientShare: [UInt8], random: inout some RandomSource
    ) throws(KeyAgreementError) -> (share: [UInt8], secret: SecretBytes) {
        switch self {
        case .curve25519, .curve25519LibSSH:
            let pair = X25519KeyPair(secret: random.secret(count: X25519KeyPair.count))
            return (pair.publicKey, try pair.encodedSecret(with: clientShare))
        }
    }
}

extension X25519KeyPair {
    /// The secret shared with `peer`, as the `mpint` of RFC 8731 §3.1.
    func encodedSecret(with peer: [UInt8]) throws(KeyAgreementError) -> SecretBytes {
        guard peer.count == Self.count else { throw .wrongLength(bytes: peer.count, expected: Self.count) }
        guard let shared = sharedSecret(with: peer) else { throw .smallOrder }
        return SecretBytes(integer: shared)
    }
}
