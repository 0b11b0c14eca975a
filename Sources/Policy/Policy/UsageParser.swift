/// Why a `usage` cannot be parsed.
public struct UsageError: TextFault {
    /// What is wrong with the usage.
    public enum Reason: Hashable, Sendable {
        case empty
        case tooLong(limit: Int)
        case tooManyParts(limit: Int)
        /// What a literal may not be, as in the client's line.
        case literal(CommandLineError.Reason)
        /// `help` as the first word.
        case helpIsReserved
        /// `*` together with other words.
        case starNotAlone
        /// `<` without `>`, or `[` without `]`.
        case unclosed(Character)
        /// The name between `<` and `>` is not `[a-z][a-z0-9_-]*`, or too long.
        case badName(String)
        case duplicate(String)
        /// A part after `<name>...`.
        case afterLast(String)
        /// `[<name>...]`.
        case optionalRepetition(String)
        /// Something directly behind `>`, `...` or `]`.
        case noBlankBehind
        /// `]` or `>` outside of quotes, where no `[` or `<` is open.
        case stray(Character)
        /// `[]`.
        case emptyOption
    }

    /// The fault, with its evidence.
    public var reason: Reason
    /// Of the byte at fault.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        switch reason {
        case .empty: "a usage needs at least one word"
        case .tooLong(let limit): "a usage has at most \(limit) bytes"
        case .tooManyParts(let limit): "a usage has at most \(limit) words"
        case .literal(let reason): reason.description
        case .helpIsReserved: "\"help\" is reserved; begin with another word"
        case .starNotAlone: "\"*\" stands alone, for any line; quote it if you mean the word"
        case .unclosed(let opening): "this \"\(opening)\" is never closed"
        case .badName(let name):
            "\"\(VisibleText.of(name))\" cannot name an argument; use a-z, then a-z, 0-9, _ and -, at most \(Usage.nameLimit) bytes"
        case .duplicate(let what): "\"\(VisibleText.of(what))\" is there twice; give one of them another name"
        case .afterLast(let name): "nothing can follow <\(name)>..., which takes all words to the end"
        case .optionalRepetition(let name): "<\(name)>... cannot be optional; write a second command without it"
        case .noBlankBehind: "a space must come before this"
        case .stray(let mark): "this \"\(mark)\" closes nothing; quote it if you mean it"
        case .emptyOption: "there is nothing between the brackets"
        }
    }
}

/// Reads the parts of a usage from left to right.
struct UsageParser {
    private let bytes: [UInt8]
    private var position = 0
    private var seen: Set<Usage.Part> = []

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func parts() throws(UsageError) -> [Usage.Part] {
        try checkText()
        var parts: [Usage.Part] = []
        skipBlanks()
        while position < bytes.count {
            let start = position
            guard parts.count < Usage.partLimit else { throw UsageError(.tooManyParts(limit: Usage.partLimit), at: start) }
            if case .arguments(let name)? = parts.last { throw UsageError(.afterLast(name), at: start) }
            let part = try part()
            try check(part, isFirst: parts.isEmpty, at: start)
            parts.append(part)
            guard position == bytes.count || isBlank(bytes[position]) else { throw UsageError(.noBlankBehind, at: position) }
            skipBlanks()
        }
        guard !parts.isEmpty else { throw UsageError(.empty, at: 0) }
        return parts
    }

    private func checkText() throws(UsageError) {
        guard bytes.count <= Usage.lengthLimit else { throw UsageError(.tooLong(limit: Usage.lengthLimit), at: Usage.lengthLimit) }
        if let index = bytes.firstIndex(where: isRefusedControl) {
            throw UsageError(.literal(bytes[index] == UInt8(ascii: "\n") ? .newline : .control(bytes[index])), at: index)
        }
    }

    private mutating func part() throws(UsageError) -> Usage.Part {
        switch Unicode.Scalar(bytes[position]) {
        case "<": try argument()
        case "[": try option()
        case "*" where position + 1 == bytes.count || isBlank(bytes[position + 1]): throw UsageError(.starNotAlone, at: position)
        default: .literal(try literal())
        }
    }

    private mutating func option() throws(UsageError) -> Usage.Part {
        let opening = position
        position += 1
        guard position < bytes.count else { throw UsageError(.unclosed("["), at: opening) }
        let part: Usage.Part
        switch Unicode.Scalar(bytes[position]) {
        case "]": throw UsageError(.emptyOption, at: position)
        case "<":
            switch try argument() {
            case .arguments(let name): throw UsageError(.optionalRepetition(name), at: opening)
            case .argument(let name): part = .optionalArgument(name)
            case let other: preconditionFailure("not an argument: \(other)")
            }
        default: part = .optionalLiteral(try literal())
        }
        guard position < bytes.count, bytes[position] == UInt8(ascii: "]") else { throw UsageError(.unclosed("["), at: opening) }
        position += 1
        return part
    }

    private mutating func argument() throws(UsageError) -> Usage.Part {
        let opening = position
        guard let closing = bytes[opening...].firstIndex(of: UInt8(ascii: ">")) else { throw UsageError(.unclosed("<"), at: opening) }
        let name = String(decoding: bytes[opening + 1..<closing], as: UTF8.self)
        guard Self.isArgumentName(name) else { throw UsageError(.badName(name), at: opening + 1) }
        position = closing + 1
        guard bytes[position...].starts(with: "...".utf8) else { return .argument(name) }
        position += 3
        return .arguments(name)
    }

    private mutating func literal() throws(UsageError) -> String {
        var scanner = WordScanner(bytes, at: position)
        guard bytes[position] != UInt8(ascii: "]") else { throw UsageError(.stray("]"), at: position) }
        do throws(CommandLineError) {
            let word = try scanner.word(until: UInt8(ascii: "]"))
            position = scanner.position
            return String(decoding: word, as: UTF8.self)
        } catch {
            switch error.reason {
            case .redirection(UInt8(ascii: ">")): throw UsageError(.stray(">"), at: error.offset)
            case .redirection(UInt8(ascii: "<")), .pattern(UInt8(ascii: "[")): throw UsageError(.noBlankBehind, at: error.offset)
            default: throw UsageError(.literal(error.reason), at: error.offset)
            }
        }
    }

    private mutating func check(_ part: Usage.Part, isFirst: Bool, at start: Int) throws(UsageError) {
        switch part {
        case .literal("help") where isFirst, .optionalLiteral("help") where isFirst: throw UsageError(.helpIsReserved, at: start)
        case .literal:
            if isFirst, let (name, equals) = WordScanner.assignment(in: bytes, at: start) {
                throw UsageError(.literal(.assignment(name: name)), at: equals)
            }
        case .optionalLiteral(let word):
            guard seen.insert(part).inserted else { throw UsageError(.duplicate(word), at: start) }
        case .argument(let name), .arguments(let name), .optionalArgument(let name):
            guard seen.insert(.argument(name)).inserted else { throw UsageError(.duplicate(name), at: start) }
        }
    }

    private mutating func skipBlanks() {
        while position < bytes.count, isBlank(bytes[position]) { position += 1 }
    }

    static func isArgumentName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, UInt8(ascii: "a")...UInt8(ascii: "z") ~= first else { return false }
        return bytes.count <= Usage.nameLimit
            && bytes.allSatisfy { (isNameByte($0) && !(UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0)) || $0 == UInt8(ascii: "-") }
    }
}
