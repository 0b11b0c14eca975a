import Linux
import Testing

/// A directory of its own for one test, removed at the end.
final class Scratch {
    let path: String

    init() throws {
        path = "/tmp/postern-linux-\(processID)-\(UInt64.random(in: 0 ... .max))"
        try makeDirectory(path)
    }

    deinit { try? removeTree(path) }
}

@Suite("Files") struct FilesTests {
    @Test func `a file may be of a year that no clock of 64 bits reaches`() throws {
        let scratch = try Scratch()
        try createFile(scratch.path + "/far", [1])
        let file = try openFile(scratch.path + "/far", .readWrite)
        try file.setTimes(accessed: 10_413_792_000, modified: -10_413_792_000)
        #expect(try file.status().accessed == .max && file.status().modified < 0)
    }

    @Test func `a file is replaced whole`() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/policy"
        try replaceFile(path, [1, 2, 3], mode: 0o644)
        #expect(try readFile(path, limit: 3) == [1, 2, 3])
        #expect(try openFile(path).status().mode == 0o644)
        let old = try openFile(path)
        // What a process with our id left, when it was killed before the end.
        try createFile("\(path).new.\(processID)", [9])
        try replaceFile(path, [4], mode: 0o600)
        #expect(try old.readAll(limit: 9) == [1, 2, 3])
        #expect(try readFile(path, limit: 9) == [4])
    }

    @Test func `creating does not overwrite`() throws {
        let scratch = try Scratch()
        try createFile(scratch.path + "/key", [1], mode: 0o600)
        #expect(throws: Errno.exists) { try createFile(scratch.path + "/key", [2], mode: 0o600) }
        #expect(try readFile(scratch.path + "/key", limit: 9) == [1])
    }

    @Test func `what is longer than its limit is not read`() throws {
        let scratch = try Scratch()
        try createFile(scratch.path + "/a", [1, 2])
        #expect(throws: Errno.fileTooLarge) { try readFile(scratch.path + "/a", limit: 1) }
        #expect(throws: Errno.notFound) { try readFile(scratch.path + "/b", limit: 1) }
    }

    @Test func `a trusted file is opened as its user`() throws {
        #expect(try executablePath().hasPrefix("/"))
        let user = try #require(try Users.with(uid: 0))
        #expect(user.name == "root")
        #expect(user.gid == 0 && user.groups.contains(0))
        #expect(try Users.named("root") == user)
        #expect(try Users.named("no-such-user") == nil)
    }

    @Test func `log lines stay one line`() throws {
        let (reading, writing) = try Descriptor.pipe()
        try LogSink.descriptor(writing).write(LogEntry(.info, "a\nb\u{1b}[0m ü", message: ""))
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = try #require(try reading.read(into: &bytes, bytes.indices))
        #expect(String(decoding: bytes[..<count], as: UTF8.self) == "a?b?[0m ü\n")
    }

    @Test func `signals have the names of RFC 4254`() {
        #expect(Signal(name: "TERM") == .terminate)
        #expect(Signal(name: "SIGTERM") == nil)
        #expect(Signal.badSystemCall.name == nil)
        #expect("\(Signal.kill) \(Signal.badSystemCall)" == "SIGKILL signal 31")
    }
}
