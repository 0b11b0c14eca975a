/// The packet ciphers there are, in the order of preference; the raw value is the name in a KEXINIT.
public enum CipherName: String, CaseIterable, Sendable {
    /// OpenSSH PROTOCOL.chacha20poly1305.
    case chacha20Poly1305 = "chacha20-poly1305@openssh.com"
    /// RFC 5647 under the name of OpenSSH PROTOCOL §1.6, which takes the MAC out of the negotiation.
    case aes256GCM = "aes256-gcm@openssh.com"
    /// The same with half the key.
    case aes128GCM = "aes128-gcm@openssh.com"

    /// How many bytes of key to derive.
    public var keyBytes: Int {
        switch self {
        case .chacha20Poly1305: 64
        case .aes256GCM: 32
        case .aes128GCM: 16
        }
    }

    /// How many bytes of initial IV to derive.
    public var ivBytes: Int {
        switch self {
        case .chacha20Poly1305: 0
        case .aes256GCM, .aes128GCM: 12
        }
    }
}
