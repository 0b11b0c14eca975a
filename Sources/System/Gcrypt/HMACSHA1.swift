import CGcrypt

/// HMAC-SHA-1 (RFC 2104), for the one place that still has it: hashed names in a known_hosts file, where it hides and proves nothing.
public enum HMACSHA1 {
    /// The length of a code, in bytes.
    public static let count = 20

    /// The 20 bytes for a message under a key.
    public static func code(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        Gcrypt.initialize()
        var opened: gcry_mac_hd_t?
        // SAFETY: the handle is written once; what it holds is checked.
        let status = unsafe gcry_mac_open(&opened, Int32(GCRY_MAC_HMAC_SHA1.rawValue), 0, nil)
        guard status == 0, let handle = unsafe opened else { preconditionFailure("libgcrypt has no HMAC-SHA-1: \(status)") }
        // SAFETY: opened above, and nobody else has it.
        defer { unsafe gcry_mac_close(handle) }
        var code = [UInt8](repeating: 0, count: count)
        var length = count
        // SAFETY: each call reads or writes the array it is given, with that array's length.
        let done = unsafe gcry_mac_setkey(handle, key, key.count) | gcry_mac_write(handle, message, message.count) | gcry_mac_read(handle, &code, &length)
        precondition(done == 0 && length == count, "libgcrypt computes no HMAC-SHA-1: \(done)")
        return code
    }
}
