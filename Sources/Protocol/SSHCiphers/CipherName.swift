/// The packet ciphers there are; the raw value is the name in a KEXINIT.
///
/// AES-GCM will be two more cases: 16 or 32 key bytes, 12 IV bytes, and a length that is authenticated but in the clear.
public enum CipherName: String, CaseIterable, Sendable {
    /// OpenSSH PROTOCOL.chacha20poly1305.
    case chacha20Poly1305 = "chacha20-poly1305@openssh.com"

    /// How many bytes of key to derive.
    public var keyBytes: Int { 64 }
    /// How many bytes of initial IV to derive.
    public var ivBytes: Int { 0 }
}
