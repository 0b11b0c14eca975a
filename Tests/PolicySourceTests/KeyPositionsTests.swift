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

    @Test(arguments: [
        (#"a = "x y""#, ["a"], "a", #""x y""#),
        ("a = 'x'  # note", ["a"], "a", "'x'"),
        ("a=1", ["a"], "a", "1"),
        ("a = -0x1F # note", ["a"], "a", "-0x1F"),
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

    @Test(arguments: [
        ("a = [1, 'two', [3]]", [.key("a"), .index(1)], "'two'"),
        ("a = [1, 'two', [3]]", [.key("a"), .index(2), .index(0)], "3"),
        ("a = [ # one\n 1 # ]\n, # ,\n 22,\n]", [.key("a"), .index(1)], "22"),
        ("a = [{ b = 1 }, { b = 22 }]", [.key("a"), .index(1), .key("b")], "22"),
        ("[[t]]\na = 1\n[[t]]\na = 22", [.key("t"), .index(1), .key("a")], "22"),
        ("[[t]]\n[[t.u]]\na = 1\n[[t]]\n[[t.u]]\n[[t.u]]\na = 22", [.key("t"), .index(1), .key("u"), .index(1), .key("a")], "22"),
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
        ("a = ", .unexpected(offset: 4)),
        ("a = 1 b", .unexpected(offset: 6)),
        ("= 1", .unexpected(offset: 0)),
        ("a = 'x\n'", .unexpected(offset: 6)),
        ("a = [1 2]", .unexpected(offset: 7)),
        ("[t", .unexpected(offset: 2)),
        ("a = \"\"\"x", .unexpected(offset: 8)),
        (#"a = "\u00"#, .unexpected(offset: 5)),
    ])
    func `ends at what it has no rule for`(text: String, fault: KeyPositions.Fault) {
        #expect(throws: fault) { try KeyPositions(Array(text.utf8)) }
    }
}
