public import Policy

/// One fault or warning of a policy, with the place it points at.
public struct Diagnostic: Sendable {
    public enum Severity: Sendable, Equatable {
        /// The policy does not go live.
        case error
        /// Legal but unwise; its name can be given in `allow_warnings`.
        case warning
    }

    public var severity: Severity
    /// Of a warning: what `allow_warnings` calls it.
    public var name: String?
    /// Nil: the fault is in no single line, and `file` says where.
    public var position: SourcePosition?
    /// Bytes that the caret and its tildes cover.
    public var length: Int
    /// Lower case, no full stop.
    public var message: String
    public var hint: String?
    /// The file as a whole, where there is no position.
    var file: String
    /// The line that holds the position, to be shown.
    var line: [UInt8]

    /// A fault that points at a stretch of a source.
    init(_ severity: Severity, name: String? = nil, at region: Region, _ message: String, hint: String? = nil) {
        let line = region.file.line(holding: region.range.lowerBound)
        let content = region.file.content(ofLine: line)
        self.severity = severity
        self.name = name
        self.position = region.position
        // A value of several lines is underlined to the end of its first.
        self.length = max(1, min(region.range.upperBound, content.endIndex) - region.range.lowerBound)
        self.message = message
        self.hint = hint
        self.file = region.file.name
        self.line = Array(content)
    }

    /// A fault of a whole file.
    init(file: String, _ message: String, hint: String? = nil) {
        severity = .error
        position = nil
        length = 0
        self.message = message
        self.hint = hint
        self.file = file
        line = []
    }
}

extension Diagnostic: CustomStringConvertible {
    /// `file:line:column: what`, the line, a caret under the place, and the hint; no newline at the end.
    public var description: String {
        let head = "\(position?.description ?? file): \(label)\(message)"
        return ([head] + excerpt + (hint.map { ["hint: \($0)"] } ?? [])).joined(separator: "\n")
    }

    private var label: String {
        severity == .warning ? "warning [\(name ?? "")]: " : ""
    }

    private var excerpt: [String] {
        guard let position else { return [] }
        if line.count > Self.longestLine {
            let marked = position.column - 1..<position.column - 1 + length
            return [Excerpt.of(line, marking: marked, indent: Self.indent)]
        }
        let before = line.prefix(position.column - 1)
        let under = line.dropFirst(position.column - 1).prefix(length)
        // Tabs stay tabs, so that the caret stands right at any tab width.
        let margin = String(decoding: before, as: UTF8.self).unicodeScalars.map { $0 == "\t" ? "\t" : " " }.joined()
        let width = max(1, String(decoding: under, as: UTF8.self).unicodeScalars.count)
        return [
            Self.indent + Self.printable(line),
            Self.indent + margin + "^" + String(repeating: "~", count: width - 1),
        ]
    }

    private static let indent = "    "
    /// Bytes; of longer lines only what is around the place is shown.
    private static let longestLine = 200

    /// The line as text, with control characters but the tab shown as `?`: a policy is trusted, a terminal is not.
    private static func printable(_ line: [UInt8]) -> String {
        String(decoding: line.map { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
    }
}
