/// One word of a client's command line.
public struct Word: Equatable, Sendable {
    /// What it stands for, quotes removed.
    public var text: String
    /// The bytes of the line it was written with, quotes included.
    public var range: Range<Int>

    public init(text: String, range: Range<Int>) {
        self.text = text
        self.range = range
    }
}

/// The client's command line as words (DESIGN §3.3).
///
/// The words are those a POSIX shell would make of the line when it does nothing else than remove quotes; a line for which
/// it would do anything more is refused. Control characters other than tab are refused even when quoted.
public enum CommandLine {
    /// Bytes of a line.
    public static let lineLimit = 64 * 1024
    /// Words of a line.
    public static let wordLimit = 256

    /// Splits a line into its words, at least one.
    ///
    /// - Throws: ``CommandLineError`` with the reason and the byte; what no command may hold is found before what a shell would act upon.
    public static func split(_ line: [UInt8]) throws(CommandLineError) -> [Word] {
        try checkText(line)
        try checkControls(line)
        var scanner = WordScanner(line)
        var words: [Word] = []
        scanner.skipBlanks()
        if let (name, equals) = WordScanner.assignment(in: line, at: scanner.position) {
            throw CommandLineError(.assignment(name: name), at: equals)
        }
        while !scanner.isAtEnd {
            let start = scanner.position
            guard words.count < wordLimit else { throw CommandLineError(.tooManyWords(limit: wordLimit), at: start) }
            let text = String(decoding: try scanner.word(), as: UTF8.self)
            words.append(Word(text: text, range: start..<scanner.position))
            scanner.skipBlanks()
        }
        guard !words.isEmpty else { throw CommandLineError(.empty, at: 0) }
        return words
    }

    /// What holds for every line, also for one that is passed on unparsed: the length, no NUL, UTF-8.
    static func checkText(_ line: [UInt8]) throws(CommandLineError) {
        guard line.count <= lineLimit else { throw CommandLineError(.tooLong(limit: lineLimit), at: lineLimit) }
        if let nul = line.firstIndex(of: 0) { throw CommandLineError(.nul, at: nul) }
        if let fault = UTF8Text.firstFault(in: line) { throw CommandLineError(.notUTF8, at: fault) }
    }

    private static func checkControls(_ line: [UInt8]) throws(CommandLineError) {
        guard let index = line.firstIndex(where: isRefusedControl) else { return }
        throw CommandLineError(line[index] == UInt8(ascii: "\n") ? .newline : .control(line[index]), at: index)
    }

    /// `text` as a client can write it so that it is one word again: as it is where that works, else in single quotes.
    public static func quoted(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let isPlain =
            !bytes.isEmpty && WordScanner.assignment(in: bytes, at: 0) == nil
            && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7f && !#"'"\"#.utf8.contains($0) }
            && bytes.enumerated().allSatisfy { WordScanner.shellMeaning(of: $1, atStart: $0 == 0) == nil }
        if isPlain { return text }
        // Between single quotes everything but the quote itself is literal (POSIX §2.2.2).
        let pieces = text.utf8.split(separator: UInt8(ascii: "'"), omittingEmptySubsequences: false)
        return "'" + pieces.map { String(decoding: $0, as: UTF8.self) }.joined(separator: #"'\''"#) + "'"
    }
}

/// C0 other than tab, and DEL.
func isRefusedControl(_ byte: UInt8) -> Bool {
    (byte < 0x20 && byte != UInt8(ascii: "\t")) || byte == 0x7f
}
