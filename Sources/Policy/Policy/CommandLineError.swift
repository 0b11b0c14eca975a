/// Why a client's command line is not a list of words (DESIGN §3.3).
public struct CommandLineError: TextFault {
    /// What is wrong with the line.
    public enum Reason: Hashable, Sendable {
        /// No word at all.
        case empty
        case tooLong(limit: Int)
        case tooManyWords(limit: Int)
        case nul
        case notUTF8
        case newline
        /// A control character other than tab and line feed.
        case control(UInt8)
        /// `;`, `&`, `|`, `(` or `)`.
        case separator(UInt8)
        /// `<` or `>`.
        case redirection(UInt8)
        /// `$` or a backquote, unquoted or in double quotes.
        case substitution(UInt8)
        /// An unquoted `*`, `?` or `[`.
        case pattern(UInt8)
        /// An unquoted `~` at the start of a word.
        case tilde
        /// An unquoted `#` at the start of a word.
        case comment
        /// `NAME=` before the command.
        case assignment(name: String)
        /// `'` or `"` without its partner.
        case unclosedQuote(UInt8)
        /// A backslash with nothing behind it.
        case lastBackslash
    }

    /// The fault, with its evidence.
    public var reason: Reason
    /// Of the byte at fault, from the start of the line.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// What is wrong and what to do, on one line.
    public var description: String { reason.description }

    /// ``description``, then `line` with a caret under the byte at fault.
    public func describe(line: [UInt8]) -> String {
        description + "\n" + Excerpt.of(line, marking: marked(in: line))
    }

    /// The byte at fault, or the place behind the last.
    func marked(in line: [UInt8]) -> Range<Int> {
        offset..<min(offset + 1, line.count)
    }
}

extension CommandLineError.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "there is no command in the line"
        case .tooLong(let limit): "the line is longer than \(limit) bytes"
        case .tooManyWords(let limit): "the line has more than \(limit) words"
        case .nul: "a NUL byte cannot be in a command"
        case .notUTF8: "the line is not UTF-8"
        case .newline: "a command is one line, without a line feed"
        case .control(let byte): "the control character 0x\(hex(UInt32(byte), digits: 2)) cannot be in a command"
        case .separator(let byte):
            "\(Self.shown(byte)) would start another command; one runs here, without a shell; quote it if you mean it"
        case .redirection(let byte): "\(Self.shown(byte)) would redirect; no shell runs here; quote it if you mean it"
        case .substitution(let byte):
            "\(Self.shown(byte)) would be replaced by a shell; none runs here; put it in single quotes if you mean it"
        case .pattern(let byte): "\(Self.shown(byte)) would match file names; no shell runs here; quote it if you mean it"
        case .tilde: "\"~\" would stand for a home directory; no shell runs here; quote it if you mean it"
        case .comment: "\"#\" would start a comment; no shell runs here; quote it if you mean it"
        case .assignment(let name): "\"\(name)=\" would set a variable; no shell runs here; send it with SendEnv or SetEnv"
        case .unclosedQuote(let byte): "this \(byte == UInt8(ascii: "'") ? "single" : "double") quote is never closed"
        case .lastBackslash: "there is nothing behind the last backslash"
        }
    }

    private static func shown(_ byte: UInt8) -> String {
        "\"\(Unicode.Scalar(byte))\""
    }
}
