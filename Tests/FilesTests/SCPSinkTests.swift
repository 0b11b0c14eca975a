import Files
import Peers
import SCP
import Testing

/// What a sink answers to a client's bytes.
private struct Talk {
    let files = MemoryFiles()
    var sink: SCPSink<MemoryFiles>

    init(target: String = ".", recursive: Bool = false, mustBeDirectory: Bool = false, prepare: (MemoryFiles) -> Void = { _ in }) {
        prepare(files)
        sink = SCPSink(files: files, target: MemoryFiles.path(target), options: SCPOptions(isRecursive: recursive, targetIsDirectory: mustBeDirectory))
    }

    /// - Returns: the answers, `0` for each that is good.
    mutating func say(_ text: String) throws -> String {
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            let count = try sink.receive(bytes, position..<bytes.count)
            if count == 0 { break }
            position += count
        }
        return answers()
    }

    mutating func answers() -> String {
        defer { sink.didSendOutput() }
        return String(decoding: sink.output.map { $0 == 0 ? UInt8(ascii: "0") : $0 == 1 ? UInt8(ascii: "!") : $0 }, as: UTF8.self)
    }

    func content(_ path: String) -> String? { files.state.files[MemoryFiles.path(path)].map { String(decoding: $0, as: UTF8.self) } }
}

@Suite("scp -t: files from a client") struct SCPSinkTests {
    @Test func `takes a file into a directory`() throws {
        var talk = Talk()
        #expect(talk.answers() == "0")
        #expect(try talk.say("T1000 0 900 0\n") == "0")
        #expect(try talk.say("C0644 5 a.csv\n") == "0")
        #expect(try talk.say("hello") == "")
        #expect(talk.content("a.csv") == nil)
        #expect(try talk.say("\0") == "0")
        #expect(talk.content("a.csv") == "hello")
        #expect(talk.files.state.times[MemoryFiles.path("a.csv")] == FileTimes(accessed: 900, modified: 1000))
        #expect(talk.sink.end() == 0)
    }

    @Test func `takes all at once, an empty file too, under the name of the target`() throws {
        var talk = Talk(target: "b")
        #expect(try talk.say("C0644 0 a\n\0") == "000")
        #expect(talk.content("b") == "")
    }

    @Test func `takes a tree`() throws {
        var talk = Talk(recursive: true)
        #expect(try talk.say("D0755 0 d\nD0755 0 e\nC0600 1 a\nx\0E\nE\n") == "0000000")
        #expect(talk.content("d/e/a") == "x")
        #expect(talk.sink.end() == 0)
    }

    @Test(arguments: [
        ("C0644 5 ..\n", "\"..\" is no file name"), ("C0644 5 a/b\n", "\"a/b\" is no file name"), ("C0644 5 /etc/passwd\n", "\"/etc/passwd\" is no file name"),
        ("C0644 5 \n", "\"\" is no file name"), ("C0644 5 .\n", "\".\" is no file name"), ("D0755 0 ..\n", "\"..\" is no file name"),
        ("C0944 5 a\n", "\"0944 5 a\" has no mode, size and name"), ("C644 5 a\n", "\"644 5 a\" has no mode, size and name"),
        ("C0644 -1 a\n", "\"0644 -1 a\" has no mode, size and name"), ("C0644 99999999999999999999 a\n", "\"0644 99999999999999999999 a\" has no mode, size and name"),
        ("C0644 9999999999999999999 a\n", "\"0644 9999999999999999999 a\" has no mode, size and name"), ("C0644 5\n", "\"0644 5\" has no mode, size and name"),
        ("T1 2 3\n", "\"1 2 3\" are no times"), ("Tx 0 1 0\n", "\"x 0 1 0\" are no times"),
        ("E\n", "an end of no directory"), ("Ex\n", "\"Ex\" is no record of scp"), ("X\n", "\"X\" is no record of scp"), ("\n", "\"\" is no record of scp"),
        ("D0755 0 d\n", "a directory without -r"),
    ])
    func `refuses a record`(record: String, reason: String) {
        var talk = Talk()
        #expect(throws: ServiceError(reason)) { _ = try talk.say(record) }
    }

    @Test func `refuses a record without an end`() {
        var talk = Talk()
        #expect(throws: ServiceError("a record without an end")) { _ = try talk.say("C0644 5 " + String(repeating: "a", count: 2000)) }
        #expect(throws: ServiceError("a record of 2008 bytes")) { _ = try talk.say("C0644 5 " + String(repeating: "a", count: 2000) + "\n") }
    }

    @Test func `a file that is refused does not end the rest`() throws {
        var talk = Talk { $0.state.files[MemoryFiles.path("a")] = [] }
        #expect(try talk.say("C0644 5 a\n") == "0!scp: a: the name is taken\n")
        #expect(try talk.say("C0644 1 b\nx\0") == "00")
        #expect(talk.content("b") == "x")
        #expect(talk.sink.end() == 1)
    }

    @Test func `a quota that is met in a file leaves nothing of it`() throws {
        var talk = Talk { $0.state.longest = 3 }
        #expect(try talk.say("C0644 5 a\nhe") == "00")
        #expect(try talk.say("llo\0") == "!scp: the quota is used up\n")
        #expect(talk.content("a") == nil)
        #expect(talk.files.state.discarded == 1)
        #expect(talk.sink.end() == 1)
    }

    @Test func `what is cut off leaves nothing`() throws {
        var talk = Talk()
        _ = try talk.say("C0644 5 a\nhell")
        #expect(talk.sink.end() == 1)
        #expect(talk.files.state.discarded == 1 && talk.content("a") == nil)
        var other = Talk()
        _ = try other.say("C0644 5 a\nhello")
        #expect(other.sink.end() == 1)
        #expect(other.files.state.discarded == 1 && other.content("a") == nil)
    }

    @Test func `a client that cannot read its file leaves nothing of it`() throws {
        var talk = Talk()
        #expect(try talk.say("C0644 2 a\nxx\u{1}scp: a: Input/output error\n") == "000")
        #expect(talk.content("a") == nil && talk.files.state.discarded == 1)
        #expect(talk.sink.end() == 1)
    }

    @Test func `what it could not read may be said in pieces`() throws {
        var talk = Talk()
        #expect(try talk.say("C0644 3 a\n") == "00")
        #expect(try talk.say("abc\u{1}it") == "")
        // As the client's bytes come again with those that follow.
        #expect(try talk.say("\u{1}it went away\n") == "0")
        #expect(talk.content("a") == nil && talk.files.state.discarded == 1)
    }

    @Test func `more data than was announced is refused`() {
        var talk = Talk()
        #expect(throws: ServiceError("more data than was announced")) { _ = try talk.say("C0644 1 a\nxE\n") }
    }

    @Test func `a target that must be a directory`() {
        var talk = Talk(target: "missing", mustBeDirectory: true)
        #expect(talk.answers() == "!scp: missing: Not a directory\n")
        #expect(talk.sink.status == 1)
    }
}
