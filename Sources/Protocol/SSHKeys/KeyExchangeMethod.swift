public import Sodium

/// How the two sides agree on a secret; the name is the one in a KEXINIT. The cases stand in the order of preference.
///
/// It stands beside ``ExchangeHash`` since whoever signs that must know the method's hash; how the secret is agreed on is
/// SSHCiphers' part, and the lists of what is offered are the transport's.
public enum KeyExchangeMethod: String, CaseIterable, Sendable {
    /// draft-ietf-sshm-mlkem-hybrid-kex §2: ML-KEM-768 against quantum computers, X25519 in case that is broken.
    case mlkem768x25519 = "mlkem768x25519-sha256"
    /// RFC 9941 §3: sntrup761 against quantum computers, X25519 in case that is broken.
    case sntrup761x25519 = "sntrup761x25519-sha512"
    /// The same method under the name it had before RFC 9941.
    case sntrup761x25519OpenSSH = "sntrup761x25519-sha512@openssh.com"
    /// RFC 8731 §2.
    case curve25519 = "curve25519-sha256"
    /// The same method under the name it had before RFC 8731.
    case curve25519LibSSH = "curve25519-sha256@libssh.org"

    /// Whether what is recorded today stays secret from a quantum computer of tomorrow.
    public var isPostQuantum: Bool {
        switch self {
        case .mlkem768x25519, .sntrup761x25519, .sntrup761x25519OpenSSH: true
        case .curve25519, .curve25519LibSSH: false
        }
    }

    /// The hash of the exchange hash and of key derivation, and what joins the secrets of a hybrid method.
    public var hash: HashFunction {
        switch self {
        case .sntrup761x25519, .sntrup761x25519OpenSSH: .sha512
        case .mlkem768x25519, .curve25519, .curve25519LibSSH: .sha256
        }
    }
}
