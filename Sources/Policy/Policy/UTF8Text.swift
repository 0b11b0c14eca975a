/// UTF-8 (RFC 3629), strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
enum UTF8Text {
    /// The scalar that begins at `position`, which lies inside `bytes`, and its length; nil when what stands there is not UTF-8.
    static func scalar(in bytes: [UInt8], at position: Int) -> (Unicode.Scalar, length: Int)? {
        let first = bytes[position]
        let (length, smallest): (Int, UInt32)
        switch first {
        case 0x00...0x7f: return (Unicode.Scalar(first), 1)
        case 0xc2...0xdf: (length, smallest) = (2, 0x80)
        case 0xe0...0xef: (length, smallest) = (3, 0x800)
        case 0xf0...0xf4: (length, smallest) = (4, 0x1_0000)
        default: return nil
        }
        guard position + length <= bytes.count else { return nil }
        var value = UInt32(first) & (0x7f >> UInt32(length))
        for byte in bytes[position + 1..<position + length] {
            guard byte & 0xc0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        guard value >= smallest, let scalar = Unicode.Scalar(value) else { return nil }
        return (scalar, length)
    }

    /// Where the first byte that is not UTF-8 stands, or nil.
    static func firstFault(in bytes: [UInt8]) -> Int? {
        var position = 0
        while position < bytes.count {
            guard let (_, length) = scalar(in: bytes, at: position) else { return position }
            position += length
        }
        return nil
    }
}

extension String {
    /// Equality of bytes. Swift's `==` takes canonically equivalent texts for the same, and a command must not.
    package func hasSameBytes(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}
