import Testing

@testable import PolicySource

@Suite("STYLE: what a fault looks like") struct DiagnosticTests {
    private func fault(in text: String, at words: String, _ message: String, hint: String? = nil) throws -> String {
        let file = SourceFile(name: "policies/ci.toml", bytes: Array(text.utf8))
        let start = try #require(file.bytes.indices.first { file.bytes[$0...].starts(with: words.utf8) })
        return Diagnostic(.error, at: Region(file, start..<start + words.utf8.count), message, hint: hint).description
    }

    @Test func `it has place, line, caret and hint`() throws {
        let lines = try fault(
            in: "# one\nread = [\"repos\"]\n", at: "\"repos\"", "path \"repos\" is not absolute",
            hint: "write it from the root, as \"/srv/git/repos\"")
        #expect(
            lines == """
                policies/ci.toml:2:9: path "repos" is not absolute
                    read = ["repos"]
                            ^~~~~~~
                hint: write it from the root, as "/srv/git/repos"
                """)
    }

    @Test func `the caret stands right after tabs and characters of several bytes`() throws {
        #expect(try fault(in: "\té = x\n", at: "x", "no").hasSuffix("    \té = x\n    \t    ^"))
    }

    @Test func `a value of several lines is underlined to the end of its first`() throws {
        #expect(try fault(in: "a = [\n1]\n", at: "[\n1]", "no").hasSuffix("    a = [\n        ^"))
    }

    @Test func `control characters do not reach the terminal`() throws {
        #expect(try fault(in: "a = '\u{1B}[2J'", at: "a", "no").hasSuffix("    a = '?[2J'\n    ^"))
    }
}

@Suite("did you mean") struct SuggestionTests {
    @Test(arguments: [
        ("comand", "command"), ("usge", "usage"), ("sandobx", "sandbox"), ("asd", "as"), ("relaese", "release"),
    ])
    func `names what is near`(wrong: String, meant: String) {
        let known = ["as", "command", "usage", "sandbox", "release"]
        #expect(Suggestion.nearest(to: wrong, among: known) == meant)
    }

    @Test(arguments: ["xyz", "", "timeout"]) func `is silent where nothing is near`(wrong: String) {
        #expect(Suggestion.nearest(to: wrong, among: ["command", "usage"]) == nil)
    }
}

@Suite("sizes and durations") struct QuantityTests {
    @Test(arguments: [("0B", 0), ("512MiB", 512 << 20), ("2GiB", 2 << 30), ("1KiB", 1024)] as [(String, UInt64)])
    func `reads sizes`(text: String, bytes: UInt64) { #expect(Quantity.bytes(text) == bytes) }

    @Test(arguments: [("10m", 600_000), ("20s", 20_000), ("1h", 3_600_000), ("500ms", 500), ("7d", 604_800_000)])
    func `reads durations`(text: String, milliseconds: Int) { #expect(Quantity.duration(text) == .milliseconds(milliseconds)) }

    @Test(arguments: ["", "512", "MiB", "512 MiB", "-1MiB", "1MB", "1.5GiB", "99999999TiB", "10min", "9999d", "1e3s"])
    func `refuses the rest`(text: String) {
        #expect(Quantity.bytes(text) == nil)
        #expect(Quantity.duration(text) == nil)
    }
}
