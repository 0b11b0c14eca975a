import Files
import Testing

@Suite("DESIGN §3.2: paths of clients") struct PathTests {
    @Test(arguments: [
        ("", "/"), (".", "/"), ("/", "/"), ("..", "/"), ("/../..", "/"), ("a", "/a"), ("/a//b/./c", "/a/b/c"), ("a/../b", "/b"), ("a/../../../b", "/b"),
    ])
    func `a path is resolved as text and never leaves the root`(path: String, resolved: String) throws {
        #expect(String(decoding: try RemotePath(Array(path.utf8)).bytes, as: UTF8.self) == resolved)
    }

    @Test func `what can be no path is refused`() {
        #expect(throws: FileError(.badMessage, "the path holds a NUL")) { try RemotePath([0x61, 0]) }
        #expect(throws: FileError(.badMessage, "the name is too long")) { try RemotePath(Array(String(repeating: "a", count: 256).utf8)) }
        #expect(throws: FileError(.badMessage, "the path is too long")) { try RemotePath(Array(String(repeating: "a/", count: 2048).utf8)) }
        #expect(throws: FileError(.badMessage, "the path has too many parts")) { try RemotePath(Array(String(repeating: "a/", count: 65).utf8)) }
    }

    @Test(arguments: ["", ".", "..", "a/b", "/", "../a"]) func `a name is one step down`(name: String) {
        #expect(throws: FileError(.badMessage, "\"\(name)\" is no file name")) { try RemotePath.root.appending(Array(name.utf8)) }
    }

    @Test func `what is below goes where its directory goes`() throws {
        func path(_ text: String) throws -> RemotePath { try RemotePath(Array(text.utf8)) }
        for (from, to) in [("a/b", "c/d/b"), ("a", "c/d"), ("ab", "ab"), ("", ""), ("b/a", "b/a")] {
            #expect(try path(from).moved(from: path("a"), to: path("c/d")) == path(to))
        }
        #expect(try path("a/b").isWithin(Array("a".utf8)) && !path("ab").isWithin(Array("a".utf8)) && path("a").isWithin(Array("a".utf8)))
        let long = try path(String(repeating: String(repeating: "n", count: 255) + "/", count: 15))
        #expect(throws: FileError(.badMessage, "the path is too long")) { try long.appending(Array(repeating: 0x6e, count: 255)).appending([0x6e]) }
    }

    @Test(arguments: [("~", "/"), ("~/a", "/a"), ("~bob/a", "/~bob/a"), ("a~", "/a~")]) func `a tilde is the root`(path: String, resolved: String) throws {
        #expect(String(decoding: try RemotePath(expanding: Array(path.utf8)).bytes, as: UTF8.self) == resolved)
    }

    @Test(arguments: [
        ("*.csv", "a.csv", true), ("*.csv", ".csv", true), ("*.csv", "a.csv.exe", false), ("?", "a", true), ("?", "", false), ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYbZ", false), ("**", "", true), ("[a]", "a", false), ("*", "\u{1b}[2J", true),
    ])
    func `a pattern fits the whole name`(pattern: String, name: String, fits: Bool) {
        #expect(NamePattern(pattern.utf8).matches(Array(name.utf8)) == fits)
    }

    @Test func `many stars do not take long`() {
        #expect(!NamePattern((String(repeating: "a*", count: 100) + "c").utf8).matches(Array(repeating: 0x61, count: 255) + [0x62]))
    }

    @Test func `a name moves no cursor`() {
        #expect(VisibleName.text("a\u{1b}[2J\u{202e}ü".utf8) == "a\\x1b[2J\\x202eü")
    }
}
