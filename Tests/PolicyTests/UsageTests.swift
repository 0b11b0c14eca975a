import Policy
import Testing

@Suite("DESIGN §3.2: usage") struct UsageTests {
    static let parsed: [(String, [Usage.Part])] = [
        ("release <tag> [--dry-run]", [.literal("release"), .argument("tag"), .optionalLiteral("--dry-run")]),
        (" put\t<file>... ", [.literal("put"), .arguments("file")]), ("a [<b-c_1>] d", [.literal("a"), .optionalArgument("b-c_1"), .literal("d")]),
        ("say 'hello world' \"a\\\"b\" c\\ d", [.literal("say"), .literal("hello world"), .literal("a\"b"), .literal("c d")]),
        ("a ['b c'] ['d]e']", [.literal("a"), .optionalLiteral("b c"), .optionalLiteral("d]e")]), ("a '*' help", [.literal("a"), .literal("*"), .literal("help")]),
        ("<any>...", [.arguments("any")]), ("a '<b>' '[c]'", [.literal("a"), .literal("<b>"), .literal("[c]")]), ("'A=b'", [.literal("A=b")]),
        ("*", []),
    ]

    @Test(arguments: parsed) func `parses and renders back`(text: String, parts: [Usage.Part]) throws {
        let usage = try Usage(parsing: text)
        #expect(usage.parts == parts)
        #expect(try Usage(parsing: usage.description) == usage)
    }

    static let refused: [(String, Int, UsageError.Reason)] = [
        ("", 0, .empty), ("  ", 0, .empty), ("help", 0, .helpIsReserved), (" 'help' me", 1, .helpIsReserved), ("[help] a", 0, .helpIsReserved),
        ("a *", 2, .starNotAlone), ("* a", 0, .starNotAlone), ("a* b", 1, .literal(.pattern(0x2a))), ("a <b", 2, .unclosed("<")),
        ("a [b", 2, .unclosed("[")), ("a [", 2, .unclosed("[")), ("a [b c]", 2, .unclosed("[")), ("a <B>", 3, .badName("B")), ("a <>", 3, .badName("")),
        ("a <1>", 3, .badName("1")), ("a <b c>", 3, .badName("b c")), ("a <\(String(repeating: "b", count: 33))>", 3, .badName(String(repeating: "b", count: 33))),
        ("a <b> <b>", 6, .duplicate("b")), ("a <b> [<b>]", 6, .duplicate("b")), ("a [b] [b]", 6, .duplicate("b")), ("a <b>... c", 9, .afterLast("b")),
        ("a [<b>...]", 2, .optionalRepetition("b")), ("a <b>c", 5, .noBlankBehind), ("a [b]c", 5, .noBlankBehind), ("a <b>..", 5, .noBlankBehind),
        ("a b<c>", 3, .noBlankBehind), ("a b[c]", 3, .noBlankBehind), ("a b>", 3, .stray(">")), ("a ]", 2, .stray("]")), ("a b]", 3, .noBlankBehind),
        ("a []", 3, .emptyOption), ("a;b", 1, .literal(.separator(0x3b))), ("a 'b", 2, .literal(.unclosedQuote(0x27))), ("a $b", 2, .literal(.substitution(0x24))),
        ("a\nb", 1, .literal(.newline)), ("A=b c", 1, .literal(.assignment(name: "A"))), ("a [$]", 3, .literal(.substitution(0x24))),
        (String(repeating: "a ", count: 65), 128, .tooManyParts(limit: 64)), (String(repeating: "a", count: 4097), 4096, .tooLong(limit: 4096)),
    ]

    @Test(arguments: refused) func `refuses and says where`(text: String, offset: Int, reason: UsageError.Reason) {
        #expect(throws: UsageError(reason, at: offset)) { try Usage(parsing: text) }
    }
}

@Suite("DESIGN §3.2: args") struct ArgumentTypeTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var type: ArgumentType
        var accepted: [String]
        var refused: [String]
        var testDescription: String { type.expectation }
    }

    static func cases() throws -> [Case] {
        let long = String(repeating: "a", count: 257)
        return [
            Case(
                type: .word, accepted: ["a", "A-Z_0@%+=:,./", String(repeating: "a", count: 256)],
                refused: ["", "-a", "a b", "é", "a*", "a\\", "a'", "a~", long, "a\n"]),
            Case(type: try .match("v[0-9]+"), accepted: ["v1", "v123"], refused: ["", "v", "v1 ", " v1", "v1\n", "-v1"]),
            Case(type: try .match("-?[0-9]+"), accepted: ["-1", "1"], refused: ["--1", "-"]),
            Case(type: try .oneOf(["a", "b c", "é"]), accepted: ["a", "b c", "é"], refused: ["", "A", "b", "e\u{301}", "a "]),
            Case(type: try .integer(from: 1, through: 99), accepted: ["1", "42", "99"], refused: ["0", "100", "01", "+1", "-1", "", "1 ", "１", "1e1", "99999999999999999999"]),
            Case(type: try .integer(from: 0, through: .max), accepted: ["0", "9223372036854775807"], refused: ["00", "9223372036854775808"]),
            Case(
                type: try .path(beneath: "/srv/data"), accepted: ["a", "a/b.txt", "/srv/data/a", "a b", "...", "é"],
                refused: ["", "-a", "..", "a/../b", "../a", ".", "./a", "a/.", "a//b", "a/", "/", "/srv/data", "/srv/data/", "/srv/database", "/srv/data/../x", "/etc", "a\0b", "a\nb", String(repeating: "a", count: 256)]),
            Case(type: try .path(beneath: "/"), accepted: ["etc/x", "/etc"], refused: ["/", "/..", "//etc"]),
            Case(
                type: try .named("semver"), accepted: ["1.2.3", "0.0.0", "1.0.0-rc.1", "1.0.0-0a.-", "1.0.0+001", "1.0.0-a+b.c-d"],
                refused: ["1.2", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.3-a..b", "1.2.3.4", "", "1.2.3-é", "1.2.3+a_b", "-1.2.3"]),
            Case(
                type: try .named("gitref"), accepted: ["main", "refs/heads/a", "v1.2", "a/b-c", "é", "a@b", "@x", "{x}"],
                refused: ["", "@", "-a", "a..b", ".a", "a/.b", "a.lock", "a.lock/b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "/a", "a/", "a//b", "a.", "a@{1}", "a\u{7f}", long]),
            Case(type: try .named("hex"), accepted: ["0", "deadBEEF09"], refused: ["", "g", "0x1", "-1", long]),
        ]
    }

    @Test(arguments: try cases()) func `takes its values and no others`(_ entry: Case) {
        for value in entry.accepted { #expect(entry.type.accepts(value), "\(value)") }
        for value in entry.refused { #expect(!entry.type.accepts(value), "\(value)") }
    }

    @Test func `a path is given to the command in full`() throws {
        let type = try ArgumentType.path(beneath: "/srv/data")
        #expect(type.resolved("a/b") == "/srv/data/a/b")
        #expect(type.resolved("/srv/data/a") == "/srv/data/a")
        #expect(try ArgumentType.path(beneath: "/").resolved("etc") == "/etc")
        #expect(ArgumentType.word.resolved("a") == "a")
    }

    @Test func `refuses types that make no sense`() {
        #expect(throws: ArgumentTypeError.unknownType("int")) { try ArgumentType.named("int") }
        #expect(throws: ArgumentTypeError.noChoices) { try ArgumentType.oneOf([]) }
        #expect(throws: ArgumentTypeError.tooManyChoices(limit: 256)) { try ArgumentType.oneOf((0...256).map { "\($0)" }) }
        #expect(throws: ArgumentTypeError.choiceLength(index: 1, limit: 256)) { try ArgumentType.oneOf(["a", ""]) }
        #expect(throws: ArgumentTypeError.choiceWithControl(index: 0)) { try ArgumentType.oneOf(["a\n"]) }
        #expect(throws: ArgumentTypeError.choiceBeginsWithDash(index: 0)) { try ArgumentType.oneOf(["-a"]) }
        #expect(throws: ArgumentTypeError.duplicateChoice(index: 1)) { try ArgumentType.oneOf(["a", "a"]) }
        #expect(throws: ArgumentTypeError.negativeInteger) { try ArgumentType.integer(from: -1, through: 1) }
        #expect(throws: ArgumentTypeError.emptyRange) { try ArgumentType.integer(from: 2, through: 1) }
        #expect(throws: ArgumentTypeError.directoryNotAbsolute) { try ArgumentType.path(beneath: "srv") }
        for directory in ["/srv/", "/srv/../x", "/srv//x", "/./x", "//"] {
            #expect(throws: ArgumentTypeError.directoryNotPlain) { try ArgumentType.path(beneath: directory) }
        }
        #expect(throws: ArgumentTypeError.directoryTooLong(limit: 4095)) { try ArgumentType.path(beneath: "/" + String(repeating: "a/", count: 2047)) }
    }

    @Test func `says what it takes`() throws {
        #expect(try ArgumentType.integer(from: 1, through: 99).expectation == "an integer from 1 to 99")
        #expect(try ArgumentType.oneOf(["a", "b"]).expectation == "one of: a, b")
        #expect(try ArgumentType.match("v[0-9]").expectation == "text that matches v[0-9]")
        #expect(try ArgumentType.path(beneath: "/srv").expectation == "a path beneath /srv, without \"..\"")
    }
}
