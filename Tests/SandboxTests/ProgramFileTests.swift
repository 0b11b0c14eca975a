import Linux
import Sandbox
import Testing

@Suite("DESIGN §3.2: what is run") struct ProgramFileTests {
    private func scratch() throws -> String {
        let path = "/tmp/postern-program-\(processID)-\(UInt64.random(in: 0 ... .max))"
        try makeDirectory(path)
        return path
    }

    private func remove(_ path: String) { _ = try? run(["/bin/rm", "-r", path]) }

    @Test func `an ELF program is run by what was checked, even when its name is given away`() throws {
        let directory = try scratch()
        defer { remove(directory) }
        _ = try run(["/bin/cp", "/bin/echo", directory + "/tool"])
        let program = try ProgramFile(directory + "/tool")
        #expect(program.kind == .elf)
        try replaceFile(directory + "/tool", Array("#!/bin/sh\necho replaced\n".utf8), mode: 0o755)
        #expect(try run(["tool", "checked"]) { $0.program = program.program }.output == "checked\n")
    }

    @Test func `a script is run by its path, which it sees`() throws {
        let directory = try scratch()
        defer { remove(directory) }
        try createFile(directory + "/tool", Array("#!/bin/sh\necho \"$0 $1\"\n".utf8), mode: 0o755)
        let program = try ProgramFile(directory + "/tool", trusting: Users.currentUID)
        #expect(program.kind == .script)
        #expect(try run(["tool", "a"]) { $0.program = program.program }.output == "\(directory)/tool a\n")
        _ = try run(["/bin/chmod", "777", directory])
        #expect(throws: ProgramError.untrusted(.writable(path: directory, mode: 0o777))) {
            try ProgramFile(directory + "/tool", trusting: Users.currentUID)
        }
    }

    @Test func `what cannot be run is said so`() throws {
        let directory = try scratch()
        defer { remove(directory) }
        try createFile(directory + "/text", Array("hello".utf8), mode: 0o755)
        try createFile(directory + "/short", [0x7f], mode: 0o755)
        try createFile(directory + "/plain", Array("#!/bin/sh".utf8), mode: 0o644)
        _ = try run(["/usr/bin/mkfifo", "-m", "777", directory + "/fifo"])
        let cases: [(path: String, ProgramError)] = [
            ("true", .notAbsolute(path: "true")), ("/nonexistent/x", .missing(path: "/nonexistent/x")),
            ("/etc/passwd/x", .missing(path: "/etc/passwd/x")), ("/usr", .notExecutable(path: "/usr")),
            (directory + "/plain", .notExecutable(path: directory + "/plain")),
            (directory + "/fifo", .notExecutable(path: directory + "/fifo")),
            (directory + "/text", .unknownFormat(path: directory + "/text")),
            (directory + "/short", .unknownFormat(path: directory + "/short")),
        ]
        for (path, expected) in cases {
            #expect(throws: expected) { try ProgramFile(path) }
        }
    }
}
