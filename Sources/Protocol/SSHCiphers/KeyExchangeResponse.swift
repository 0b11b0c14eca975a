public import SSHKeys
public import Sodium

extension KeyExchangeMethod {
    /// The server's side: answers a client's share with its own and the secret.
    ///
    /// - Returns: `secret` is encoded as it enters the exchange hash and key derivation, see ``ClientKeyShare``.
    public func respond(
        to clientShare: [UInt8], random: inout some RandomSource
    ) throws(KeyAgreementError) -> (share: [UInt8], secret: SecretBytes) {
        let (kemShare, curveShare) = try split(clientShare, kemBytes: kem?.publicKeyBytes ?? 0)
        let pair = X25519KeyPair(secret: random.secret(count: X25519KeyPair.count))
        // Before the work of a KEM: X25519 tells a share that cannot be honest.
        guard let curveSecret = pair.sharedSecret(with: curveShare) else { throw .smallOrder }
        guard let kem else { return (pair.publicKey, SecretBytes(integer: curveSecret)) }
        let (ciphertext, kemSecret) = try kem.encapsulate(to: kemShare, random: &random)
        return (ciphertext + pair.publicKey, join(kemSecret, curveSecret))
    }

    /// What a hybrid method has beside X25519; nil for X25519 alone.
    var kem: KEM? {
        switch self {
        case .mlkem768x25519: .mlkem768
        case .sntrup761x25519, .sntrup761x25519OpenSSH: .sntrup761
        case .curve25519, .curve25519LibSSH: nil
        }
    }

    /// A share: what is the KEM's, then X25519's 32 bytes.
    func split(_ share: [UInt8], kemBytes: Int) throws(KeyAgreementError) -> (kem: [UInt8], curve: [UInt8]) {
        let expected = kemBytes + X25519KeyPair.count
        guard share.count == expected else { throw .wrongLength(bytes: share.count, expected: expected) }
        return (Array(share[..<kemBytes]), Array(share[kemBytes...]))
    }

    /// The secret of a hybrid method: the hash of both, as a `string` (RFC 9941 §3, draft-ietf-sshm-mlkem-hybrid-kex §2.4).
    func join(_ kemSecret: SecretBytes, _ curveSecret: SecretBytes) -> SecretBytes {
        SecretBytes(string: hash.secretHash([.secret(kemSecret), .secret(curveSecret)]))
    }
}
