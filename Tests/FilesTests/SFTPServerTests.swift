import Files
import Peers
import SFTP
import SSHWire
import Testing

/// A client that builds packets by hand.
private struct Client {
    let files = MemoryFiles()
    var server: SFTPServer<MemoryFiles>

    init(greets: Bool = true) throws {
        server = SFTPServer(files: files, now: 1_000_000_100)
        if greets { _ = try ask { $0.byte(1); $0.uint32(3) } }
    }

    /// Sends one packet and takes its answer apart: type, and what stands behind the id.
    mutating func ask(_ fields: (inout WireWriter) -> Void) throws -> (type: UInt8, rest: WireReader) {
        var body = WireWriter()
        fields(&body)
        var packet = WireWriter()
        packet.string(body.bytes)
        let taken = try server.receive(packet.bytes, packet.bytes.indices)
        #expect(taken == packet.bytes.count)
        defer { server.didSendOutput() }
        var reader = WireReader(server.output)
        let length = try reader.uint32()
        #expect(Int(length) == server.output.count - 4)
        let type = try reader.byte()
        if type != 2 { #expect(try reader.uint32() == 7) }
        return (type, reader)
    }

    mutating func request(_ type: UInt8, _ fields: (inout WireWriter) -> Void) throws -> (type: UInt8, rest: WireReader) {
        try ask {
            $0.byte(type)
            $0.uint32(7)
            fields(&$0)
        }
    }

    /// The code and text of a status.
    mutating func status(_ type: UInt8, _ fields: (inout WireWriter) -> Void) throws -> String {
        var (answer, rest) = try request(type, fields)
        #expect(answer == 101)
        return "\(try rest.uint32()) \(try rest.text(limit: 1000))"
    }

    mutating func open(_ path: String, _ bits: UInt32) throws -> [UInt8] {
        var (answer, rest) = try request(3) { $0.text(path); $0.uint32(bits); $0.uint32(0) }
        #expect(answer == 102)
        return try rest.string(limit: 100)
    }
}

@Suite("draft-ietf-secsh-filexfer-02: SFTP version 3") struct SFTPServerTests {
    @Test func `begins with version 3 and what is served beyond it`() throws {
        var client = try Client(greets: false)
        var (type, rest) = try client.ask { $0.byte(1); $0.uint32(6) }
        #expect(type == 2)
        #expect(try rest.uint32() == 3)
        var names: [String] = []
        while rest.remaining > 0 {
            names.append(try rest.text(limit: 100))
            _ = try rest.text(limit: 100)
        }
        #expect(names == ["posix-rename@openssh.com", "statvfs@openssh.com", "fstatvfs@openssh.com", "fsync@openssh.com", "limits@openssh.com", "expand-path@openssh.com", "home-directory"])
    }

    @Test func `what was written last is prepared when nothing more has come, once, and not when it is closed`() throws {
        var client = try Client()
        let handle = try client.open("/a", 0x1a)
        #expect(!client.server.canWorkAhead)
        for prepared in 1...2 {
            #expect(try client.status(6) { $0.string(handle); $0.uint64(0); $0.text("a") } == "0 Success")
            #expect(client.server.canWorkAhead)
            client.server.workAhead()
            #expect(!client.server.canWorkAhead)
            client.server.workAhead()
            #expect(client.files.state.prepared.count == prepared)
        }
        #expect(try client.status(6) { $0.string(handle); $0.uint64(0); $0.text("b") } == "0 Success")
        #expect(try client.status(4) { $0.string(handle) } == "0 Success")
        #expect(!client.server.canWorkAhead)
    }

    @Test func `a file appears when it is closed`() throws {
        var client = try Client()
        let handle = try client.open("/a", 0x1a)
        #expect(try client.status(6) { $0.string(handle); $0.uint64(3); $0.text("lo") } == "0 Success")
        #expect(try client.status(6) { $0.string(handle); $0.uint64(0); $0.text("hel") } == "0 Success")
        #expect(client.files.state.files.isEmpty)
        #expect(try client.status(4) { $0.string(handle) } == "0 Success")
        #expect(client.files.state.files[MemoryFiles.path("a")] == Array("hello".utf8))
        #expect(try client.status(4) { $0.string(handle) } == "2 No such file")
    }

    @Test func `a client that goes leaves nothing`() throws {
        var client = try Client()
        _ = try client.open("/a", 0x1a)
        #expect(client.server.end() == 0)
        #expect(client.files.state.discarded == 1)
    }

    @Test func `reads a file, and its end`() throws {
        var client = try Client()
        client.files.state.files[MemoryFiles.path("a")] = Array("hello".utf8)
        let handle = try client.open("/a", 1)
        var (type, rest) = try client.request(5) { $0.string(handle); $0.uint64(1); $0.uint32(100) }
        #expect(type == 103)
        #expect(try rest.text(limit: 100) == "ello")
        #expect(try client.status(5) { $0.string(handle); $0.uint64(5); $0.uint32(100) } == "1 End of file")
        #expect(try client.status(6) { $0.string(handle); $0.uint64(0); $0.text("x") } == "4 Failure")
    }

    @Test func `lists a directory in the form of ls`() throws {
        var client = try Client()
        client.files.state.files[MemoryFiles.path("a")] = Array("hello".utf8)
        var (type, rest) = try client.request(11) { $0.text(".") }
        #expect(type == 102)
        let handle = try rest.string(limit: 100)
        (type, rest) = try client.request(12) { $0.string(handle) }
        #expect(type == 104)
        #expect(try rest.uint32() == 1)
        #expect(try rest.text(limit: 100) == "a")
        #expect(try rest.text(limit: 200) == "-rw-r--r--   1 7        8               5 Sep  9 01:46 a")
        #expect(try client.status(12) { $0.string(handle) } == "1 End of file")
    }

    @Test func `resolves paths as text`() throws {
        var client = try Client()
        var (type, rest) = try client.request(16) { $0.text("/x/../../y/.") }
        #expect(type == 104)
        #expect(try rest.uint32() == 1)
        #expect(try rest.text(limit: 100) == "/y")
    }

    @Test func `says what space there is`() throws {
        var client = try Client()
        var (type, rest) = try client.request(200) { $0.text("statvfs@openssh.com"); $0.text("/") }
        #expect(type == 201)
        var numbers: [UInt64] = []
        for _ in 0..<11 { numbers.append(try rest.uint64()) }
        #expect(numbers == [4096, 4096, 2, 1, 1, 10, 9, 9, 0, 2, 255])
    }

    @Test func `refuses with a code and a reason, which also goes to standard error`() throws {
        var client = try Client()
        client.files.state.files[MemoryFiles.path("a")] = []
        #expect(try client.status(3) { $0.text("/a"); $0.uint32(0x1a); $0.uint32(0) } == "4 Failure: the name is taken")
        #expect(client.server.takeNotes() == ["a: the name is taken"])
        #expect(try client.status(17) { $0.text("/b") } == "2 No such file")
        #expect(try client.status(9) { $0.text("/a"); $0.uint32(2); $0.uint32(0); $0.uint32(0) } == "3 Permission denied")
        #expect(try client.status(17) { $0.string([0x61, 0]) } == "5 Bad message: the path holds a NUL")
    }

    @Test(arguments: [(UInt8(19), "readlink"), (20, "symlink"), (21, "link"), (99, "what nobody knows")])
    func `does not know`(type: UInt8, name: String) throws {
        var client = try Client()
        #expect(try client.status(type) { $0.text("/a"); $0.text("/b") } == "8 Operation unsupported")
    }

    @Test(arguments: ["hardlink@openssh.com", "copy-data", "lsetstat@openssh.com", "users-groups-by-id@openssh.com", ""])
    func `does not know an extension`(name: String) throws {
        var client = try Client()
        #expect(try client.status(200) { $0.text(name); $0.text("/a"); $0.text("/b") } == "8 Operation unsupported")
    }

    @Test func `at most a hundred files are open`() throws {
        var client = try Client()
        for number in 0..<100 { _ = try client.open("/\(number)", 0x1a) }
        #expect(try client.status(3) { $0.text("/a"); $0.uint32(0x1a); $0.uint32(0) } == "4 Failure: too many files are open")
    }

    @Test func `handles are none of another kind`() throws {
        var client = try Client()
        for bytes in [[], [0, 0, 0], [0, 0, 0, 1], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 0]] as [[UInt8]] {
            #expect(try client.status(5) { $0.string(bytes); $0.uint64(0); $0.uint32(1) } == "4 Failure")
            #expect(try client.status(4) { $0.string(bytes) } == "2 No such file")
        }
    }

    @Test func `a packet that is none ends it`() throws {
        func reason(_ bytes: [UInt8], greets: Bool = true) throws -> String {
            var client = try Client(greets: greets)
            do throws(ServiceError) {
                _ = try client.server.receive(bytes, bytes.indices)
                return ""
            } catch { return error.reason }
        }
        #expect(try reason([0, 4, 0, 1, 3]) == "a packet of 262145 bytes")
        #expect(try reason([0, 0, 0, 4, 3]) == "a packet of 4 bytes")
        #expect(try reason([0, 0, 0, 5, 17, 0, 0, 0, 1]) == "a malformed packet of type 17: truncated(needed: 4, remaining: 0)")
        #expect(try reason([0, 0, 0, 5, 17, 0, 0, 0, 1], greets: false) == "a malformed packet of type 17: unknownMessage(17)")
        #expect(try reason([0, 0, 0, 5, 1, 0, 0, 0, 3]) == "a malformed packet of type 1: badValue(\"version\")")
        #expect(try reason([0, 0, 0, 11, 17, 0, 0, 0, 1, 0, 0, 0, 1, 0x61, 0]) == "a malformed packet of type 17: trailing(count: 1)")
    }

    @Test func `half a packet waits for the rest`() throws {
        var client = try Client()
        #expect(try client.server.receive([0, 0, 0, 9, 17, 0], 0..<6) == 0)
        #expect(client.server.output.isEmpty)
    }
}
