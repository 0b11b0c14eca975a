/// A JSON value (RFC 8259), written on one line.
///
/// Text from a peer cannot forge anything: quotes, backslashes, control and format characters (bidirectional overrides, zero-width
/// ones, line separators) are escaped, and bytes that are not UTF-8 appear as `\xff` in the text.
///
/// ```
/// let record: JSONText = ["event": "refused", "key": .string(key.name), "status": 126]
/// ```
public enum JSONText: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    /// Text that may not be UTF-8.
    case bytes([UInt8])
    case array([JSONText])
    /// In the order written.
    case object([Member])

    /// One name of an object with its value.
    public struct Member: Equatable, Sendable {
        /// Escaped as texts are.
        public var name: String
        /// What stands behind the colon.
        public var value: JSONText

        public init(_ name: String, _ value: JSONText) {
            self.name = name
            self.value = value
        }
    }

    /// Texts as an array for people: where one ends is to be seen, and nothing in them moves a cursor.
    public static func line(of texts: [String]) -> String {
        "[" + texts.map { JSONText.string($0).description }.joined(separator: ", ") + "]"
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .string(let value): Self.write(Array(value.utf8), to: &text)
        case .bytes(let value): Self.write(value, to: &text)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                Self.write(Array(member.name.utf8), to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func write(_ bytes: [UInt8], to text: inout String) {
        text += "\""
        var position = 0
        while position < bytes.count {
            if let (scalar, length) = UTF8Text.scalar(in: bytes, at: position) {
                write(scalar, to: &text)
                position += length
            } else {
                text += "\\\\x" + hex(UInt32(bytes[position]), digits: 2)
                position += 1
            }
        }
        text += "\""
    }

    private static func write(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case _ where VisibleText.mustEscape(scalar):
            // RFC 8259 §7: what does not fit into four digits is written as a surrogate pair.
            for unit in scalar.utf16 { text += "\\u" + hex(UInt32(unit), digits: 4) }
        default: text.unicodeScalars.append(scalar)
        }
    }
}

extension JSONText: CustomStringConvertible {
    /// The value without spaces and line feeds.
    public var description: String {
        var text = ""
        write(to: &text)
        return text
    }
}

extension JSONText: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral values: JSONText...) { self = .array(values) }
    public init(dictionaryLiteral members: (String, JSONText)...) { self = .object(members.map { Member($0.0, $0.1) }) }
}
