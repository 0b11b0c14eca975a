import Policy
import Testing

@Suite("Comparing rules: what includes what") struct InclusionTests {
    /// The first matches all that the second does; the other way round it does not.
    static let wider: [(String, String)] = [
        ("[a-z]+", "[a-y]+"), ("v[0-9]+", "v[0-9]{1,3}"), ("a|b|c", "[ab]"), (".*", "x"), ("[^x]+", "[a-w]+"), ("(ab)*", "abab"),
        ("a?b?", ""), (#"\w+"#, #"\d+"#), ("[à-ü]", "é"),
    ]
    static let equal: [(String, String)] = [("a|b", "[ab]"), ("aa*", "a+"), ("(a|b)*", "[ba]*"), ("x{2,3}", "xxx?"), ("^a$", "a"), ("[0-9]", #"\d"#)]
    static let different: [(String, String)] = [("a", "b"), ("a+", "(aa)*"), ("[a-m]", "[g-z]"), ("v.*", ".*1")]

    @Test(arguments: wider) func `a wider pattern`(one: String, other: String) throws {
        #expect(try Matcher(one).includes(Matcher(other)))
        #expect(try !Matcher(other).includes(Matcher(one)))
    }

    @Test(arguments: equal) func `two ways to write a pattern`(one: String, other: String) throws {
        #expect(try Matcher(one).includes(Matcher(other)))
        #expect(try Matcher(other).includes(Matcher(one)))
    }

    @Test(arguments: different) func `patterns of which none includes the other`(one: String, other: String) throws {
        #expect(try !Matcher(one).includes(Matcher(other)))
        #expect(try !Matcher(other).includes(Matcher(one)))
    }

    @Test func `agrees with the values that random patterns match`() throws {
        var random = FixedRandom(state: 4)
        let pieces = ["a", "b", "[ab]", "a?", "b*", "(a|bb)", "a{1,2}", "(a|ba)*"]
        func pattern() -> String { (0..<Int.random(in: 1...4, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined() }
        func words(_ length: Int) -> [String] { length == 0 ? [""] : words(length - 1).flatMap { [$0, $0 + "a", $0 + "b"] } }
        let values = Set(words(6))
        for _ in 0..<200 {
            let (one, other) = (try Matcher(pattern()), try Matcher(pattern()))
            let isRefuted = values.contains { other.matches($0) && !one.matches($0) }
            #expect(one.includes(other) == !isRefuted, "\(one.pattern) and \(other.pattern)")
        }
    }

    static func types() throws -> [(ArgumentType, ArgumentType, forth: Bool, back: Bool)] {
        [
            (.word, .word, true, true),
            (.word, try .named("hex"), true, false),
            (.word, try .named("semver"), true, false),
            (.word, try .integer(from: 0, through: 9), true, false),
            (try .integer(from: 0, through: 9), try .integer(from: 1, through: 8), true, false),
            (try .integer(from: 0, through: 9), try .oneOf(["0", "9"]), true, false),
            (try .integer(from: 1, through: 2), try .oneOf(["2", "1"]), true, true),
            (try .oneOf(["a", "b"]), try .oneOf(["b"]), true, false),
            (try .oneOf(["a", "b"]), try .oneOf(["b", "a"]), true, true),
            (try .oneOf(["a", "b"]), try .oneOf(["b", "c"]), false, false),
            (try .match("[a-z]"), try .oneOf(["a", "z"]), true, false),
            (.word, try .match("v[0-9]{1,20}"), true, false),
            // One is longer than 256 bytes, the other begins with a dash.
            (.word, try .match("v[0-9]+"), false, false),
            (.word, try .match("-?v"), false, false),
            (try .match(#"[0-9a-fA-F]{1,256}"#), try .named("hex"), true, true),
            // A path becomes another word.
            (try .path(beneath: "/srv"), try .path(beneath: "/srv"), true, true),
            (try .path(beneath: "/srv"), try .path(beneath: "/srv/a"), false, false),
            (try .match(".*"), try .path(beneath: "/srv"), false, false),
            // Nobody knows.
            (try .named("gitref"), try .named("semver"), false, false),
        ]
    }

    @Test func `a type includes one with fewer values`() throws {
        for (one, other, forth, back) in try Self.types() {
            #expect(one.includes(other) == forth, "\(one) and \(other)")
            #expect(other.includes(one) == back, "\(other) and \(one)")
        }
    }

    /// Whether the first list admits all that the second does, and the other way round.
    static let lists: [([String], [String], Bool, Bool)] = [
        ([], [], true, true),
        ([], ["192.0.2.1"], true, false),
        (["192.0.2.0/24"], ["192.0.2.128/25"], true, false),
        (["192.0.2.0/24"], ["192.0.2.0/24", "!192.0.2.1"], true, false),
        (["192.0.2.0/24", "!192.0.2.0/28"], ["192.0.2.0/24", "!192.0.2.1"], false, true),
        (["192.0.2.0/24", "!198.51.100.1"], ["192.0.2.0/24"], true, true),
        (["192.0.2.0/24", "2001:db8::/32"], ["2001:db8:1::/48"], true, false),
        (["192.0.2.0/25"], ["192.0.2.128/25"], false, false),
        (["192.0.2.0/24"], ["192.0.2.7", "!192.0.2.0/25"], true, false),
    ]

    @Test(arguments: lists) func `a list of addresses includes one that admits fewer`(one: [String], other: [String], forth: Bool, back: Bool) throws {
        let (one, other) = (try one.map { try AddressPattern(parsing: $0) }, try other.map { try AddressPattern(parsing: $0) })
        #expect(AddressPattern.list(one, includes: other) == forth)
        #expect(AddressPattern.list(other, includes: one) == back)
    }

    static let usages: [(String, String, Bool, Bool)] = [
        ("a <x>", "a <x>", true, true),
        ("*", "a <x>", true, false),
        ("a <x> [--b]", "a <x>", true, false),
        ("a [<x>]", "a <x>", true, false),
        ("a [<x>]", "a", true, false),
        ("a <x>...", "a <x>", true, false),
        ("a [b] [c]", "a c", true, false),
        ("a [b] [c]", "a c b", false, false),
        ("a <x>", "b <x>", false, false),
        ("a <x>", "a <y>", false, false),
    ]

    @Test(arguments: usages) func `a usage with more optional parts includes one with fewer`(one: String, other: String, forth: Bool, back: Bool) throws {
        let (one, other) = (try Usage(parsing: one), try Usage(parsing: other))
        #expect(one.includes(other) == forth)
        #expect(other.includes(one) == back)
    }

    @Test func `a network includes what reaches less`() {
        let narrow: Network = .tcp(ports: [443], dns: false)
        let wide: Network = .tcp(ports: [22, 443], dns: true)
        #expect(wide.includes(narrow) && !narrow.includes(wide))
        #expect(Network.any.includes(wide) && Network.any.includes(.unix) && narrow.includes(.none))
        #expect(!Network.unix.includes(narrow) && !narrow.includes(.unix) && !Network.none.includes(.unix))
    }

    @Test func `a path includes what lies beneath, for no more access`() {
        func rule(_ path: String, _ access: PathRule.Access) -> PathRule { PathRule(path: path, access: access, isRequired: true) }
        #expect(rule("/srv", .read).includes(rule("/srv/a", .read)))
        #expect(rule("/", .write).includes(rule("/srv/a", .read)))
        #expect(!rule("/srv", .read).includes(rule("/srv2", .read)))
        #expect(!rule("/srv", .read).includes(rule("/srv", .write)))
        #expect(!rule("/srv", .write).includes(rule("/srv", .execute)))
    }

    @Test func `a compiled policy is read back whole`() throws {
        var policy = Policy()
        policy.commands = [try Sample.release()]
        policy.sandboxes = [SandboxPlan(name: "tool")]
        for (number, name) in ["b", "a", "c"].enumerated() {
            let position = SourcePosition(file: "p", line: number + 1, column: 1)
            policy.keys.append(Key(name: name, fingerprint: [UInt8](repeating: UInt8(9 - number), count: 32), may: [0], position: position))
        }
        #expect(try CompiledPolicy(CompiledPolicy<[UInt8]>.encode(policy)).policy() == policy)
    }
}
