import Foundation
import Linux
import Testing

@Suite("DESIGN §9: what fills up stands still") struct FloodTests {
    /// What a connection may hold for one channel: two windows of 2 MiB, the buffers of packets and pipes.
    private static let most = 8 << 20

    /// Bytes a process has written, of proc_pid_io(5).
    private func written(_ pid: Int32) -> Int {
        let lines = (try? readFile("/proc/\(pid)/io", limit: 4096)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return lines.firstMatch(of: /wchar: ([0-9]+)/).flatMap { Int($0.1) } ?? 0
    }

    private func parser(of gateway: Gateway) -> LiveProcess? { LiveProcess.descendants(of: gateway.process.pid).first { $0.arguments.first == "postern-frontend" } }

    private func resident(_ process: LiveProcess) -> Int { (process.status["VmRSS"]?.split(separator: " ").first).flatMap { Int($0) }.map { $0 << 10 } ?? 0 }

    /// Waits until a process writes no more.
    private func standsStill(_ pid: Int32) throws -> Bool {
        var before = -1
        var since = Clock.monotonic
        return try becomesTrue(within: .seconds(20)) {
            let now = written(pid)
            if now != before { (before, since) = (now, Clock.monotonic) }
            return now > 0 && Clock.monotonic - since > .milliseconds(500)
        }
    }

    @Test func `endless output for a client that does not read`() throws {
        let size = "\(UInt64.random(in: 1 << 50 ..< 1 << 51))"
        try Gateway.serving { gateway in
            try gateway.withMaster { options in
                let frontend = try #require(parser(of: gateway))
                #expect(try gateway.ssh(Gateway.line("echo first"), options: options).output == "first\n")
                let before = resident(frontend)
                let unread = try Descriptor.pipe()
                let client = try RunningProgram(gateway.sshCommand([Gateway.line("exec head -c \(size) /dev/zero")], options: options), output: unread.writing)
                var found: LiveProcess?
                #expect(try becomesTrue(within: .seconds(10)) {
                    found = LiveProcess.having(argument: size).first { $0.name == "head" }
                    return found != nil
                })
                let head = try #require(found)
                #expect(try standsStill(head.pid))
                #expect(written(head.pid) < Self.most, "\(written(head.pid))")
                #expect(resident(head) < Self.most)
                #expect(resident(frontend) - before < Self.most, "from \(before) to \(resident(frontend))")
                // The other channels of the same connection go on.
                for _ in 0..<3 { #expect(try gateway.ssh(Gateway.line("echo served"), options: options).output == "served\n") }
                #expect(head.isAlive)
                try client.kill()
                #expect(try becomesTrue(within: .seconds(2)) { !head.isAlive })
            }
        }
    }

    @Test func `endless input for a command that does not read`() throws {
        let mark = "271\(UInt32.random(in: 100_000 ... .max))"
        try Gateway.serving { gateway in
            try gateway.withMaster { options in
                let frontend = try #require(parser(of: gateway))
                #expect(try gateway.ssh(Gateway.line("echo first"), options: options).output == "first\n")
                let before = resident(frontend)
                let held = try Descriptor.pipe()
                let client = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; exec sleep \(mark)")], options: options), input: .open(held.reading))
                #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "up\n" })
                try held.writing.setNonBlocking()
                let zeros = [UInt8](repeating: 0, count: 1 << 16)
                var sent = 0
                var since = Clock.monotonic
                #expect(try becomesTrue(within: .seconds(20)) {
                    if let count = try held.writing.write(zeros, zeros.indices) { (sent, since) = (sent + count, Clock.monotonic) }
                    return sent >= 4 * Self.most || Clock.monotonic - since > .milliseconds(500)
                })
                #expect(sent < 2 * Self.most, "\(sent)")
                #expect(resident(frontend) - before < Self.most, "from \(before) to \(resident(frontend))")
                #expect(try gateway.ssh(Gateway.line("echo served"), options: options).output == "served\n")
                try client.kill()
            }
            // The client's channel does not close before what it holds is sent; its connection does.
            #expect(try becomesTrue(within: .seconds(2)) { LiveProcess.having(argument: mark).isEmpty })
        }
    }

    @Test func `a file in TMPDIR grows to file_size, and goes with the command`() throws {
        let lines = "args = { script = { match = '.*' } }\nsandbox = 'small'"
        let small = TestPolicy.command("sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"], lines: lines) + "[sandbox.small]\nfile_size = '1MiB'\n"
        try Gateway.serving(.init(commands: small)) { gateway in
            let outcome = try gateway.script("echo $TMPDIR; head -c 2097152 /dev/zero > $TMPDIR/file; echo $?; stat -c %s $TMPDIR/file")
            let lines = outcome.output.split(separator: "\n").map(String.init)
            // 128 and SIGXFSZ.
            #expect(lines.dropFirst() == ["153", "1048576"], "\(outcome)")
            let directory = try #require(lines.first)
            #expect(try becomesTrue(within: .seconds(5)) { !FileManager.default.fileExists(atPath: isRoot ? "\(directory)/file" : directory) })
        }
    }
}
