import Policy
import Testing

@Suite("DESIGN §3.2: match") struct MatcherTests {
    static let cases: [(pattern: String, matching: [String], other: [String])] = [
        (#"v[0-9]+\.[0-9]+\.[0-9]+"#, ["v1.2.3", "v10.0.0"], ["v1.2", "v1.2.3 ", "xv1.2.3", "v1a2a3", ""]),
        (#"[\w .-]{0,80}"#, ["", "a b-c.", String(repeating: "x", count: 80)], [String(repeating: "x", count: 81), "a/b", "é"]),
        ("^a|b$", ["a", "b"], ["ab", "^a", "b$"]), ("", [""], ["a"]), ("^$", [""], ["^$"]), ("a||b", ["", "a", "b"], ["ab"]), ("()", [""], ["a"]),
        ("(ab|c)*d?", ["", "abcab", "cd", "d"], ["a", "dd", "abd "]), ("a{3}", ["aaa"], ["aa", "aaaa"]), ("a{2,}", ["aa", "aaaaa"], ["a"]),
        ("a{0}", [""], ["a"]), ("a{0,2}b", ["b", "ab", "aab"], ["aaab"]), ("(a{2}){2}", ["aaaa"], ["aaa", "aa"]),
        (".", ["a", "é", "€", "𝄞", "\u{7f}", "\r"], ["", "\n", "ab", "e\u{301}"]), ("[^a]", ["b", "é", "𝄞", "\n"], ["a", "", "bb"]),
        ("[a-cé-ü]", ["a", "c", "é", "ü"], ["d", "è", "ý"]), ("[€-𝄞]", ["€", "\u{fffd}", "𝄞"], ["₫", "\u{20ab}", "𝄟"]), ("[-a]", ["-", "a"], ["b"]),
        ("[a-]", ["-", "a"], ["b"]), (#"[\]\\^-]"#, ["]", "\\", "^", "-"], ["["]), (#"[\d\s]"#, ["5", " ", "\t"], ["a"]), (#"\D\W\S"#, ["a.b", "é é"], ["1.b", "aab", "a. "]),
        (#"\.\*\(\)\[\]\{\}\|\^\$\?\+\/\-"#, [".*()[]{}|^$?+/-"], [""]), (#"a\tb\n"#, ["a\tb\n"], ["atbn"]), ("a b", ["a b"], ["ab"]), (#"\$"#, ["$"], [""]),
        ("é+", ["é", "éé"], ["e\u{301}", "\u{c3}"]), ("[\u{0}-\u{10ffff}]", ["\u{0}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{10ffff}"], [""]),
        ("(a*)*", ["", "aaa"], ["b"]), ("((a|b)+c)?", ["", "abc"], ["c", "abcabc"]), ("[^\\s\\S]", [], ["", "a"]), (#"[+--]"#, ["+", ",", "-"], ["."]),
    ]

    @Test(arguments: cases.indices) func `matches whole values`(index: Int) throws {
        let entry = Self.cases[index]
        let matcher = try Matcher(entry.pattern)
        for value in entry.matching { #expect(matcher.matches(value), "\(entry.pattern): \(value)") }
        for value in entry.other { #expect(!matcher.matches(value), "\(entry.pattern): \(value)") }
    }

    @Test func `bytes that are not UTF-8 match nothing`() throws {
        let matcher = try Matcher("[^a]*")
        let faults: [[UInt8]] = [[0x80], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0xc3, 0xa9, 0xa9]]
        for fault in faults { #expect(!matcher.matches(fault)) }
        #expect(matcher.matches([0xc3, 0xa9]))
    }

    static let refused: [(String, Int, MatcherError.Reason)] = [
        ("*a", 0, .nothingToRepeat), ("a|+", 2, .nothingToRepeat), ("(?:a)", 1, .groupOption), ("(*)", 1, .nothingToRepeat), ("a**", 2, .repeatedTwice),
        ("a+?", 2, .repeatedTwice), ("a{2}{3}", 4, .repeatedTwice), ("a{", 1, .badCount), ("a{x}", 1, .badCount), ("a{,2}", 1, .badCount), ("a{2", 1, .badCount),
        ("{2}", 0, .badCount), ("a{1001}", 2, .countTooLarge(limit: 1000)), ("a{1,99999999999999999999}", 4, .countTooLarge(limit: 1000)), ("a{3,2}", 1, .reversed),
        ("(a", 0, .unclosed("(")), ("a)", 1, .stray(")")), ("(a))", 3, .stray(")")), ("a]", 1, .stray("]")), ("a}", 1, .stray("}")), ("[a", 0, .unclosed("[")),
        ("[]", 0, .emptyClass), ("[^]", 0, .emptyClass), ("[]a]", 0, .emptyClass), ("[z-a]", 2, .reversed), ("[a-\\d]", 2, .badRange), ("[\\w-z]", 3, .badRange),
        ("[a-c-e]", 4, .badRange), ("[[:alpha:]]", 1, .bracketInClass), ("\\q", 0, .unknownEscape("q")), ("a\\", 1, .lastBackslash), ("[a\\", 2, .lastBackslash), ("a\\1", 1, .unknownEscape("1")),
        ("é\\b", 2, .unknownEscape("b")), ("\\é", 0, .unknownEscape("é")), ("a^", 1, .anchorInside("^")), ("a$b", 1, .anchorInside("$")), ("(a$)", 2, .anchorInside("$")), ("a|^b", 2, .anchorInside("^")),
        ("^^", 1, .anchorInside("^")), (String(repeating: "(", count: 65), 64, .tooDeep(limit: 64)), (String(repeating: "a", count: 1001), 1000, .tooLong(limit: 1000)),
        // More states than a table may have; more nodes; more time.
        ("(a|b)*a(a|b){12}", 0, .tooManyStates(limit: 4096)), ("(a{1000}){1000}", 0, .tooManyStates(limit: 4096)), ("((((){1000}){1000}){1000}){1000}", 0, .tooManyStates(limit: 4096)),
        (".{0,1000}", 0, .tooManyStates(limit: 4096)), ("(.*a.*b.*c.*d.*e.*f.*g.*h.*i.*j.*k.*l.*m|.*x.{11})*", 0, .tooManyStates(limit: 4096)),
    ]

    @Test(arguments: refused) func `refuses and says where`(pattern: String, offset: Int, reason: MatcherError.Reason) {
        #expect(throws: MatcherError(reason, at: offset)) { try Matcher(pattern) }
    }

    @Test func `what makes backtracking explode takes one step a byte`() throws {
        let value = [UInt8](repeating: UInt8(ascii: "a"), count: 60_000)
        for pattern in ["(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)*x", "((a+)+)+b", "a?a?a?a?a?a?a?a?a?a?a?a?a*b"] {
            let matcher = try Matcher(pattern)
            #expect(!matcher.matches(value))
            #expect(matcher.matches(value + [pattern.utf8.last ?? 0]))
        }
    }

    @Test func `knows what a value can begin with`() throws {
        #expect(try Matcher("-?[0-9]+").canBegin(with: UInt8(ascii: "-")))
        #expect(try Matcher(".*").canBegin(with: UInt8(ascii: "-")))
        #expect(try !Matcher("v.*").canBegin(with: UInt8(ascii: "-")))
    }

    @Test func `a range takes exactly the characters between its ends`() throws {
        var random = FixedRandom(state: 6)
        for _ in 0..<500 {
            // Where the bytes of UTF-8 carry over is where mistakes are.
            let bases: [UInt32] = [0x100, 0x7c0, 0x800, 0xfc0, 0x1000, 0xd000, 0xe000, 0xf000, 0x1_0000, 0x3_f000, 0x4_0000, 0x10_f000]
            let steps: [UInt32] = [0, 1, 0x3e, 0x3f, 0x40, 0x41, 0x7c0, 0xffe, 0xfff]
            let ends = (0..<2).compactMap { _ in
                Unicode.Scalar((bases.randomElement(using: &random) ?? 0) + (steps.randomElement(using: &random) ?? 0))
            }.sorted()
            guard ends.count == 2 else { continue }
            let matcher = try Matcher("[\(ends[0])-\(ends[1])]")
            let near = ends.flatMap { end in [-64, -2, -1, 0, 1, 2, 64].compactMap { Unicode.Scalar(UInt32(max(0, Int(end.value) + $0))) } }
            let others = (0..<10).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...0x10_ffff, using: &random)) }
            for scalar in near + others { #expect(matcher.matches(String(scalar)) == (ends[0]...ends[1] ~= scalar), "\(ends) \(scalar.value)") }
        }
    }

    @Test func `agrees with a naive matcher on random patterns`() throws {
        var random = FixedRandom(state: 3)
        var agreed = (matching: 0, other: 0)
        for _ in 0..<400 {
            let tree = Naive.random(depth: 4, &random)
            let matcher = try Matcher(tree.text)
            for _ in 0..<25 {
                let value = tree.sample(&random)
                let expected = tree.matches(value)
                #expect(matcher.matches(String(String.UnicodeScalarView(value))) == expected, "\(tree.text): \(value)")
                if expected { agreed.matching += 1 } else { agreed.other += 1 }
            }
        }
        #expect(agreed.matching > 1000 && agreed.other > 1000)
    }
}

/// A regular expression matched by trying everything, over scalars.
private indirect enum Naive {
    case scalar(Unicode.Scalar)
    case dot
    case set([ClosedRange<Unicode.Scalar>], negated: Bool)
    case sequence([Naive])
    case choice([Naive])
    case repeated(Naive, Int, Int?)

    private static let alphabet: [Unicode.Scalar] = ["a", "b", "-", ".", " ", "é", "€", "𝄞", "\n", "~", "\u{7f}", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}"]

    static func random(depth: Int, _ random: inout FixedRandom) -> Naive {
        switch Int.random(in: 0..<(depth == 0 ? 4 : 9), using: &random) {
        case 0, 1: return .scalar(alphabet.randomElement(using: &random) ?? "a")
        case 2: return .dot
        case 3:
            let ranges = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                let pair = [alphabet.randomElement(using: &random) ?? "a", alphabet.randomElement(using: &random) ?? "a"].sorted()
                return pair[0]...pair[1]
            }
            return .set(ranges, negated: Bool.random(using: &random))
        case 4, 5: return .sequence((0..<Int.random(in: 0...3, using: &random)).map { _ in Naive.random(depth: depth - 1, &random) })
        case 6: return .choice((0..<Int.random(in: 1...3, using: &random)).map { _ in Naive.random(depth: depth - 1, &random) })
        default:
            let low = Int.random(in: 0...2, using: &random)
            return .repeated(Naive.random(depth: depth - 1, &random), low, Bool.random(using: &random) ? nil : low + Int.random(in: 0...2, using: &random))
        }
    }

    /// The pattern as a person would write it.
    var text: String {
        switch self {
        case .scalar(let scalar): return Self.escaped(scalar)
        case .dot: return "."
        case .set(let ranges, let negated):
            return "[" + (negated ? "^" : "") + ranges.map { Self.escaped($0.lowerBound) + "-" + Self.escaped($0.upperBound) }.joined() + "]"
        case .sequence(let items): return items.map { if case .choice = $0 { "(\($0.text))" } else { $0.text } }.joined()
        case .choice(let items): return "(" + items.map(\.text).joined(separator: "|") + ")"
        case .repeated(let item, let low, let high):
            return "(" + item.text + ")" + ((low, high) == (0, nil) ? "*" : (low, high) == (1, nil) ? "+" : "{\(low)," + (high.map(String.init) ?? "") + "}")
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        scalar == "\n" ? "\\n" : "-.~ ".unicodeScalars.contains(scalar) ? "\\\(scalar)" : String(scalar)
    }

    func matches(_ value: [Unicode.Scalar]) -> Bool { ends(value, [0]).contains(value.count) }

    private func ends(_ value: [Unicode.Scalar], _ starts: Set<Int>) -> Set<Int> {
        switch self {
        case .scalar(let scalar): return Set(starts.filter { $0 < value.count && value[$0] == scalar }.map { $0 + 1 })
        case .dot: return Set(starts.filter { $0 < value.count && value[$0] != "\n" }.map { $0 + 1 })
        case .set(let ranges, let negated):
            return Set(starts.filter { index in index < value.count && ranges.contains { $0.contains(value[index]) } != negated }.map { $0 + 1 })
        case .sequence(let items): return items.reduce(starts) { $1.ends(value, $0) }
        case .choice(let items): return items.reduce(into: []) { $0.formUnion($1.ends(value, starts)) }
        case .repeated(let item, let low, let high):
            var current = starts
            for _ in 0..<low { current = item.ends(value, current) }
            var all = current
            for _ in 0..<(high.map { $0 - low } ?? value.count + 1) {
                current = item.ends(value, current)
                all.formUnion(current)
            }
            return all
        }
    }

    /// A value that matches, most of the time; sometimes one scalar is changed.
    func sample(_ random: inout FixedRandom) -> [Unicode.Scalar] {
        var value = raw(&random)
        if !value.isEmpty, Int.random(in: 0...2, using: &random) == 0 {
            value[Int.random(in: 0..<value.count, using: &random)] = Self.alphabet.randomElement(using: &random) ?? "a"
        }
        if Int.random(in: 0...3, using: &random) == 0 { value.append(Self.alphabet.randomElement(using: &random) ?? "a") }
        return value
    }

    private func raw(_ random: inout FixedRandom) -> [Unicode.Scalar] {
        switch self {
        case .scalar(let scalar): [scalar]
        case .dot, .set: [Self.alphabet.randomElement(using: &random) ?? "a"]
        case .sequence(let items): items.flatMap { $0.raw(&random) }
        case .choice(let items): items.randomElement(using: &random)?.raw(&random) ?? []
        case .repeated(let item, let low, let high):
            (0..<Int.random(in: low...(high ?? low + 3), using: &random)).flatMap { _ in item.raw(&random) }
        }
    }
}
