import Foundation

/// A file of the package, as text and as code: without comments and strings, line for line.
struct SourceFile: CustomStringConvertible {
    /// From the package's directory.
    let path: String
    private let text: String
    let lines: [Substring]
    let code: [Substring]

    var description: String { path }

    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    init(_ path: String) throws {
        self.path = path
        text = try String(contentsOf: Self.package.appending(path: path), encoding: .utf8)
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var stripper = CodeStripper(text, isSwift: path.hasSuffix(".swift"))
        code = stripper.code().split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The files below a folder whose names end so.
    static func all(_ folder: String, _ endings: String...) throws -> [SourceFile] {
        let below = FileManager.default.enumerator(atPath: package.appending(path: folder).path(percentEncoded: false))
        let names = (below?.allObjects as? [String] ?? []).sorted().filter { name in endings.contains { name.hasSuffix($0) } }
        return try names.map { try SourceFile("\(folder)/\($0)") }
    }

    /// `path:line` of each line of code that has one of these words, whole.
    func places(of words: [String]) -> [String] {
        let words = words.filter { text.range(of: $0.trimmingCharacters(in: ["*"])) != nil }
        if words.isEmpty { return [] }
        return code.indices.filter { index in words.contains { code[index].hasWord($0) } }.map { "\(path):\($0 + 1)" }
    }

    /// Where each function begins, and how many lines it has; those of a long text in it do not count.
    var functions: [(place: String, lineCount: Int)] {
        var found: [(String, Int)] = []
        var open: [(isFunction: Bool, line: Int)] = []
        var declared: Int?
        for (index, line) in code.enumerated() {
            if declared == nil, beginsFunction(line, depth: open.count) { declared = index }
            for byte in line.utf8 {
                if byte == UInt8(ascii: "{") {
                    open.append((declared != nil, declared ?? index))
                    declared = nil
                } else if byte == UInt8(ascii: "}"), let last = open.popLast(), last.isFunction {
                    found.append(("\(path):\(last.line + 1)", (last.line...index).count { !isText($0) }))
                }
            }
        }
        return found
    }

    /// True inside a string of several lines.
    private func isText(_ index: Int) -> Bool {
        let line = lines[index].drop { $0 == " " }
        return !line.isEmpty && !line.hasPrefix("/") && code[index].allSatisfy { $0 == " " }
    }

    private func beginsFunction(_ line: Substring, depth: Int) -> Bool {
        guard path.hasSuffix(".swift") else { return depth == 0 && line.contains("(") && line.first?.isLetter == true && !line.hasSuffix(";") }
        let words = line.split(whereSeparator: { " (<?!".contains($0) }).prefix { !$0.contains("{") && $0 != "=" }
        return ["func", "init", "deinit", "subscript"].contains { name in words.contains { $0 == name } }
    }
}

extension Substring {
    /// Whether a word stands in it with nothing of a name around it; one that ends with `*` is the beginning of a name.
    func hasWord(_ word: String) -> Bool {
        let isBeginning = word.hasSuffix("*")
        let bytes = Array((isBeginning ? word.dropLast() : word[...]).utf8)
        let line = Array(utf8)
        guard line.count >= bytes.count else { return false }
        return (0...line.count - bytes.count).contains { start in
            guard line[start] == bytes[0], line[start..<start + bytes.count].elementsEqual(bytes) else { return false }
            let end = start + bytes.count
            return (start == 0 || !Self.isOfName(line[start - 1]) || !Self.isOfName(bytes[0]))
                && (isBeginning || end == line.count || !Self.isOfName(line[end]) || !Self.isOfName(bytes[bytes.count - 1]))
        }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte >= 0x80 || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

/// Replaces comments and the contents of strings by nothing, and keeps every line feed.
struct CodeStripper {
    private let text: [UInt8]
    private let isSwift: Bool
    private var position = 0
    private var result: [UInt8] = []

    init(_ text: String, isSwift: Bool) {
        self.text = Array(text.utf8)
        self.isSwift = isSwift
    }

    mutating func code() -> String {
        while position < text.count { step() }
        return String(decoding: result, as: UTF8.self)
    }

    private func byte(_ offset: Int) -> UInt8? {
        position + offset < text.count ? text[position + offset] : nil
    }

    private func has(_ word: String, after offset: Int = 0) -> Bool {
        var place = offset
        for wanted in word.utf8 {
            guard byte(place) == wanted else { return false }
            place += 1
        }
        return true
    }

    private mutating func skip(_ count: Int) {
        for byte in text[position..<min(position + count, text.count)] where byte == UInt8(ascii: "\n") { result.append(byte) }
        position += count
    }

    private mutating func step() {
        switch text[position] {
        case UInt8(ascii: "/") where has("//"):
            while position < text.count, text[position] != UInt8(ascii: "\n") { position += 1 }
        case UInt8(ascii: "/") where has("/*"):
            while position < text.count, !has("*/") { skip(1) }
            skip(2)
        case UInt8(ascii: "\""):
            string(pounds: 0)
        case UInt8(ascii: "#") where isSwift:
            var pounds = 1
            while byte(pounds) == UInt8(ascii: "#") { pounds += 1 }
            if byte(pounds) == UInt8(ascii: "\"") { string(pounds: pounds) } else { copy() }
        case UInt8(ascii: "'") where !isSwift:
            // A character of C.
            skip(has("'\\") ? 4 : 3)
        default:
            copy()
        }
    }

    private mutating func copy() {
        result.append(text[position])
        position += 1
    }

    private mutating func string(pounds: Int) {
        let pound = String(repeating: "#", count: pounds)
        let quote = has("\"\"\"", after: pounds) ? "\"\"\"" : "\""
        skip(pounds + quote.utf8.count)
        while position < text.count, !has(quote + pound) {
            if byte(0) == UInt8(ascii: "\\"), has(pound, after: 1) {
                let isInterpolation = byte(1 + pounds) == UInt8(ascii: "(")
                skip(2 + pounds)
                if isInterpolation { interpolation() }
            } else {
                skip(1)
            }
        }
        skip(quote.utf8.count + pounds)
    }

    /// Code in a string, up to its closing parenthesis.
    private mutating func interpolation() {
        var depth = 1
        while position < text.count, depth > 0 {
            if text[position] == UInt8(ascii: "(") { depth += 1 }
            if text[position] == UInt8(ascii: ")") { depth -= 1 }
            step()
        }
    }
}
