import Foundation
import Linux
import Testing

/// The gateway under a filter of the test's, by which the kernel lacks something.
@Suite("DESIGN §6: a command that cannot be confined is not started") struct StartFaultTests {
    private static let echo = TestPolicy(keys: [.init(name: "alice", lines: "may = ['echo']")], commands: TestPolicy.command("echo", run: ["/bin/echo", "it ran"]))

    /// A call that the kernel answers with something else: always, or where an argument fits.
    struct Fault: Sendable {
        enum Condition: Sendable {
            case always
            case has(UInt32, argument: Int)
            case equals(UInt32, argument: Int)
        }

        /// Linux system call numbers.
        var number: (x86: Int, arm: Int)
        var condition = Condition.always
        /// What a filter returns (seccomp(2)).
        var verdict: UInt32

        static func fails(_ number: (x86: Int, arm: Int), _ errno: Int, _ condition: Condition = .always) -> Fault {
            Fault(number: number, condition: condition, verdict: 0x50000 | UInt32(errno))
        }

        static func kills(_ number: (x86: Int, arm: Int), _ condition: Condition = .always) -> Fault {
            Fault(number: number, condition: condition, verdict: 0x8000_0000)
        }

        /// Loads of the number (0) and of an argument's lower half (16, 24, …); a jump that passes over the verdict; the verdict, or leave.
        fileprivate var program: String {
            let (jump, value, argument) =
                switch condition {
                case .always: (0x35, UInt32(0), 0)
                case .has(let bits, let argument): (0x45, bits, argument)
                case .equals(let value, let argument): (0x15, value, argument)
                }
            return """
                number = \(number.x86) if platform.machine() == 'x86_64' else \(number.arm)
                code = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, \(16 + 8 * argument)), (\(jump), 0, 1, \(value)), (6, 0, 0, \(verdict)), (6, 0, 0, 0x7fff0000)]
                """
        }
    }

    private static let seccomp = (x86: 317, arm: 277), landlockAddRule = (x86: 445, arm: 445), setresuid = (x86: 117, arm: 147)
    private static let clone = (x86: 56, arm: 220), mount = (x86: 165, arm: 40)
    /// The frontend's own filter has no flags, a command's asks for a listener.
    private static let asksForListener = Fault.Condition.has(8, argument: 1)

    /// Runs `posternd` so that one call goes wrong, and asks for the command.
    ///
    /// - Parameter body: gets what the client read, and the step of the record.
    private func serving(_ fault: (Gateway) -> Fault, _ body: (String, String) throws -> Void) throws {
        try Gateway.serving(Self.echo) { gateway in
            let script = """
                import ctypes, os, platform, struct, sys
                \(fault(gateway).program)
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
            let isGone = try becomesTrue(within: .seconds(10)) { LiveProcess.descendants(of: posternd.child.pid).isEmpty }
            #expect(isGone, "\(LiveProcess.descendants(of: posternd.child.pid))")
            try posternd.child.sendSignal(.terminate)
            let log = try posternd.wait(.seconds(10)).errors
            let failed = try log.split(separator: "\n").filter { $0.hasPrefix("{") }.map { try AuditRecord(String($0)) }.first { $0.event == "failed" }
            #expect(failed?.number("status") == 125, "\(log)")
            try body(outcome.errors, failed?["step"] ?? "")
        }
    }

    private func expect(_ step: String, _ fault: (Gateway) -> Fault) throws {
        try serving(fault) { errors, recorded in
            #expect(errors.hasPrefix("postern: echo could not be started: \(step)\n"), "\(errors)")
            #expect(recorded == step)
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
        try serving({ _ in .fails((444, 444), 38) }) { errors, step in
            for text in [errors, step] { #expect(text.contains("sandbox: the policy, applied where there was more, needs Landlock ABI 3, and this kernel has 0"), "\(text)") }
        }
    }

    @Test func `125: a filter that the kernel refuses`() throws { try expect("seccomp") { _ in .fails(Self.seccomp, 22, Self.asksForListener) } }

    @Test func `125: a process that is killed on its way is seen to have gone`() throws {
        // Before the listener for its denied calls has come back; before Landlock holds.
        try expect("seccomp") { _ in .kills(Self.seccomp, Self.asksForListener) }
        try expect("landlock") { _ in .kills(Self.landlockAddRule) }
        guard isRoot else { return }
        try expect("uid") { .kills(Self.setresuid, .equals($0.user.uid, argument: 0)) }
        // Process 1 of its pid namespace, before there is a second.
        try expect("namespaces") { _ in .kills(Self.mount) }
    }

    @Test(.enabled(if: isRoot, "only root changes users")) func `125: a user that this kernel does not know`() throws {
        // As where the number is not mapped in the gateway's own user namespace (user_namespaces(7)).
        try expect("uid") { .fails(Self.setresuid, 22, .equals($0.user.uid, argument: 0)) }
    }

    @Test(.enabled(if: isRoot, "as a normal user see \"clone: the process table is full\"")) func `125: the process table is full`() throws {
        // CLONE_NEWPID, which only commands have; CLONE_CHILD_CLEARTID, for the second process of the namespace.
        try expect("clone") { _ in .fails(Self.clone, 11, .has(0x2000_0000, argument: 0)) }
        try expect("namespaces") { _ in .fails(Self.clone, 11, .has(0x20_0000, argument: 0)) }
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
