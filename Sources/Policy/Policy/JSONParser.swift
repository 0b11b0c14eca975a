/// Why a text is not a JSON value of the kind that ``JSONText`` writes.
public enum JSONFault: Error, Equatable, Sendable {
    /// Another character was wanted at this offset, in bytes.
    case unexpected(at: Int)
    /// The text ends within a value.
    case truncated
    /// Values stand in more than ``JSONText/deepest`` others.
    case tooDeep
    /// A number that is no integer of 64 bits.
    case badNumber(at: Int)
}

extension JSONText {
    /// How many arrays and objects may stand in each other.
    public static let deepest = 16

    /// Reads one value (RFC 8259) with nothing but spaces around it. Members stay in their order; bytes that are not UTF-8 are a fault.
    public init(parsing bytes: [UInt8]) throws(JSONFault) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.value(depth: 0)
        parser.skipSpaces()
        guard parser.position == bytes.count else { throw .unexpected(at: parser.position) }
    }

    /// The member of an object with this name: the first.
    public subscript(name: String) -> JSONText? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }
}

/// Reads JSON from front to back, without going back.
private struct JSONParser {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func value(depth: Int) throws(JSONFault) -> JSONText {
        guard depth <= JSONText.deepest else { throw .tooDeep }
        skipSpaces()
        switch try next() {
        case UInt8(ascii: "{"): return .object(try members(depth))
        case UInt8(ascii: "["): return .array(try elements(depth))
        case UInt8(ascii: "\""): return .string(try text())
        case UInt8(ascii: "t"): return try literal("rue", .bool(true))
        case UInt8(ascii: "f"): return try literal("alse", .bool(false))
        case UInt8(ascii: "n"): return try literal("ull", .null)
        default:
            position -= 1
            return .integer(try integer())
        }
    }

    mutating func skipSpaces() {
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
    }

    private mutating func next() throws(JSONFault) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        position += 1
        return bytes[position - 1]
    }

    /// Passes over one character, which must come next after spaces.
    private mutating func take(_ character: Unicode.Scalar) throws(JSONFault) {
        skipSpaces()
        guard try next() == UInt8(ascii: character) else { throw .unexpected(at: position - 1) }
    }

    /// Passes over one character, if it comes next after spaces.
    private mutating func takes(_ character: Unicode.Scalar) -> Bool {
        skipSpaces()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func members(_ depth: Int) throws(JSONFault) -> [JSONText.Member] {
        var members: [JSONText.Member] = []
        if takes("}") { return members }
        repeat {
            try take("\"")
            let name = try text()
            try take(":")
            members.append(.init(name, try value(depth: depth + 1)))
        } while takes(",")
        try take("}")
        return members
    }

    private mutating func elements(_ depth: Int) throws(JSONFault) -> [JSONText] {
        var elements: [JSONText] = []
        if takes("]") { return elements }
        repeat { elements.append(try value(depth: depth + 1)) } while takes(",")
        try take("]")
        return elements
    }

    private mutating func literal(_ rest: String, _ value: JSONText) throws(JSONFault) -> JSONText {
        for byte in rest.utf8 { guard try next() == byte else { throw .unexpected(at: position - 1) } }
        return value
    }

    private mutating func integer() throws(JSONFault) -> Int64 {
        let start = position
        while position < bytes.count, bytes[position] == UInt8(ascii: "-") || (0x30...0x39).contains(bytes[position]) { position += 1 }
        if start == position { throw .unexpected(at: start) }
        let isWhole = position == bytes.count || ![UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[position])
        guard isWhole, let number = Int64(String(decoding: bytes[start..<position], as: UTF8.self)) else { throw .badNumber(at: start) }
        return number
    }

    /// What stands up to the closing quote.
    private mutating func text() throws(JSONFault) -> String {
        var scalars = String.UnicodeScalarView()
        while true {
            guard position < bytes.count else { throw .truncated }
            guard let (scalar, length) = UTF8Text.scalar(in: bytes, at: position), scalar.value >= 0x20 else { throw .unexpected(at: position) }
            position += length
            switch scalar {
            case "\"": return String(scalars)
            case "\\": scalars.append(try escaped())
            default: scalars.append(scalar)
            }
        }
    }

    private mutating func escaped() throws(JSONFault) -> Unicode.Scalar {
        let start = position
        switch try next() {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let first = try unit()
            if let scalar = Unicode.Scalar(first) { return scalar }
            // RFC 8259 §7: the second half of a surrogate pair follows.
            guard try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u") else { throw .unexpected(at: start) }
            let second = try unit()
            guard 0xd800..<0xdc00 ~= first, 0xdc00..<0xe000 ~= second,
                let scalar = Unicode.Scalar(0x1_0000 + UInt32(first - 0xd800) << 10 + UInt32(second - 0xdc00))
            else { throw .unexpected(at: start) }
            return scalar
        default: throw .unexpected(at: start)
        }
    }

    private mutating func unit() throws(JSONFault) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(try next())).hexDigitValue else { throw .unexpected(at: position - 1) }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
