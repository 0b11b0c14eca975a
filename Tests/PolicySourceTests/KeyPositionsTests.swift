import Testing

@testable import PolicySource

@Suite("TOML 1.0.0: where keys and values stand") struct KeyPositionsTests {
    typealias Case = (path: KeyPath, key: String, value: String)

    /// The document's text at the key and at the value of `path`.
    private func found(_ text: String, _ path: KeyPath) throws -> (key: String, value: String)? {
        let bytes = Array(text.utf8)
        return try KeyPositions(bytes)[path].map {
            (String(decoding: bytes[$0.key], as: UTF8.self), String(decoding: bytes[$0.value], as: UTF8.self))
        }
    }

    @Test(
        arguments: [
            (#"a = "x y""#, ["a"], "a", #""x y""#),
            ("a = 'x'  # note", ["a"], "a", "'x'"),
            ("a=1", ["a"], "a", "1"),
            ("a = 0x1F # note", ["a"], "a", "0x1F"),
            ("a = -1_000", ["a"], "a", "-1_000"),
            ("a = +1.5e-3", ["a"], "a", "+1.5e-3"),
            ("a = -inf", ["a"], "a", "-inf"),
            ("a = 07:32:00.999", ["a"], "a", "07:32:00.999"),
            ("a = \"\"\"x \\  \n  y\"\"\"\nb = 1", ["b"], "b", "1"),
            ("a = 2026-01-01T00:00:00Z", ["a"], "a", "2026-01-01T00:00:00Z"),
            ("a = 2026-01-01 00:00:00Z # note", ["a"], "a", "2026-01-01 00:00:00Z"),
            ("a = 2026-01-01 # 00:", ["a"], "a", "2026-01-01"),
            ("\n\n  a.b . c = true", ["a", "b", "c"], "c", "true"),
            ("a.b.c = true", ["a", "b"], "b", "a.b.c"),
            (#""a b".'c.d' = 1"#, ["a b", "c.d"], "'c.d'", "1"),
            (#""\u00e9\t" = 1"#, ["é\t"], #""\u00e9\t""#, "1"),
            ("[t]\na = 1\nb = 2", ["t", "b"], "b", "2"),
            ("[ t . u ]", ["t", "u"], "u", "[ t . u ]"),
            ("[t.u]", ["t"], "t", "[t.u]"),
            ("[t.u]\n[t]", ["t"], "t", "[t]"),
            ("[t]\r\na = 1\r\nb = 'x'\r\n", ["t", "b"], "b", "'x'"),
            ("a = \"\"\"\none \\\" \"\" two\"\"\"\"\"\nb = 1", ["b"], "b", "1"),
            ("a = '''\n\\'''\nb = 1", ["b"], "b", "1"),
            ("a = { b = 1, c.d = [2] }", ["a"], "a", "{ b = 1, c.d = [2] }"),
            ("a = { b = 1, c.d = [2] }", ["a", "c", "d"], "d", "[2]"),
            ("a = {}\nb = 1", ["b"], "b", "1"),
            (#"a = "\\"\#nb = 1"#, ["b"], "b", "1"),
            (##"a = "#\"#"\##nb = 1"##, ["b"], "b", "1"),
            ("\u{FEFF}a = 1", ["a"], "a", "1"),
        ] as [(String, [String], String, String)])
    func `finds`(text: String, keys: [String], key: String, value: String) throws {
        let place = try #require(try found(text, KeyPath(keys.map { .key($0) })))
        #expect(place == (key, value))
    }

    @Test(
        arguments: [
            ("a = [1, 'two', [3]]", [.key("a"), .index(1)], "'two'"),
            ("a = [1, 'two', [3]]", [.key("a"), .index(2), .index(0)], "3"),
            ("a = [ # one\n 1 # ]\n, # ,\n 22,\n]", [.key("a"), .index(1)], "22"),
            ("a = [{ b = 1 }, { b = 22 }]", [.key("a"), .index(1), .key("b")], "22"),
            ("[[t]]\na = 1\n[[t]]\na = 22", [.key("t"), .index(1), .key("a")], "22"),
            (
                "[[t]]\n[[t.u]]\na = 1\n[[t]]\n[[t.u]]\n[[t.u]]\na = 22", [.key("t"), .index(1), .key("u"), .index(1), .key("a")],
                "22"
            ),
            ("[[t]]\n[t.u]\na = 1", [.key("t"), .index(0), .key("u"), .key("a")], "1"),
            ("[[t]]\n[[t]]", [.key("t"), .index(1)], "[[t]]"),
        ] as [(String, [KeyPath.Step], String)])
    func `finds the elements of lists`(text: String, steps: [KeyPath.Step], value: String) throws {
        let place = try #require(try found(text, KeyPath(steps)))
        #expect(place.value == value)
    }

    @Test(arguments: [
        (#"a = "x\u0000y""#, KeyPositions.Fault.nul(offset: 6)),
        (#"a = "x\U00000000y""#, .nul(offset: 6)),
        (String(repeating: "a = [", count: 1) + String(repeating: "[", count: 40), .deep(offset: 36)),
        ("a = ", .expected(.value, offset: 4)),
        ("a = 1 b", .expected(.lineEnd, offset: 6)),
        ("= 1", .expected(.key, offset: 0)),
        ("a 1", .expected(.equals, offset: 2)),
        ("a..b = 1", .expected(.key, offset: 2)),
        ("[é]", .expected(.key, offset: 1)),
        ("[.a]", .expected(.key, offset: 1)),
        ("[]", .expected(.key, offset: 1)),
        ("a = 'x\n'", .expected(.quote, offset: 6)),
        ("a = [1 2]", .expected(.arrayEnd, offset: 7)),
        ("a = { b = 1,, }", .expected(.key, offset: 12)),
        ("a = { b = 1\n }", .expected(.tableEnd, offset: 11)),
        ("[t", .expected(.headerEnd, offset: 2)),
        ("[[t]", .expected(.arrayHeaderEnd, offset: 3)),
        ("a = \"\"\"x", .expected(.quote, offset: 8)),
        (#"a = "\u00"#, .expected(.escape, offset: 5)),
        (#"a = "\ud800""#, .expected(.escape, offset: 5)),
        (#"a = "\x""#, .expected(.escape, offset: 5)),
        ("# \u{7}", .expected(.text, offset: 2)),
        ("a = \"\"\"\u{7}\"\"\"", .expected(.text, offset: 7)),
        ("a = 2026-1-1", .expected(.value, offset: 4)),
        ("a = 12:00", .expected(.value, offset: 4)),
        ("a = 2026-01-01T00:00:00+1", .expected(.value, offset: 4)),
        ("a = 012", .expected(.value, offset: 4)),
        ("a = 1__2", .expected(.value, offset: 4)),
        ("a = 0x", .expected(.value, offset: 4)),
        ("a = 1.", .expected(.value, offset: 4)),
        ("a = .5e", .expected(.value, offset: 4)),
        ("a = yes", .expected(.value, offset: 4)),
    ])
    func `ends at what it has no rule for`(text: String, fault: KeyPositions.Fault) {
        #expect(throws: fault) { try KeyPositions(Array(text.utf8)) }
    }

    @Test(arguments: [1, 40, 60, 200, 2000]) func `a key's line that is not UTF-8 is said where it is`(count: Int) {
        let files: [String: World.File] = [
            "policy.toml": .init(text: "version = 1\n[group.g]\nkeys = \"k\"\nmay = [\"id\"]\n[command.id]\nas = \"deploy\"\nusage = \"id\"\nrun = [\"/usr/bin/id\"]\n"),
            "k": .init(text: "", bytes: Array("ssh-ed25519 AAAA1 alice\nssh-ed25519 AAAA2 ".utf8) + [UInt8](repeating: 0xff, count: count) + [0x0a]),
        ]
        let loaded = LoadedPolicy.read("policy.toml", World(files: files).surroundings)
        #expect(loaded.policy == nil && loaded.text.hasPrefix("k:2:1: the line is not UTF-8\n"), "\(loaded.text)")
    }
}
