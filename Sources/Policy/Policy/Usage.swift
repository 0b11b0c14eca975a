/// How a command is called (DESIGN §3.2): words by position, or any line.
public struct Usage: Equatable, Sendable {
    /// One position.
    public enum Part: Hashable, Sendable {
        /// This very word.
        case literal(String)
        /// `<name>`: one word.
        case argument(String)
        /// `<name>...`: one or more words; only as the last part.
        case arguments(String)
        /// `[literal]`: this very word or nothing.
        case optionalLiteral(String)
        /// `[<name>]`: one word or nothing.
        case optionalArgument(String)

        /// The argument's name, or nil for a literal.
        public var argumentName: String? {
            switch self {
            case .argument(let name), .arguments(let name), .optionalArgument(let name): name
            case .literal, .optionalLiteral: nil
            }
        }
    }

    /// In order; empty when any line will do.
    public let parts: [Part]

    /// `usage = "*"`: every line, unparsed.
    public static let anyLine = Usage(parts: [])

    /// True for ``anyLine``.
    public var acceptsAnyLine: Bool { parts.isEmpty }

    /// The names of the arguments, in order.
    public var argumentNames: [String] { parts.compactMap(\.argumentName) }

    /// Bytes of the text parsed.
    public static let lengthLimit = 4096
    /// Parts of a usage.
    public static let partLimit = 64
    /// Bytes of an argument's name.
    public static let nameLimit = 32

    /// Parses what stands in `usage`.
    ///
    /// - Throws: ``UsageError`` with the byte of `text`.
    public init(parsing text: String) throws(UsageError) {
        if text == "*" {
            self = .anyLine
        } else {
            var parser = UsageParser(text)
            parts = try parser.parts()
        }
    }

    init(parts: [Part]) { self.parts = parts }
}

extension Usage: CustomStringConvertible {
    /// The usage as it can be parsed again, with one space between the parts.
    public var description: String {
        acceptsAnyLine ? "*" : parts.map(\.description).joined(separator: " ")
    }
}

extension Usage.Part: CustomStringConvertible {
    public var description: String {
        switch self {
        case .literal(let word): Self.quoted(word)
        case .argument(let name): "<\(name)>"
        case .arguments(let name): "<\(name)>..."
        case .optionalLiteral(let word): "[\(Self.quoted(word))]"
        case .optionalArgument(let name): "[<\(name)>]"
        }
    }

    /// As a client has to write it, and with `]` quoted too, which would end an optional part.
    private static func quoted(_ word: String) -> String {
        let plain = CommandLine.quoted(word)
        return plain.hasSameBytes(as: word) && word.utf8.contains(UInt8(ascii: "]")) ? "'\(word)'" : plain
    }
}
