import Files
import Peers
import SCP
import Testing

@Suite("scp -f: files to a client") struct SCPSourceTests {
    /// What is sent, when the client says yes to everything.
    private func everything(_ path: String, recursive: Bool = false, times: Bool = false, answers: String = "", prepare: (MemoryFiles) -> Void) throws -> (String, UInt32?) {
        let files = MemoryFiles()
        prepare(files)
        var source = SCPSource(files: files, path: MemoryFiles.path(path), options: SCPOptions(isRecursive: recursive, keepsTimes: times))
        var sent: [UInt8] = []
        var answers = Array(answers.utf8)[...]
        for _ in 0..<100 where source.status == nil {
            let answer = answers.isEmpty ? [0] : Array(answers)
            let count = try source.receive(answer, 0..<answer.count)
            if !answers.isEmpty { answers = answers.dropFirst(count) }
            while !source.output.isEmpty {
                sent += source.output
                source.didSendOutput()
                source.advance()
            }
        }
        return (String(decoding: sent.map { $0 == 0 ? UInt8(ascii: "0") : $0 == 1 ? UInt8(ascii: "!") : $0 }, as: UTF8.self), source.status)
    }

    @Test func `sends a file with its times`() throws {
        let (sent, status) = try everything("a", times: true) { $0.state.files[MemoryFiles.path("a")] = Array("hello".utf8) }
        #expect(sent == "T1000000000 0 0 0\nC0644 5 a\nhello0")
        #expect(status == 0)
    }

    @Test func `sends a tree`() throws {
        let (sent, status) = try everything("d", recursive: true) { files in
            files.state.directories = [.root, MemoryFiles.path("d"), MemoryFiles.path("d/e")]
            files.state.files = [MemoryFiles.path("d/a"): [0x78], MemoryFiles.path("d/e/b"): []]
        }
        #expect(sent == "D0755 0 d\nC0644 1 a\nx0D0755 0 e\nC0644 0 b\n0E\nE\n")
        #expect(status == 0)
    }

    @Test func `says what it does not send`() throws {
        #expect(try everything("a") { _ in } == ("!scp: a: No such file or directory\n", 1))
        #expect(try everything("a") { $0.state.deniesDownloads = true } == ("!scp: a: Permission denied\n", 1))
        #expect(try everything("d") { $0.state.directories.insert(MemoryFiles.path("d")) } == ("!scp: d: not a regular file\n", 1))
        #expect(try everything("a\nb") { $0.state.files[MemoryFiles.path("a\nb")] = [] } == ("!scp: a\\xab: the name holds a line feed\n", 1))
    }

    @Test func `a file that the client refuses is passed over`() throws {
        let (sent, status) = try everything("a", answers: "\0\u{1}no space\n") { $0.state.files[MemoryFiles.path("a")] = Array("hello".utf8) }
        #expect(sent == "C0644 5 a\n")
        #expect(status == 1)
    }

    @Test func `a file that the client could not keep ends no directory`() throws {
        let (sent, status) = try everything("d", recursive: true, answers: "\0\0\0\u{1}no space\n") { files in
            files.state.directories = [.root, MemoryFiles.path("d")]
            files.state.files = [MemoryFiles.path("d/a"): [0x78]]
        }
        #expect(sent == "D0755 0 d\nC0644 1 a\nx0E\n")
        #expect(status == 1)
    }

    @Test func `an answer that is none ends it`() {
        #expect(throws: ServiceError("an answer that is none")) { try everything("a", answers: "x") { _ in } }
    }
}
