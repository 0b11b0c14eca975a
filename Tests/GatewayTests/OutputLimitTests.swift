import Foundation
import Linux
import Testing

@Suite("DESIGN §3.2: a command's output has a limit") struct OutputLimitTests {
    private static func policy(_ limit: String, _ lines: String = "") -> TestPolicy {
        TestPolicy(
            commands: TestPolicy.command(
                "sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"],
                lines: "args = { script = { match = '.*' } }\noutput_limit = '\(limit)'\n\(lines)"))
    }

    /// What each script writes to standard output and error, and whether that is more than 1000 bytes together.
    static let scripts: [(script: String, output: Int, errors: Int, isOver: Bool)] = [
        ("head -c 1000 /dev/zero", 1000, 0, false), ("head -c 1001 /dev/zero", 1000, 0, true),
        ("head -c 600 /dev/zero; head -c 400 /dev/zero >&2", 600, 400, false),
        ("head -c 600 /dev/zero; sleep 0.3; head -c 401 /dev/zero >&2", 600, 400, true),
        ("head -c 600 /dev/zero >&2; sleep 0.3; head -c 600 /dev/zero", 400, 600, true), ("true", 0, 0, false),
    ]

    @Test(arguments: scripts) func `what is within it comes, what is over it does not`(_ given: (script: String, output: Int, errors: Int, isOver: Bool)) throws {
        try Gateway.serving(Self.policy("1000B")) { gateway in
            let outcome = try gateway.script("\(given.script); exit 3")
            #expect(outcome.outputBytes.count == given.output)
            #expect(outcome.errorBytes.prefix { $0 == 0 }.count == given.errors)
            #expect(outcome.errors.hasSuffix("postern: sh was stopped: it wrote more than 1000B\n") == given.isOver, "\(outcome.errors)")
            #expect(outcome.code == (given.isOver ? 123 : 3), "\(outcome.code ?? -1)")
            let finished = try gateway.record("finished")
            #expect(finished["ended_by"] == (given.isOver ? "output" : "") && finished.number("status") == outcome.code)
        }
    }

    @Test func `a tree that writes without end, and hears no TERM, has gone`() throws {
        try Gateway.serving(Self.policy("1MiB")) { gateway in
            let outcome = try gateway.script("trap '' TERM PIPE; (trap '' TERM PIPE; while :; do echo more 2>/dev/null; done) & while :; do echo much 2>/dev/null; done")
            #expect(outcome.code == 123 && outcome.outputBytes.count == 1 << 20, "\(outcome.code ?? -1) \(outcome.outputBytes.count)")
            #expect(try becomesTrue(within: .seconds(5)) { LiveProcess.having(argument: "trap '' TERM PIPE").allSatisfy { $0.name != "sh" } })
        }
    }

    @Test func `much that is within it comes whole, through a client that reads slowly`() throws {
        try Gateway.serving(Self.policy("64MiB")) { gateway in
            let outcome = try run([
                "/bin/sh", "-c", #""$@" | (sleep 1; cat) | sha256sum"#, "sh",
            ] + gateway.sshCommand([Gateway.line("head -c 20000000 /dev/zero; echo end >&2")]))
            let expected = try run(["/bin/sh", "-c", "head -c 20000000 /dev/zero | sha256sum"])
            #expect(outcome.output == expected.output && outcome.errors == "end\n", "\(outcome)")
        }
    }

    @Test func `a command whose client has gone keeps to it`() throws {
        try Gateway.serving(Self.policy("1MiB", "on_disconnect = 'finish'")) { gateway in
            let client = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; sleep 1; head -c 2000000 /dev/zero; sleep 60")]))
            #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "up\n" })
            try client.kill()
            let finished = try gateway.record("finished")
            #expect(finished["ended_by"] == "output" && finished.number("status") == 123)
        }
    }

    @Test func `what is said of a lock does not count, and what comes after the wait does`() throws {
        let lock = "test-\(processID)-\(UInt32.random(in: 0 ... .max))"
        defer { for base in ["/var/lib/postern/locks", "/tmp/postern-locks-\(Users.currentUID)"] { try? FileManager.default.removeItem(atPath: "\(base)/\(lock)") } }
        try Gateway.serving(Self.policy("10B", "lock = '\(lock)'\nlock_wait = '30s'")) { gateway in
            let (reading, writing) = try Descriptor.pipe()
            let holder = try RunningProgram(gateway.sshCommand([Gateway.line("echo held; cat")]), input: .open(reading))
            #expect(try becomesTrue(within: .seconds(10)) { holder.outputSoFar == "held\n" })
            let second = try RunningProgram(gateway.sshCommand([Gateway.line("echo 123456789; echo more")]))
            #expect(try becomesTrue(within: .seconds(10)) { second.errorsSoFar.contains("1 before you") })
            try withExtendedLifetime(writing) { try holder.kill() }
            let outcome = try second.wait()
            #expect(outcome.output == "123456789\n" && outcome.code == 123, "\(outcome)")
        }
    }
}
