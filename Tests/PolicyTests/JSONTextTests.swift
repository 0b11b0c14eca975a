import Foundation
import Policy
import Testing

@Suite("DESIGN §4.1: JSON") struct JSONTextTests {
    static let cases: [(JSONText, String)] = [
        (.null, "null"), (true, "true"), (.integer(.min), "-9223372036854775808"), ("", "\"\""), ([], "[]"), ([:], "{}"),
        (["b": 1, "a": ["x", .null, false]], #"{"b":1,"a":["x",null,false]}"#), (.string("a\"b\\c/é𝄞"), #""a\"b\\c/é𝄞""#),
        (.string("\n\r\t\u{0}\u{1b}\u{7f}"), #""\n\r\t\u0000\u001b\u007f""#), (.string("\u{85}\u{2028}\u{2029}"), #""\u0085\u2028\u2029""#),
        (.string("a\u{202e}b\u{200b}\u{feff}\u{2066}"), #""a\u202eb\u200b\ufeff\u2066""#), (.string("\u{e0041}"), #""\udb40\udc41""#),
        (.bytes([0x61, 0xff, 0xc3, 0x22]), #""a\\xff\\xc3\"""#), (["a\nb": "\r\n"], #"{"a\nb":"\r\n"}"#),
    ]

    @Test(arguments: cases) func `is one line that nothing can forge`(value: JSONText, text: String) {
        #expect(value.description == text)
        #expect(!text.utf8.contains { $0 < 0x20 })
    }

    @Test func `another reader reads the same text`() throws {
        var random = FixedRandom(state: 4)
        for _ in 0..<200 {
            let scalars = (0..<20).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...0x2fff, using: &random)) }
            let text = String(String.UnicodeScalarView(scalars))
            let object = try JSONSerialization.jsonObject(with: Data(JSONText.array([.string(text)]).description.utf8))
            #expect((object as? [String])?.first.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    static let long: [(value: JSONText, limit: Int, text: String)] = [
        ("short", 7, #""short""#), ("longer than that", 7, #""longe""#), ("\n\n\n\n", 7, #""\n\n""#), ("", 0, #""""#),
        (.bytes([0xff, 0xff, 0xff]), 16, #""\\xff\\xff""#), (["ab", "cd", "efgh"], 15, #"["ab","cd","e"]"#),
        (["ab", 12345], 8, #"["ab"]"#), (1_000_000, 2, "1000000"),
    ]

    @Test(arguments: long) func `what is too long is cut between characters`(value: JSONText, limit: Int, text: String) {
        #expect(value.abridged(to: limit).description == text)
    }
}
