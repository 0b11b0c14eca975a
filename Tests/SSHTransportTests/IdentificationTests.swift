import Testing

@testable import SSHTransport

@Suite("RFC 4253 §4.2: identification string") struct IdentificationTests {
    private func find(_ text: String, fromServer: Bool = false) throws(IdentificationError) -> (line: String, consumed: Int)? {
        let bytes = Array(text.utf8)
        return try Identification.find(in: bytes[...], allowsLinesBefore: fromServer).map { ($0.0.line, $0.consumed) }
    }

    static let good: [(text: String, line: String)] = [
        ("SSH-2.0-x\r\n", "SSH-2.0-x"), ("SSH-2.0-x\nrest", "SSH-2.0-x"), ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10"),
        ("SSH-1.99-old\r\n", "SSH-1.99-old"), ("SSH-2.0--\r\n", "SSH-2.0--"),
    ]

    @Test(arguments: good) func `is taken without its line end`(text: String, line: String) throws {
        let found = try #require(try find(text))
        #expect(found.line == line)
        #expect(found.consumed == text.utf8.firstIndex(of: 10)!.utf16Offset(in: text) + 1)
    }

    static let bad: [(text: String, IdentificationError)] = [
        ("\r\n", .malformed), ("GET / HTTP/1.0\r\n", .malformed), ("ssh-2.0-x\r\n", .malformed), ("SSH-2.0\r\n", .malformed),
        ("SSH-2.0-\r\n", .malformed), ("SSH-2.0-a\u{0}b\r\n", .malformed), ("SSH-2.0-a\tb\r\n", .malformed), ("SSH-2.0-ü\r\n", .malformed),
        ("SSH-2.0-a\rb\r\n", .malformed), ("SSH-2.0-a\r\r\n", .malformed),
        ("SSH-1.5-x\r\n", .protocolVersion("1.5")), ("SSH-3.0-x\r\n", .protocolVersion("3.0")), ("SSH--x\r\n", .protocolVersion("")),
        ("SSH-2.00-x\r\n", .protocolVersion("2.00")),
    ]

    @Test(arguments: bad) func `is refused for its reason`(text: String, error: IdentificationError) {
        #expect(throws: error) { try find(text) }
    }

    @Test func `has at most 255 bytes with its line end`() throws {
        let longest = "SSH-2.0-" + String(repeating: "x", count: 245)
        #expect(try find(longest + "\r\n")?.line == longest)
        #expect(throws: IdentificationError.tooLong(limit: 255)) { try find(longest + "x\r\n") }
        #expect(throws: IdentificationError.tooLong(limit: 255)) { try find(longest + "xxx") }
        #expect(try find(longest + "\r") == nil)
    }

    @Test func `comes byte by byte`() throws {
        let text = "SSH-2.0-x\r\n"
        for count in 0..<text.utf8.count { #expect(try find(String(text.prefix(count).prefix { $0 != "\r\n" })) == nil) }
    }

    @Test func `lines may stand before a server's, not before a client's`() throws {
        let text = "hello\r\nsecond: \u{1} ü\nSSH-2.0-x\r\n"
        #expect(try find(text, fromServer: true)?.line == "SSH-2.0-x")
        #expect(throws: IdentificationError.malformed) { try find(text) }
    }

    @Test func `lines before are limited in number and length`() throws {
        let lines = String(repeating: "x\n", count: 64)
        #expect(try find(lines + "SSH-2.0-x\n", fromServer: true)?.line == "SSH-2.0-x")
        #expect(throws: IdentificationError.tooLong(limit: 255 * 64)) { try find(lines + "x\nSSH-2.0-x\n", fromServer: true) }
        #expect(throws: IdentificationError.tooLong(limit: 255)) { try find(String(repeating: "x", count: 255) + "\nSSH-2.0-x\n", fromServer: true) }
    }
}
