import Policy
import Testing

/// What is wrong in a line stands between `⟦` and `⟧`; nothing between them is the place where something is missing.
@Suite("Hostile command lines: each refused, with the caret under the right bytes") struct HostileLineTests {
    static func commands() throws -> [Command] {
        [
            try Sample.release(),
            try Sample.command("put", "put <file>..."), try Sample.command("word", "word <w>"),
            try Sample.command("show", "show <path>", arguments: ["path": .path(beneath: "/srv/data")]),
            try Sample.command("level", "level <n>", arguments: ["n": .integer(from: 0, through: 65535)]),
            try Sample.command("mode", "mode <m>", arguments: ["m": .oneOf(["live", "test"])]),
            try Sample.command("checkout", "checkout <ref>", arguments: ["ref": .named("gitref")]),
            try Sample.command("object", "object <id>", arguments: ["id": .named("hex")]),
            try Sample.command("deploy", "deploy <version>", arguments: ["version": .named("semver")]),
            try Sample.command("note", "note <text>", arguments: ["text": .match("[ -~]{0,40}")]),
        ]
    }

    /// No list of words: DESIGN §3.3.
    static let syntax = [
        // Another command.
        "release v1.2.3⟦;⟧id", "release v1.2.3 ⟦&⟧& id", "release v1.2.3 ⟦|⟧ sh", "release v1.2.3⟦&⟧", "⟦;⟧release v1.2.3", "⟦(⟧release v1.2.3)",
        "release 'v1.2.3'⟦;⟧'id'", "release v1.2.3 --dry-run⟦;⟧reboot", "⟦|⟧", "put a⟦)⟧", "put \\;⟦;⟧",
        // Redirection.
        "put ⟦<⟧/etc/shadow", "put a ⟦>⟧/root/.ssh/authorized_keys", "put a 2⟦>⟧&1", "put ⟦<⟧<EOF", "put ⟦<⟧(id)", "put a ⟦>⟧| b",
        // Substitution.
        "word ⟦$⟧(id)", "word ⟦$⟧HOME", "word ⟦$⟧{IFS}", "word \"⟦$⟧(id)\"", "word \"a⟦`⟧id`\"", "word ⟦`⟧id`", "word ⟦$⟧'\\n'", "word ⟦$⟧((1+1))", "word a⟦$⟧",
        "word \"\\\\⟦$⟧x\"", "⟦$⟧SHELL", "word '$x'⟦$⟧x", "word ⟦$⟧@", "word ⟦$⟧*",
        // Names of files.
        "put ⟦*⟧", "put /etc/⟦*⟧", "put ⟦?⟧", "put a⟦[⟧bc]", "put ⟦~⟧", "put ⟦~⟧root/.ssh/id_rsa", "⟦~⟧/bin/sh", "put 'a'⟦*⟧", "⟦[⟧ a ]",
        // Comments.
        "release v1.2.3 ⟦#⟧ --dry-run", "⟦#⟧release v1.2.3",
        // Variables before the command.
        "LD_PRELOAD⟦=⟧/tmp/x.so release v1.2.3", "PATH⟦=⟧. release v1.2.3", "a⟦=⟧'b c' release v1.2.3", "A=1 release v1.2.3"
            .replacing("A=1", with: "A⟦=⟧1"), "_⟦=⟧", "BASH_ENV⟦=⟧x word a",
        // Quotes left open.
        "release ⟦'⟧v1.2.3", "release ⟦\"⟧v1.2.3", "release v1.2.3 ⟦'⟧", "word it⟦'⟧s", "word \"a\"⟦\"⟧", "word 'a'b⟦'⟧c", "word \"a\\⟦\"⟧".replacing("⟦\"⟧", with: "\"")
            .replacing("word \"", with: "word ⟦\"⟧"), "release v1.2.3 ⟦\\⟧", "word a⟦\\⟧",
        // Lines and control characters.
        "release v1.2.3⟦\n⟧id", "release v1.2.3⟦\r⟧\nid", "release v1.2.3⟦\r⟧", "release v1.2.3⟦\n⟧", "word 'a⟦\n⟧b'", "word a\\⟦\n⟧b", "word ⟦\u{1b}⟧]0;title\u{07}",
        "word ⟦\u{08}⟧a", "word a⟦\u{7f}⟧", "word a⟦\0⟧b", "⟦\0⟧", "release v1.2.3⟦\0⟧; id", "word \"⟦\u{0c}⟧\"", "word a⟦\u{0b}⟧b",
        // Nothing.
        "⟦⟧", "⟦⟧   ", "⟦⟧\t\t",
    ]

    /// A list of words that fits no command: which word, and why.
    static let words: [(line: String, reason: String)] = [
        // Options smuggled in as values.
        ("word ⟦--help⟧", "wrong-argument"), ("word ⟦-x⟧", "wrong-argument"), ("word ⟦-⟧", "wrong-argument"), ("word ⟦'-x'⟧", "wrong-argument"),
        ("word ⟦\\-x⟧", "wrong-argument"), ("word ⟦\"\"-x⟧", "wrong-argument"), ("put a ⟦--delete⟧ b", "wrong-argument"), ("put ⟦--⟧ a", "wrong-argument"),
        ("show ⟦--output=/etc/passwd⟧", "wrong-argument"), ("checkout ⟦--upload-pack=id⟧", "wrong-argument"), ("checkout ⟦-b⟧", "wrong-argument"),
        ("level ⟦-1⟧", "wrong-argument"), ("object ⟦-c0ffee⟧", "wrong-argument"), ("deploy ⟦-1.2.3⟧", "wrong-argument"), ("mode ⟦-live⟧", "wrong-argument"),
        ("release ⟦--dry-run⟧", "wrong-argument"), ("release v1.2.3 ⟦--dry-runs⟧", "unexpected-word"), ("release v1.2.3 ⟦-dry-run⟧", "unexpected-word"),
        ("release v1.2.3 ⟦'--dry-run '⟧", "unexpected-word"), ("release v1.2.3 ⟦--force⟧ --dry-run", "unexpected-word"),
        ("release v1.2.3 --dry-run ⟦--dry-run⟧", "unexpected-word"), ("release --dry-run v1.2.3".replacing("--dry-run", with: "⟦--dry-run⟧"), "wrong-argument"),
        // Paths that lead out.
        ("show ⟦..⟧", "wrong-argument"), ("show ⟦../../etc/passwd⟧", "wrong-argument"), ("show ⟦a/../../b⟧", "wrong-argument"), ("show ⟦a/..⟧", "wrong-argument"),
        ("show ⟦/etc/passwd⟧", "wrong-argument"), ("show ⟦/srv/data/../app⟧", "wrong-argument"), ("show ⟦/srv/database⟧", "wrong-argument"), ("show ⟦/srv/data⟧", "wrong-argument"),
        ("show ⟦//srv/data/a⟧", "wrong-argument"), ("show ⟦a//b⟧", "wrong-argument"), ("show ⟦./a⟧", "wrong-argument"), ("show ⟦.⟧", "wrong-argument"), ("show ⟦a/⟧", "wrong-argument"),
        ("show ⟦''⟧", "wrong-argument"), ("show ⟦a/./b⟧", "wrong-argument"), ("show ⟦'..'/b⟧", "wrong-argument"), ("show ⟦.\\./b⟧", "wrong-argument"),
        // Text that looks like another, or hides.
        ("release ⟦v1.2.З⟧", "wrong-argument"), ("release ⟦ｖ1.2.3⟧", "wrong-argument"), ("release ⟦v１.2.3⟧", "wrong-argument"), ("release ⟦v1․2.3⟧", "wrong-argument"),
        ("level ⟦٣⟧", "wrong-argument"), ("level ⟦７⟧", "wrong-argument"), ("mode ⟦lіve⟧", "wrong-argument"), ("mode ⟦Live⟧", "wrong-argument"), ("mode ⟦live\u{200b}⟧", "wrong-argument"),
        ("mode ⟦\u{feff}live⟧", "wrong-argument"), ("word ⟦a\u{202e}b⟧", "wrong-argument"), ("word ⟦a\u{2066}b⟧", "wrong-argument"), ("word ⟦a\u{a0}b⟧", "wrong-argument"),
        ("word ⟦a\u{2028}b⟧", "wrong-argument"), ("word ⟦a\u{85}b⟧", "wrong-argument"), ("word ⟦e\u{301}⟧", "wrong-argument"),
        ("release v1.2.3 ⟦—dry-run⟧", "unexpected-word"), ("release ⟦v1.2.3\u{3000}⟧", "wrong-argument"),
        // What a value may not be.
        ("release ⟦'v1.2.3 --dry-run'⟧", "wrong-argument"), ("release ⟦'v1.2.3;id'⟧", "wrong-argument"), ("release ⟦''⟧", "wrong-argument"), ("release ⟦v1.2⟧", "wrong-argument"),
        ("release ⟦v1.2.3'\t'⟧", "wrong-argument"), ("word ⟦'a b'⟧", "wrong-argument"), ("word ⟦'$(id)'⟧", "wrong-argument"), ("word ⟦\\$HOME⟧", "wrong-argument"), ("word ⟦a\\;b⟧", "wrong-argument"),
        ("word ⟦'*'⟧", "wrong-argument"), ("word ⟦%s%n{a,b}⟧", "wrong-argument"), ("word ⟦a!b⟧", "wrong-argument"), ("level ⟦65536⟧", "wrong-argument"), ("level ⟦007⟧", "wrong-argument"),
        ("level ⟦1e3⟧", "wrong-argument"), ("level ⟦0x10⟧", "wrong-argument"), ("level ⟦+1⟧", "wrong-argument"), ("level ⟦99999999999999999999⟧", "wrong-argument"), ("level ⟦1_0⟧", "wrong-argument"),
        ("object ⟦c0ffeg⟧", "wrong-argument"), ("object ⟦0xc0ffee⟧", "wrong-argument"), ("deploy ⟦1.2⟧", "wrong-argument"), ("deploy ⟦01.2.3⟧", "wrong-argument"),
        ("checkout ⟦main..dev⟧", "wrong-argument"), ("checkout ⟦main.lock⟧", "wrong-argument"), ("checkout ⟦/main⟧", "wrong-argument"), ("checkout ⟦'ma in'⟧", "wrong-argument"),
        ("checkout ⟦'HEAD^'⟧", "wrong-argument"), ("checkout ⟦'@{1}'⟧", "wrong-argument"), ("checkout ⟦a:b⟧", "wrong-argument"), ("note ⟦'é'⟧", "wrong-argument"),
        ("word ⟦\(String(repeating: "a", count: 257))⟧", "wrong-argument"), ("object ⟦\(String(repeating: "0", count: 257))⟧", "wrong-argument"),
        // Too many and too few.
        ("word a ⟦b⟧", "unexpected-word"), ("word a ⟦''⟧", "unexpected-word"), ("level 1 ⟦2⟧ 3", "unexpected-word"), ("word⟦⟧", "missing-argument"), ("put⟦⟧", "missing-argument"),
        ("release⟦⟧", "missing-argument"), ("word  ⟦⟧", "missing-argument"),
    ]

    /// For another command than any of the key's; there is no place to mark.
    static let others = [
        "sh", "/bin/sh", "sh -c id", "rеlease v1.2.3", "release\u{200b} v1.2.3", "\u{feff}release v1.2.3", "Release v1.2.3", "release\u{a0}v1.2.3", "./release v1.2.3", "'release v1.2.3'",
        "rele'ase v1.2.3'", "''", "'' release v1.2.3", "-c id", "--help", "help --json extra", "release; v1.2.3".replacing(";", with: "\\;"), "sudo release v1.2.3", "! release v1.2.3",
        "{ release v1.2.3", "exec release v1.2.3", "git-upload-pack '/etc'", "scp -t /", "rsync --server . /", "internal-sftp", "ⓡelease v1.2.3", "rel\\ ease v1.2.3",
    ]

    private func marked(_ text: String) throws -> (line: [UInt8], range: Range<Int>) {
        let opening = try #require(text.firstRange(of: "⟦"))
        let closing = try #require(text.firstRange(of: "⟧"))
        let before = Array(text[..<opening.lowerBound].utf8)
        let inside = Array(text[opening.upperBound..<closing.lowerBound].utf8)
        return (before + inside + Array(text[closing.upperBound...].utf8), before.count..<before.count + inside.count)
    }

    private func refusal(of line: [UInt8]) throws -> Refusal {
        try DecisionTests.refusal(Decision.decide(.exec(line), environment: [], in: Sample.session(), commands: Self.commands()))
    }

    /// The second and third line of what the client sees.
    private func excerpt(_ refusal: Refusal) -> String {
        refusal.text(for: Sample.session()).split(separator: "\n", omittingEmptySubsequences: false)[1...2].joined(separator: "\n")
    }

    /// As a terminal has it, where each byte takes one column.
    private func plain(_ line: [UInt8], _ range: Range<Int>) -> String {
        let caret = String(repeating: " ", count: range.lowerBound) + "^" + String(repeating: "~", count: max(range.count, 1) - 1)
        return "    " + String(decoding: line, as: UTF8.self) + "\n    " + caret
    }

    private func expectMarked(_ text: String, _ reason: String) throws {
        let (line, range) = try marked(text)
        let refusal = try refusal(of: line)
        #expect(refusal.reason.description == reason, "\(text)")
        #expect(excerpt(refusal) == Excerpt.of(line, marking: range), "\(text)")
        if line.count < 100, line.allSatisfy({ (0x20..<0x7f).contains($0) }) { #expect(excerpt(refusal) == plain(line, range), "\(text)") }
    }

    @Test(arguments: syntax) func `no list of words`(text: String) throws { try expectMarked(text, "syntax") }

    @Test(arguments: words) func `a word that fits no command`(text: String, reason: String) throws { try expectMarked(text, reason) }

    @Test(arguments: others) func `not one of the key's commands`(line: String) throws {
        #expect(try refusal(of: bytes(line)).reason == .notACommand(bytes(line)))
    }

    @Test func `bytes that are no text, and what is overlong`() throws {
        let cases: [([UInt8], Range<Int>)] = [
            (bytes("word ") + [0xff], 5..<6), (bytes("word a") + [0xc0, 0xaf], 6..<7), (bytes("word '") + [0xed, 0xa0, 0x80] + bytes("'"), 6..<7),
            (bytes("word a") + [0xf0, 0x9f, 0x98], 6..<7), ([0xfe, 0xff] + bytes("release"), 0..<1),
            (bytes("word ") + [UInt8](repeating: 0x61, count: 65_536), 65_536..<65_537), (bytes("put" + String(repeating: " a", count: 256)), 514..<515),
        ]
        for (line, range) in cases {
            let refusal = try refusal(of: line)
            #expect(refusal.reason.description == "syntax")
            #expect(excerpt(refusal) == Excerpt.of(line, marking: range))
        }
    }

    @Test func `there are many`() { #expect(Self.syntax.count + Self.words.count + Self.others.count > 190) }
}
