import Foundation
import Linux
import Testing

/// The gateway under a filter of the test's, by which the kernel lacks something.
@Suite("DESIGN §6: a command that cannot be confined is not started") struct StartFaultTests {
    private static let echo = TestPolicy(keys: [.init(name: "alice", lines: "may = ['echo']")], commands: TestPolicy.command("echo", run: ["/bin/echo", "it ran"]))

    /// Runs `posternd` so that one call fails: where its second argument is `flags` or, by default, always.
    private func serving(_ call: (x86: Int, arm: Int), errno: Int, hasFlags: Bool = false, _ body: (Gateway, [String]) throws -> Void) throws {
        try Gateway.serving(Self.echo) { gateway in
            // Loads of the number (0) and of an argument's lower half (24); jumps that are equal; an errno, or leave.
            let script = """
                import ctypes, os, platform, struct, sys
                number = \(call.x86) if platform.machine() == 'x86_64' else \(call.arm)
                code = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 24), (0x15, \(hasFlags ? 1 : 0), 0, 0), (6, 0, 0, 0x50000 | \(errno)), (6, 0, 0, 0x7fff0000)]
                kept = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *c) for c in code))
                libc = ctypes.CDLL(None)
                if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, struct.pack('HxxxxxxP', len(code), ctypes.addressof(kept))): sys.exit(9)
                os.execv(sys.argv[1], sys.argv[1:])
                """
            let command = ["/usr/bin/python3", "-c", script] + (try Gateway.command(gateway.directory)) + ["-v", "--listen", "127.0.0.1:0"]
            let posternd = try RunningProgram(command)
            #expect(try becomesTrue(within: .seconds(10)) { posternd.errorsSoFar.contains("listening on ") }, "\(posternd.errorsSoFar)")
            let port = try #require(posternd.errorsSoFar.firstMatch(of: /listening on .*:([0-9]+)/)?.1)
            let outcome = try gateway.ssh("echo", options: ["-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"])
            #expect(outcome.code == 125 && outcome.output == "", "\(outcome)")
            #expect(outcome.errors.hasPrefix("postern: echo could not be started: "), "\(outcome)")
            try posternd.child.sendSignal(.terminate)
            let log = try posternd.wait(.seconds(10)).errors
            let failed = try log.split(separator: "\n").filter { $0.hasPrefix("{") }.map { try AuditRecord(String($0)) }.first { $0.event == "failed" }
            #expect(failed?.number("status") == 125, "\(log)")
            try body(gateway, [outcome.errors, failed?["step"] ?? ""])
        }
    }

    @Test(.enabled(if: isRoot)) func `125: process 1 that may not signal`() throws {
        var policy = Self.echo
        policy.launcher = ["/usr/bin/setpriv", "--bounding-set=-kill"]
        try Gateway.serving(policy) { gateway in
            for _ in 0..<2 {
                let outcome = try gateway.ssh("echo")
                #expect(outcome.code == 125 && outcome.errors.hasPrefix("postern: echo could not be started: "), "\(outcome)")
            }
        }
    }

    @Test func `125: a kernel without Landlock`() throws {
        try serving((444, 444), errno: 38) { _, texts in
            for text in texts { #expect(text.contains("sandbox: the policy, applied where there was more, needs Landlock ABI 3, and this kernel has 0"), "\(texts)") }
        }
    }

    @Test func `125: a filter that the kernel refuses`() throws {
        // The frontend's own has no flags, a command's asks for a listener.
        try serving((317, 277), errno: 22, hasFlags: true) { _, texts in #expect(texts[0].contains(": seccomp\n") && texts[1] == "seccomp", "\(texts)") }
    }

    @Test(.enabled(if: isRoot, "the kernel counts processes where the user changes")) func `125: the user's process table is full`() throws {
        let one = TestPolicy.command("one", run: ["/bin/echo", "it ran"], lines: "sandbox = 'one'") + "[sandbox.one]\nprocesses = 1\n"
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['sh', 'one']")], commands: TestPolicy.shell + one)) { gateway in
            try gateway.withMaster { options in
                let held = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; sleep 1000 & sleep 1000")], options: options))
                #expect(try becomesTrue(within: .seconds(10)) { held.outputSoFar == "up\n" })
                let outcome = try gateway.ssh("one", options: options)
                #expect(outcome.code == 125 && outcome.output == "", "\(outcome)")
                #expect(outcome.errors.hasPrefix("postern: one could not be started: exec\n"), "\(outcome)")
                #expect(try gateway.record("failed")["detail"].contains("resource temporarily unavailable"))
                try held.kill()
            }
        }
    }
}
