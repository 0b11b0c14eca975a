import Policy

/// Reads `run`: the argv, with places for what the client gives (DESIGN §3.2).
struct RunReader {
    let usage: Usage
    let report: Report
    /// What was passed on, to find what never is.
    private(set) var used: Set<Usage.Part> = []

    init(_ usage: Usage, _ report: Report) {
        self.usage = usage
        self.report = report
    }

    mutating func word(_ word: Located<String>) -> RunWord {
        if word.value.hasPrefix("["), word.value.hasSuffix("]"), word.value.utf8.count > 2 {
            return optional(word, Array(word.value.utf8.dropFirst().dropLast()))
        }
        if word.value.hasPrefix("<"), word.value.hasSuffix(">..."), let name = Self.name(in: Array(word.value.utf8), at: 0) {
            return repeated(word, name)
        }
        return RunWord(pieces(of: word))
    }

    /// `[literal]` or `[<name>]`.
    private mutating func optional(_ word: Located<String>, _ inner: [UInt8]) -> RunWord {
        if let name = Self.name(in: inner, at: 0), name.utf8.count + 2 == inner.count {
            use(.optionalArgument(name), word.region)
            return RunWord([.value(name)])
        }
        let literal = String(decoding: inner, as: UTF8.self)
        let part = Usage.Part.optionalLiteral(literal)
        if usage.parts.contains(part) {
            used.insert(part)
        } else {
            let known = usage.parts.compactMap { if case .optionalLiteral(let text) = $0 { text } else { nil } }
            report.error(
                word.region, "the usage has no \"[\(literal)]\"",
                hint: Suggestion.nearest(to: literal, among: known).map { "did you mean \"[\($0)]\"?" }
                    ?? "a word in brackets is passed when the client gave it: name it in the usage")
        }
        return RunWord([.flag(literal)])
    }

    /// `<name>...`
    private mutating func repeated(_ word: Located<String>, _ name: String) -> RunWord {
        use(.arguments(name), word.region)
        return RunWord([.values(name)])
    }

    /// A word with any number of `<name>` in it.
    private mutating func pieces(of word: Located<String>) -> [RunWord.Piece] {
        var pieces: [RunWord.Piece] = []
        var literal: [UInt8] = []
        let bytes = Array(word.value.utf8)
        var index = 0
        while index < bytes.count {
            guard let name = Self.name(in: bytes, at: index) else {
                literal.append(bytes[index])
                index += 1
                continue
            }
            use(.argument(name), word.region.part(of: word.value, index..<index + name.utf8.count + 2))
            if !literal.isEmpty { pieces.append(.literal(String(decoding: literal, as: UTF8.self))) }
            literal = []
            pieces.append(.value(name))
            index += name.utf8.count + 2
        }
        if !literal.isEmpty || pieces.isEmpty { pieces.append(.literal(String(decoding: literal, as: UTF8.self))) }
        return pieces
    }

    /// Notes that an argument is passed on, or reports that the usage has none like it.
    private mutating func use(_ part: Usage.Part, _ region: Region) {
        let name = part.argumentName ?? ""
        guard let own = usage.parts.first(where: { $0.argumentName == name }) else {
            let hint = Suggestion.nearest(to: name, among: usage.argumentNames).map { "did you mean \"<\($0)>\"?" }
            report.error(region, "the usage has no argument \"<\(name)>\"", hint: hint)
            return
        }
        used.insert(own)
        // An optional argument may stand inside a word, which is then left out with it.
        if case (.optionalArgument, .argument) = (own, part) { return }
        if own != part { report.error(region, "\"\(part)\" is \"\(own)\" in the usage", hint: Self.manner(of: own)) }
    }

    /// How the argument must stand in `run`.
    private static func manner(of part: Usage.Part) -> String {
        switch part {
        case .arguments: "write \"\(part)\" as a word of its own, for one word each"
        default: "write \"\(part)\""
        }
    }

    /// The name in `<name>` at `index`; anything else after `<` is the program's own.
    private static func name(in bytes: [UInt8], at index: Int) -> String? {
        guard bytes[index] == UInt8(ascii: "<"), let end = bytes[index...].firstIndex(of: UInt8(ascii: ">")) else { return nil }
        let name = bytes[(index + 1)..<end]
        guard let first = name.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first), Name.isValid(name),
            !name.contains(UInt8(ascii: "."))
        else { return nil }
        return String(decoding: name, as: UTF8.self)
    }
}
