/// Text from a peer made safe to show: what could move a cursor, hide or reorder text becomes visible ASCII.
///
/// Control characters (C0, DEL, C1), format characters (bidirectional overrides, zero-width ones, tags) and separators become
/// `\t`, `\n`, `\r`, `\x1b` or `\u{202e}`; bytes that are not UTF-8 become `\xff`. A backslash stays as it is.
public struct VisibleText: Sendable {
    /// One scalar or one bad byte: where it begins, what is shown for it, and how many columns that takes.
    struct Cell: Sendable {
        var offset: Int
        var text: String
        var width: Int
    }

    /// What ``shortened(_:limit:)`` keeps when it is told nothing else, in columns.
    public static let shortColumns = 120

    let cells: [Cell]

    init(_ bytes: [UInt8]) {
        var cells: [Cell] = []
        var position = 0
        while position < bytes.count {
            if let (scalar, length) = UTF8Text.scalar(in: bytes, at: position) {
                cells.append(Self.cell(for: scalar, at: position))
                position += length
            } else {
                cells.append(Cell(offset: position, text: "\\x" + hex(UInt32(bytes[position]), digits: 2), width: 4))
                position += 1
            }
        }
        self.cells = cells
    }

    /// All of `bytes`, made visible.
    public static func of(_ bytes: [UInt8]) -> String {
        VisibleText(bytes).cells.map(\.text).joined()
    }

    /// All of `text`, made visible.
    public static func of(_ text: String) -> String {
        of(Array(text.utf8))
    }

    /// `bytes` made visible, with what goes beyond `limit` columns replaced by `…`.
    public static func shortened(_ bytes: [UInt8], limit: Int = shortColumns) -> String {
        var text = ""
        var columns = 0
        for cell in VisibleText(bytes).cells {
            columns += cell.width
            if columns > limit { return text + "…" }
            text += cell.text
        }
        return text
    }

    /// True for what is never shown as it is: controls, format characters, line and paragraph separators.
    static func mustEscape(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7f { return scalar.value < 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }

    private static func cell(for scalar: Unicode.Scalar, at offset: Int) -> Cell {
        guard mustEscape(scalar) else {
            return Cell(offset: offset, text: String(scalar), width: columns(of: scalar))
        }
        let text =
            switch scalar {
            case "\t": "\\t"
            case "\n": "\\n"
            case "\r": "\\r"
            default:
                scalar.value < 0x80 ? "\\x" + hex(scalar.value, digits: 2) : "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        return Cell(offset: offset, text: text, width: text.utf8.count)
    }

    /// How many columns a terminal gives a scalar: none to combining marks, two to the wide East Asian blocks and emoji.
    private static func columns(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
            return 2
        default: return 1
        }
    }
}

/// `value` in lower-case hexadecimal, at least `digits` long.
func hex(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}
