import Policy
import Testing

@Suite("DESIGN §3.1: from") struct AddressPatternTests {
    static let lists: [(patterns: [String], admitted: [String], refused: [String])] = [
        ([], ["192.0.2.1", "::1", "UNKNOWN"], []),
        (
            ["192.0.2.0/24", "!192.0.2.13", "2001:db8::/32"], ["192.0.2.1", "192.0.2.255", "::ffff:192.0.2.7", "::ffff:c000:207", "2001:db8::1", "2001:DB8:ffff::%eth0"],
            ["192.0.2.13", "::ffff:192.0.2.13", "192.0.3.1", "2001:db9::1", "UNKNOWN", "", "192.0.2", "192.0.2.01", "192.0.2.256"]
        ),
        (["!192.0.2.13"], [], ["192.0.2.13", "192.0.2.1"]), (["192.0.2.13", "!192.0.2.0/24"], [], ["192.0.2.13"]),
        (["0.0.0.0/0"], ["1.2.3.4", "::ffff:1.2.3.4"], ["::1"]), (["::/0"], ["::1", "fe80::1%2"], ["1.2.3.4", "::ffff:1.2.3.4"]),
        (["10.0.0.0/9"], ["10.127.255.255"], ["10.128.0.0"]), (["::ffff:192.0.2.0/120"], ["192.0.2.9"], ["192.0.3.9"]), (["2001:db8::/33"], ["2001:db8:7fff::"], ["2001:db8:8000::"]),
    ]

    @Test(arguments: lists.indices) func `admits by the list`(index: Int) throws {
        let list = Self.lists[index]
        let patterns = try list.patterns.map { try AddressPattern(parsing: $0) }
        for peer in list.admitted { #expect(AddressPattern.list(patterns, admits: peer), "\(peer)") }
        for peer in list.refused { #expect(!AddressPattern.list(patterns, admits: peer), "\(peer)") }
    }

    static let refused: [(String, Int, AddressPatternError.Reason)] = [
        ("", 0, .notAnAddress("")), ("!", 1, .notAnAddress("")), ("host.example", 0, .notAnAddress("host.example")), ("192.0.2.*", 0, .notAnAddress("192.0.2.*")),
        ("!!192.0.2.1", 1, .notAnAddress("!192.0.2.1")), ("192.0.2.1/33", 10, .badPrefixLength(limit: 32)), ("192.0.2.1/", 10, .badPrefixLength(limit: 32)),
        ("192.0.2.0/024", 10, .badPrefixLength(limit: 32)), ("::/129", 3, .badPrefixLength(limit: 128)), ("::/-1", 3, .badPrefixLength(limit: 128)),
        ("192.0.2.13/24", 0, .bitsBehindPrefix(24)), ("!2001:db8::1/32", 1, .bitsBehindPrefix(32)), ("1:2:3:4:5:6:7:8:9", 0, .notAnAddress("1:2:3:4:5:6:7:8:9")),
        ("1::2::3", 0, .notAnAddress("1::2::3")), ("1:2:3:4:5:6:7::8:9", 0, .notAnAddress("1:2:3:4:5:6:7::8:9")), (":::", 0, .notAnAddress(":::")),
        ("12345::", 0, .notAnAddress("12345::")), ("fe80::1%eth0", 0, .notAnAddress("fe80::1%eth0")), ("/24", 0, .notAnAddress("")), ("010.0.0.1", 0, .notAnAddress("010.0.0.1")),
        ("1.2.3.4::", 0, .notAnAddress("1.2.3.4::")), (" 1.2.3.4", 0, .notAnAddress(" 1.2.3.4")),
    ]

    @Test(arguments: refused) func `refuses what is no pattern`(text: String, offset: Int, reason: AddressPatternError.Reason) {
        #expect(throws: AddressPatternError(reason, at: offset)) { try AddressPattern(parsing: text) }
    }

    static let rendered = [
        ("192.0.2.7", "192.0.2.7"), ("!192.0.2.0/24", "!192.0.2.0/24"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::/0", "::/0"), ("::1/128", "::1"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("::ffff:192.0.2.7", "192.0.2.7"), ("fe80::", "fe80::"),
    ]

    @Test(arguments: rendered) func `renders the canonical text (RFC 5952)`(text: String, canonical: String) throws {
        let pattern = try AddressPattern(parsing: text)
        #expect(pattern.description == canonical)
        #expect(try AddressPattern(parsing: canonical) == pattern)
    }
}
