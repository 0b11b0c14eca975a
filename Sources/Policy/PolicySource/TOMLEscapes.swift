/// The escapes of a basic string (TOML 1.0.0, "String"), for quoted keys.
enum TOMLEscapes {
    /// What stands for the bytes between the quotes.
    static func decode(_ bytes: ArraySlice<UInt8>) throws(KeyPositions.Fault) -> String {
        var text = String.UnicodeScalarView()
        var rest = String(decoding: bytes, as: UTF8.self).unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\\" else {
                text.append(scalar)
                continue
            }
            guard let kind = rest.popFirst(), let meant = meaning(kind, &rest) else {
                throw .expected(.escape, offset: bytes.startIndex)
            }
            text.append(meant)
        }
        return String(text)
    }

    private static func meaning(_ kind: Unicode.Scalar, _ rest: inout Substring.UnicodeScalarView) -> Unicode.Scalar? {
        switch kind {
        case "b": return "\u{8}"
        case "t": return "\t"
        case "n": return "\n"
        case "f": return "\u{C}"
        case "r": return "\r"
        case "\"", "\\": return kind
        case "u", "U":
            let digits = rest.prefix(kind == "u" ? 4 : 8)
            rest = rest.dropFirst(digits.count)
            return UInt32(String(digits), radix: 16).flatMap(Unicode.Scalar.init)
        default: return nil
        }
    }
}
