import Policy
import Testing

@Suite("DESIGN §3.3: the line of an scp client") struct DropCommandLineTests {
    private func path(_ line: String) throws -> String { String(decoding: try DropCommandLine(parsing: Array(line.utf8)).path, as: UTF8.self) }

    @Test(arguments: [
        ("scp -t .", "."), ("scp -v -t a", "a"), ("scp -rpd -t -- -a", "-a"), ("scp -t my file", "my file"), ("scp -t 'my file'", "my file"),
        (#"scp -t my\ file"#, "my file"), (#"scp -t "a'b""#, "a'b"), ("scp -t a'b", "a'b"), ("scp -t a; id", "a; id"), ("scp -t $(id)", "$(id)"),
        ("scp  -t   a ", "a "), ("scp -t 'a' b", "'a' b"), ("scp -t \u{1}", "\u{1}"), ("scp -t ~/a", "~/a"), ("scp -t *", "*"),
    ])
    func `what follows the options is the path`(line: String, expected: String) throws {
        #expect(try path(line) == expected)
    }

    @Test func `its letters say what is copied where`() throws {
        let line = try DropCommandLine(parsing: Array("scp -v -r -p -d -f -- x".utf8))
        #expect(!line.isUpload && line.isRecursive && line.keepsTimes && line.targetIsDirectory)
    }

    @Test func `a path need not be UTF-8`() throws {
        #expect(try DropCommandLine(parsing: Array("scp -t ".utf8) + [0xff, 0x01]).path == [0xff, 0x01])
    }

    @Test(arguments: [
        ("scp", DropCommandLine.Fault.noDirection), ("scp a b", .noDirection), ("scp -r .", .noDirection), ("scp -t -f .", .noDirection), ("scp -t", .noPath),
        ("scp -t --", .noPath), ("scp -S x -t .", .unknownOption("-S")), ("scp -tS .", .unknownOption("-tS")), ("scp -oA=b -t .", .unknownOption("-oA=b")),
        ("scp --help", .unknownOption("--help")), ("scp -t - .", .unknownOption("-")), ("scp -3 -t .", .unknownOption("-3")), ("scp -t a\0b", .nul),
        ("scp -t " + String(repeating: "a", count: 65536), .tooLong),
    ])
    func `refuses`(line: String, fault: DropCommandLine.Fault) {
        #expect(throws: fault) { try DropCommandLine(parsing: Array(line.utf8)) }
    }

    @Test(arguments: [("scp -t .", true), ("scp", true), ("scp2 -t .", false), ("/usr/bin/scp -t .", false), (" scp -t .", false), ("SCP -t .", false)])
    func `is for lines that begin with scp`(line: String, isMeant: Bool) {
        #expect(DropCommandLine.isMeant(by: Array(line.utf8)) == isMeant)
    }
}
