/// A name as text that moves no cursor: what is not printable is written `\x1b`.
public enum VisibleName {
    public static func text(_ bytes: some Collection<UInt8>) -> String {
        let limit = 200
        let text = String(decoding: bytes.prefix(limit), as: UTF8.self)
        return text.unicodeScalars.map(shown).joined() + (bytes.count > limit ? "…" : "")
    }

    private static func shown(_ scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
            "\\x" + String(scalar.value, radix: 16)
        default: String(scalar)
        }
    }
}
