/// Walks the tokens of a TOML document for ``KeyPositions``.
struct TOMLScanner {
    typealias Fault = KeyPositions.Fault

    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The byte at the offset, or nil at the end.
    var next: UInt8? { peek(0) }

    var isAtLineEnd: Bool { next == nil || next == Self.newline || (next == Self.carriageReturn && peek(1) == Self.newline) }

    private func peek(_ ahead: Int) -> UInt8? {
        offset + ahead < bytes.count ? bytes[offset + ahead] : nil
    }

    mutating func skipByteOrderMark() {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    /// Passes over `text` if it stands here.
    mutating func skip(_ text: StaticString) -> Bool {
        let wanted = "\(text)".utf8
        guard bytes[offset...].starts(with: wanted) else { return false }
        offset += wanted.count
        return true
    }

    /// Passes over blanks and a comment; with `lines`, over line ends as well.
    mutating func skipBlank(lines: Bool) throws(Fault) {
        while let byte = next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): offset += 1
            case UInt8(ascii: "#"): while next != nil, !isAtLineEnd { try passText(mayBreak: false) }
            case Self.newline where lines, Self.carriageReturn where lines && isAtLineEnd: offset += 1
            default: return
            }
        }
    }

    /// A bare or quoted key: its name, and its bytes with the quotes.
    mutating func simpleKey() throws(Fault) -> (name: String, range: Range<Int>) {
        let start = offset
        switch next {
        case UInt8(ascii: "\""):
            try basicString()
            return (try TOMLEscapes.decode(bytes[(start + 1)..<(offset - 1)]), start..<offset)
        case UInt8(ascii: "'"):
            try literalString()
            return (String(decoding: bytes[(start + 1)..<(offset - 1)], as: UTF8.self), start..<offset)
        default:
            while let byte = next, Self.isBareKey(byte) { offset += 1 }
            guard offset > start else { throw .expected(.key, offset: offset) }
            return (String(decoding: bytes[start..<offset], as: UTF8.self), start..<offset)
        }
    }

    /// Any of the four kinds of string.
    mutating func string() throws(Fault) {
        if skip("\"\"\"") {
            try multiline(quote: UInt8(ascii: "\""), escapes: true)
        } else if skip("'''") {
            try multiline(quote: UInt8(ascii: "'"), escapes: false)
        } else if next == UInt8(ascii: "\"") {
            try basicString()
        } else {
            try literalString()
        }
    }

    /// A number, boolean, date or time: to the next byte that ends a value.
    mutating func bareValue() throws(Fault) {
        let start = offset
        passToken()
        // A date and its time may be parted by one space.
        if offset - start == 10, bytes[start + 4] == UInt8(ascii: "-"), bytes[start + 7] == UInt8(ascii: "-"),
            next == UInt8(ascii: " "), let digit = peek(1), Self.isDigit(digit), peek(3) == UInt8(ascii: ":")
        {
            offset += 1
            passToken()
        }
        guard TOMLBareValue.isSound(bytes[start..<offset]) else { throw .expected(.value, offset: start) }
    }

    private mutating func passToken() {
        while let byte = next, !Self.endsToken(byte) { offset += 1 }
    }

    private mutating func basicString() throws(Fault) {
        offset += 1
        while let byte = next, byte != Self.newline {
            if byte == UInt8(ascii: "\\") {
                try escape(mayBreak: false)
            } else {
                try passText(mayBreak: false)
                if byte == UInt8(ascii: "\"") { return }
            }
        }
        throw .expected(.quote, offset: offset)
    }

    private mutating func literalString() throws(Fault) {
        offset += 1
        while let byte = next, byte != Self.newline {
            try passText(mayBreak: false)
            if byte == UInt8(ascii: "'") { return }
        }
        throw .expected(.quote, offset: offset)
    }

    /// To the closing three quotes; up to two more before them belong to the string.
    private mutating func multiline(quote: UInt8, escapes: Bool) throws(Fault) {
        while let byte = next {
            if byte == quote, peek(1) == quote, peek(2) == quote {
                offset += 3
                for _ in 0..<2 where next == quote { offset += 1 }
                return
            }
            if escapes, byte == UInt8(ascii: "\\") { try escape(mayBreak: true) } else { try passText(mayBreak: true) }
        }
        throw .expected(.quote, offset: offset)
    }

    /// One byte of a string or comment: no control character but the tab, and line ends where it `mayBreak`.
    private mutating func passText(mayBreak: Bool) throws(Fault) {
        guard let byte = next else { return }
        let isText = byte >= 0x20 && byte != 0x7F || byte == UInt8(ascii: "\t")
        guard isText || (mayBreak && isAtLineEnd) else { throw .expected(.text, offset: offset) }
        offset += 1
    }

    /// A backslash and what follows it; where it `mayBreak`, also a line end, at which the string goes on.
    private mutating func escape(mayBreak: Bool) throws(Fault) {
        let start = offset
        offset += 1
        if mayBreak, passBreak() { return }
        guard let kind = next, Self.escapes.utf8.contains(kind) else { throw .expected(.escape, offset: start) }
        offset += 1
        let count = kind == UInt8(ascii: "u") ? 4 : kind == UInt8(ascii: "U") ? 8 : 0
        if count == 0 { return }
        let digits = String(decoding: bytes[offset..<min(offset + count, bytes.count)], as: UTF8.self)
        guard digits.utf8.count == count, digits.utf8.allSatisfy({ Self.isHexDigit($0) }), let value = UInt32(digits, radix: 16),
            Unicode.Scalar(value) != nil
        else { throw .expected(.escape, offset: start) }
        if value == 0 { throw .nul(offset: start) }
        offset += count
    }

    /// Blanks and a line end, if that is what follows.
    private mutating func passBreak() -> Bool {
        var ahead = 0
        while let byte = peek(ahead), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { ahead += 1 }
        guard peek(ahead) == Self.newline || (peek(ahead) == Self.carriageReturn && peek(ahead + 1) == Self.newline) else {
            return false
        }
        offset += ahead
        return true
    }

    private static let escapes = "btnfr\"\\uU"
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    private static func isBareKey(_ byte: UInt8) -> Bool {
        let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        return isLetter || isDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    private static func endsToken(_ byte: UInt8) -> Bool {
        byte <= UInt8(ascii: " ") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
            || byte == UInt8(ascii: "#")
    }
}
