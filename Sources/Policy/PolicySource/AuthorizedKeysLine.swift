/// A line of an authorized_keys file: options, then a key (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
struct AuthorizedKeysLine {
    /// One option, as it was written.
    struct Option {
        /// In lower case: sshd does not tell cases apart.
        var name: String
        var value: Value?
        var region: Region
    }

    /// What stood between the quotes, `\"` being a quote.
    struct Value {
        var bytes: [UInt8]
        /// Where each byte stands in the file.
        var offsets: [Int]

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Why a line has no options that sshd would take.
    struct Fault: Error {
        var region: Region
        var reason: String
    }

    let options: [Option]
    /// From the type to the end of the comment.
    let key: Range<Int>

    /// Parses what stands in `range` of a file, without blanks around it.
    init(_ file: SourceFile, _ range: Range<Int>) throws(Fault) {
        var parser = OptionParser(file: file, range: range)
        options = Self.beginsWithType(file.bytes[range]) ? [] : try parser.options()
        key = parser.rest()
    }

    /// As sshd does, a line is first taken for a key without options.
    private static func beginsWithType(_ line: ArraySlice<UInt8>) -> Bool {
        let word = String(decoding: line.prefix { !isBlank($0) }, as: UTF8.self)
        return ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"].contains { word.hasPrefix($0) } && !word.contains { "=,\"".contains($0) }
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}

/// Reads `name,name="value",…` up to the first blank outside of quotes.
private struct OptionParser {
    let file: SourceFile
    private let end: Int
    private var position: Int

    init(file: SourceFile, range: Range<Int>) {
        self.file = file
        position = range.lowerBound
        end = range.upperBound
    }

    private var next: UInt8? { position < end ? file.bytes[position] : nil }

    mutating func options() throws(AuthorizedKeysLine.Fault) -> [AuthorizedKeysLine.Option] {
        var options: [AuthorizedKeysLine.Option] = []
        while true {
            options.append(try option())
            guard let byte = next, !AuthorizedKeysLine.isBlank(byte) else { return options }
            guard byte == UInt8(ascii: ",") else { throw fault(position..<position + 1, "a comma or a blank must come before this") }
            position += 1
        }
    }

    private mutating func option() throws(AuthorizedKeysLine.Fault) -> AuthorizedKeysLine.Option {
        let start = position
        while let byte = next, Self.isNameByte(byte) { position += 1 }
        let name = start..<position
        guard !name.isEmpty else { throw fault(start..<min(start + 1, end), "here an option should begin") }
        var value: AuthorizedKeysLine.Value?
        if next == UInt8(ascii: "=") {
            position += 1
            value = try quoted()
        }
        return AuthorizedKeysLine.Option(
            name: String(decoding: file.bytes[name], as: UTF8.self).lowercased(), value: value, region: Region(file, start..<position))
    }

    private mutating func quoted() throws(AuthorizedKeysLine.Fault) -> AuthorizedKeysLine.Value {
        let opening = position
        guard next == UInt8(ascii: "\"") else { throw fault(opening..<min(opening + 1, end), "the value must stand in double quotes") }
        position += 1
        var value = AuthorizedKeysLine.Value(bytes: [], offsets: [])
        while let byte = next {
            let offset = position
            position += 1
            if byte == UInt8(ascii: "\"") { return value }
            // Only a quote is quoted; every other backslash is one.
            if byte == UInt8(ascii: "\\"), next == UInt8(ascii: "\"") { position += 1 }
            value.bytes.append(position - offset == 2 ? UInt8(ascii: "\"") : byte)
            value.offsets.append(offset)
        }
        throw fault(opening..<opening + 1, "this quote is never closed")
    }

    /// What is left, without blanks before it.
    func rest() -> Range<Int> {
        var start = position
        while start < end, AuthorizedKeysLine.isBlank(file.bytes[start]) { start += 1 }
        return start..<end
    }

    private func fault(_ range: Range<Int>, _ reason: String) -> AuthorizedKeysLine.Fault {
        AuthorizedKeysLine.Fault(region: Region(file, range), reason: reason)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "@") || byte == UInt8(ascii: ".")
    }
}
