/// Reads words by the quoting rules of POSIX (Shell Command Language §2.2), and refuses what a shell would act upon.
struct WordScanner {
    let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skipBlanks() {
        while !isAtEnd, isBlank(bytes[position]) { position += 1 }
    }

    /// Reads a word, up to a blank, the end, or an unquoted `closing`.
    mutating func word(until closing: UInt8? = nil) throws(CommandLineError) -> [UInt8] {
        let start = position
        var word: [UInt8] = []
        while !isAtEnd {
            let byte = bytes[position]
            if isBlank(byte) || byte == closing { break }
            switch byte {
            case UInt8(ascii: "'"): try singleQuoted(into: &word)
            case UInt8(ascii: "\""): try doubleQuoted(into: &word)
            case UInt8(ascii: "\\"): try escaped(into: &word)
            default:
                if let reason = Self.shellMeaning(of: byte, atStart: position == start) {
                    throw CommandLineError(reason, at: position)
                }
                word.append(byte)
                position += 1
            }
        }
        return word
    }

    /// The name and the place of `=` when an unquoted `NAME=` begins at `start`: a shell would take it for an assignment.
    static func assignment(in bytes: [UInt8], at start: Int) -> (name: String, equals: Int)? {
        let name = bytes[start...].prefix { isNameByte($0) }
        guard let first = name.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first), name.endIndex < bytes.count,
            bytes[name.endIndex] == UInt8(ascii: "=")
        else { return nil }
        return (String(decoding: name, as: UTF8.self), name.endIndex)
    }

    private mutating func singleQuoted(into word: inout [UInt8]) throws(CommandLineError) {
        let opening = position
        guard let closing = bytes[(opening + 1)...].firstIndex(of: bytes[opening]) else {
            throw CommandLineError(.unclosedQuote(bytes[opening]), at: opening)
        }
        word += bytes[opening + 1..<closing]
        position = closing + 1
    }

    private mutating func doubleQuoted(into word: inout [UInt8]) throws(CommandLineError) {
        let opening = position
        position += 1
        while !isAtEnd {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "$"), UInt8(ascii: "`"): throw CommandLineError(.substitution(byte), at: position - 1)
            case UInt8(ascii: "\\") where !isAtEnd && Self.isEscapableInQuotes(bytes[position]):
                word.append(bytes[position])
                position += 1
            default: word.append(byte)
            }
        }
        throw CommandLineError(.unclosedQuote(bytes[opening]), at: opening)
    }

    private mutating func escaped(into word: inout [UInt8]) throws(CommandLineError) {
        guard position + 1 < bytes.count else { throw CommandLineError(.lastBackslash, at: position) }
        word.append(bytes[position + 1])
        position += 2
    }

    /// POSIX §2.2.3: in double quotes a backslash escapes only these.
    private static func isEscapableInQuotes(_ byte: UInt8) -> Bool {
        [UInt8(ascii: "$"), UInt8(ascii: "`"), UInt8(ascii: "\""), UInt8(ascii: "\\")].contains(byte)
    }

    /// What a shell would do at an unquoted byte, or nil for a byte that only stands for itself.
    static func shellMeaning(of byte: UInt8, atStart: Bool) -> CommandLineError.Reason? {
        switch Unicode.Scalar(byte) {
        case ";", "&", "|", "(", ")": .separator(byte)
        case "<", ">": .redirection(byte)
        case "$", "`": .substitution(byte)
        case "*", "?", "[": .pattern(byte)
        case "~" where atStart: .tilde
        case "#" where atStart: .comment
        default: nil
        }
    }
}

func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}

/// A letter, a digit or `_`: what names of variables are made of.
func isNameByte(_ byte: UInt8) -> Bool {
    switch Unicode.Scalar(byte) {
    case "a"..."z", "A"..."Z", "0"..."9", "_": true
    default: false
    }
}
