import Policy
import Testing

@Suite("Issue 8: audit records for people") struct AuditSentenceTests {
    static let cases: [(record: String, sentence: String)] = [
        (#"{"event":"connect","local":"127.0.0.1:22"}"#, "connect: to 127.0.0.1:22"),
        (
            #"{"event":"authentication","result":"granted","key":"alice","login":"deploy","fingerprint":"SHA256:x"}"#,
            #"authentication: granted to alice as "deploy" with SHA256:x"#
        ),
        (
            #"{"event":"authentication","result":"refused","reason":"unknown key","login":"a\" with SHA256:y: no","fingerprint":"SHA256:x"}"#,
            #"authentication: refused to "a\" with SHA256:y: no" with SHA256:x: unknown key"#
        ),
        (
            #"{"event":"decision","key":"alice","login":"deploy","asked":"release v1","verdict":"run","command":"release"}"#,
            #"decision: run release for alice as "deploy", asked "release v1""#
        ),
        (
            #"{"event":"decision","key":"alice","login":"deploy","asked":"a\nb\u202e","verdict":"refuse","reason":"no such command"}"#,
            #"decision: refuse for alice as "deploy", asked "a\nb\u202e": no such command"#
        ),
        (
            #"{"event":"finished","key":"alice","command":"release","status":3,"duration_ms":12,"ended_by":"timeout","denied":{"ptrace":2}}"#,
            #"finished: release of alice: status 3 after 12 ms, ended by timeout, denied {"ptrace":2}"#
        ),
        (#"{"event":"finished","command":"release","signal":"KILL","duration_ms":1}"#, "finished: release: signal KILL after 1 ms"),
        (#"{"event":"failed","key":"k","command":"c","step":"lock","detail":""}"#, "failed: c of k: lock"),
        (#"{"event":"received","key":"k","path":"a\"b","size":7}"#, #"received: "a\"b" of k, 7 bytes"#),
        (#"{"event":"checked","program":"verify","path":"a","status":1,"duration_ms":3}"#, #"checked: verify of "a": status 1 after 3 ms"#),
        (#"{"event":"ref","key":"k","result":"accepted","ref":"refs/heads/main"}"#, #"ref: accepted "refs/heads/main" of k"#),
        (#"{"event":"violation","reason":"a\u001b[2J"}"#, #"violation: a\x1b[2J"#),
        (#"{"event":"suppressed","key":"k","count":9}"#, "suppressed: 9 more refused requests of k"),
        (#"{"event":"lost","count":2}"#, "lost: 2 records could not be written"),
        (#"{"event":"disconnect","reason":"bye","duration_ms":5}"#, "disconnect: bye after 5 ms"),
        (#"{"event":"ne\nw","a":"x\ny","b":7}"#, #"ne\nw: event="ne\nw" a="x\ny" b=7"#), (#"{"event":"connect"}"#, "connect: to ?"),
    ]

    @Test(arguments: cases) func `one sentence that nothing can forge`(record: String, sentence: String) throws {
        guard case .object(let members) = try JSONText(parsing: Array(record.utf8)) else { throw JSONFault.truncated }
        #expect(AuditSentence.text(try JSONText(parsing: Array(record.utf8))["event"].text, members) == sentence)
    }

    @Test func `a long text is cut`() {
        let sentence = AuditSentence.text("decision", [.init("asked", .string(String(repeating: "\u{0}", count: 5000)))])
        #expect(sentence.utf8.count < 600 && sentence.contains("…"))
    }
}

extension JSONText? {
    fileprivate var text: String { if case .string(let text) = self { text } else { "" } }
}

@Suite("RFC 8259: reading JSON") struct JSONParserTests {
    static let values: [JSONText] = [
        .null, true, false, .integer(.max), .integer(.min), "", [], [:], ["b": 1, "a": ["x", .null, [:]]], .string("\"\\\n\u{0}\u{202e}\u{e0041}é𝄞/"),
    ]

    @Test(arguments: values) func `what was written is read`(value: JSONText) throws {
        #expect(try JSONText(parsing: Array(value.description.utf8)) == value)
    }

    @Test func `spaces are passed over`() throws {
        #expect(try JSONText(parsing: Array(" { \"a\" : [ 1 , 2 ] , \"b\" : \"\\u00e9\\/\" }\r\n".utf8)) == ["a": [1, 2], "b": "é/"])
    }

    static let wrong: [(text: String, fault: JSONFault)] = [
        ("", .truncated), ("{", .truncated), ("\"a", .truncated), ("[1,", .truncated), ("{}x", .unexpected(at: 2)), ("[1 2]", .unexpected(at: 3)),
        ("{\"a\" 1}", .unexpected(at: 5)), ("{1:2}", .unexpected(at: 1)), ("tru", .truncated), ("nul!", .unexpected(at: 3)), ("1.5", .badNumber(at: 0)),
        ("1e3", .badNumber(at: 0)), ("99999999999999999999", .badNumber(at: 0)), ("--1", .badNumber(at: 0)), ("\"a\nb\"", .unexpected(at: 2)),
        ("\"\\x\"", .unexpected(at: 2)), ("\"\\ud800\"", .unexpected(at: 2)), ("\"\\ud800\\u0041\"", .unexpected(at: 2)), ("\"\\udc00\"", .unexpected(at: 2)),
        (String(repeating: "[", count: 100), .tooDeep), ("posternd: x", .unexpected(at: 0)),
    ]

    @Test(arguments: wrong) func `refuses what is none`(text: String, fault: JSONFault) {
        #expect(throws: fault) { try JSONText(parsing: Array(text.utf8)) }
    }

    @Test func `refuses what is not UTF-8`() {
        #expect(throws: JSONFault.unexpected(at: 1)) { try JSONText(parsing: [0x22, 0xff, 0x22]) }
    }

    @Test func `no text makes it trap`() throws {
        var random = FixedRandom(state: 11)
        let sample = Array(#"{"time":"x","a":["\u00e9\ud83d\ude00",1,-2,true,null,{"b":"\\"}]}"#.utf8)
        for _ in 0..<5000 {
            var bytes = sample
            for _ in 0..<Int.random(in: 1...4, using: &random) { bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            do { _ = try JSONText(parsing: Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))) } catch {}
        }
    }
}
