import CSodium

/// Base64 with the standard alphabet and padding (RFC 4648 §4), in a time that depends on lengths only.
public enum Base64 {
    /// Encodes with padding and without line ends.
    public static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: encodeBytes(bytes), as: UTF8.self)
    }

    /// The same as ASCII bytes, which can be wiped.
    public static func encodeBytes(_ bytes: [UInt8]) -> [UInt8] {
        // The terminating NUL is counted.
        let capacity = sodium_base64_encoded_len(bytes.count, variant)
        var text = [UInt8](repeating: 0, count: capacity)
        // SAFETY: libsodium writes at most `capacity` bytes, and reads `bytes.count`; a char is a byte.
        unsafe text.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            _ = unsafe sodium_bin2base64(
                start.assumingMemoryBound(to: CChar.self), capacity, bytes, bytes.count, variant)
        }
        text.removeLast()
        return text
    }

    /// Decodes strictly; nil for any other byte, missing padding, or bits left over.
    public static func decode(_ text: String) -> [UInt8]? {
        decode(Array(text.utf8))
    }

    /// Decodes ASCII bytes, as ``decode(_:)-(String)`` does.
    public static func decode(_ text: [UInt8]) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3)
        var length = 0
        let capacity = bytes.count
        // SAFETY: at most `capacity` bytes are written and `text.count` read; a char is a byte.
        let status = unsafe text.withUnsafeBytes { buffer in
            unsafe sodium_base642bin(
                &bytes, capacity, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count, nil, &length,
                nil, variant)
        }
        guard status == 0 else {
            wipe(&bytes)
            return nil
        }
        bytes.removeLast(bytes.count - length)
        return bytes
    }

    private static let variant = Int32(sodium_base64_VARIANT_ORIGINAL)
}
