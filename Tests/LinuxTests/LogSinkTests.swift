import CLinux
import Linux
import Testing

@Suite("Log sinks") struct LogSinkTests {
    static func entry(_ text: String) -> LogEntry { LogEntry(.notice, text, message: text) }

    static func lines(_ path: String) throws -> [String] {
        String(decoding: try readFile(path, limit: 1 << 20), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func `a file is appended to, also after another has taken its name`() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/log"
        let sink = LogSink.file(try LogFile(path))
        #expect(try openFile(path).status().mode == 0o600)
        try sink.write(Self.entry("one"))
        // What logrotate does: move it away, and perhaps make a new one.
        try rename(path, scratch.path + "/log.1")
        try sink.write(Self.entry("two"))
        try rename(path, scratch.path + "/log.2")
        try createFile(path, [], mode: 0o640)
        try sink.write(Self.entry("three"))
        #expect(try Self.lines(scratch.path + "/log.1") == ["one"])
        #expect(try Self.lines(scratch.path + "/log.2") == ["two"])
        #expect(try Self.lines(path) == ["three"])
        // copytruncate.
        _ = try openFile(path, [.write, .truncate])
        try sink.write(Self.entry("four"))
        #expect(try Self.lines(path) == ["four"])
        #expect(try openFile(path).status().mode == 0o640)
    }

    private func rename(_ old: String, _ new: String) throws {
        try #require(CLinux.rename(old, new) == 0)
    }

    @Test func `two writers of one file do not mix`() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/log"
        let sinks = try (0..<4).map { _ in LogSink.file(try LogFile(path)) }
        for number in 0..<100 { try sinks[number % 4].write(Self.entry("line \(number)")) }
        #expect(try Self.lines(path) == (0..<100).map { "line \($0)" })
    }

    @Test func `what could be no log is refused`() throws {
        let scratch = try Scratch()
        try #require(CLinux.mkfifo(scratch.path + "/fifo", 0o600) == 0)
        try #require(CLinux.symlink("/etc/passwd", scratch.path + "/link") == 0)
        let wrong: [(String, Errno)] = [
            (scratch.path, .isDirectory), ("\(scratch.path)/none/log", .notFound), ("\(scratch.path)/link", .tooManyLinks),
            ("\(scratch.path)/fifo", Errno(ENXIO)),
        ]
        for (path, error) in wrong { #expect(throws: error, "\(path)") { _ = try LogFile(path) } }
        _ = try LogFile("/dev/null")
    }

    @Test func `a full disk is an error`() throws {
        let sink = LogSink.file(try LogFile("/dev/full"))
        #expect(throws: Errno.noSpace) { try sink.write(Self.entry("lost")) }
        #expect(throws: Errno.noSpace) { try LogSink.descriptor(try openFile("/dev/full", .write)).write(Self.entry("lost")) }
    }

    @Test func `a service that is not there is an error`() throws {
        let scratch = try Scratch()
        for sink in [LogSink.systemLog(LogSocket(scratch.path + "/none"), name: "x"), .journal(LogSocket(scratch.path + "/none"), name: "x")] {
            #expect(throws: Errno.notFound) { try sink.write(Self.entry("lost")) }
        }
        let long = LogSink.systemLog(LogSocket("/" + String(repeating: "x", count: 200)), name: "x")
        #expect(throws: Errno.tooLongName) { try long.write(Self.entry("lost")) }
    }

    @Test func `what another program made non-blocking is waited for`() throws {
        let (reading, writing) = try Descriptor.pipe()
        try writing.setNonBlocking()
        try LogSink.descriptor(writing).write(Self.entry("a\nb\u{7f}"))
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = try #require(try reading.read(into: &bytes, bytes.indices))
        #expect(String(decoding: bytes[..<count], as: UTF8.self) == "a?b?\n")
    }
}

@Suite("systemd's Native Journal Protocol") struct JournalMessageTests {
    @Test func `fields are lines, and what has a line feed goes with its length`() {
        let entry = LogEntry(.info, "line", message: "hello", fields: [("POSTERN_A", "x=y"), ("POSTERN_B", "one\nPRIORITY=0\n")])
        let head = "MESSAGE=hello\nPRIORITY=6\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=posternd\nSYSLOG_PID=7\nPOSTERN_A=x=y\nPOSTERN_B\n"
        let expected = Array(head.utf8) + [15, 0, 0, 0, 0, 0, 0, 0] + Array("one\nPRIORITY=0\n\n".utf8)
        #expect(JournalMessage(entry, name: "posternd", process: 7).bytes == expected)
    }
}
