import CSodium

/// The one-time authenticator Poly1305 (RFC 8439 §2.5): a key must never see a second message.
public enum Poly1305 {
    /// The length of a one-time key.
    public static let keyBytes = 32
    /// The length of a tag.
    public static let tagBytes = 16

    /// The tag of the bytes in `range`.
    public static func tag(of bytes: [UInt8], in range: Range<Int>, key: SecretBytes) -> [UInt8] {
        precondition(key.count == keyBytes, "a key of \(key.count) bytes")
        var tag = [UInt8](repeating: 0, count: tagBytes)
        // SAFETY: 16 bytes are written, `message.count` and 32 read; libsodium reads nothing of an empty message.
        unsafe bytes[range].withUnsafeBufferPointer { message in
            unsafe key.withAddress { _ = unsafe crypto_onetimeauth(&tag, message.baseAddress, UInt64(message.count), $0) }
        }
        return tag
    }

    /// Whether `tag` is the tag of the bytes in `range`; in constant time, and false for a wrong length.
    public static func isValid(_ tag: [UInt8], of bytes: [UInt8], in range: Range<Int>, key: SecretBytes) -> Bool {
        constantTimeEquals(tag, self.tag(of: bytes, in: range, key: key))
    }
}
