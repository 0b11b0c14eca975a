import Linux
import Policy
import Sandbox
import SandboxCompiler
import Testing

@Suite("DESIGN §6: denied calls have names", .enabled(if: LandlockSupport.running.abi > 0, "needs Landlock")) struct DenialTests {
    private static let python = "/usr/bin/python3"

    private static func script(_ body: String) -> [String] {
        [python, "-c", "import ctypes, os, socket, sys, threading\nlibc = ctypes.CDLL(None, use_errno=True)\n\(body)"]
    }

    private func entries(_ body: String, in sandbox: SandboxPlan = PredefinedSandbox.tool) throws -> [String] {
        let outcome = try run(Self.script(body), in: sandbox)
        #expect(outcome.succeeded, "\(outcome)")
        return outcome.denials.entries.map { "\($0.name) \($0.count)" }
    }

    #if arch(x86_64)
        static let counted: [(String, [String])] = [
            ("libc.syscall(101, 0, 0, 0, 0)", ["ptrace 1"]), ("for i in range(3): libc.unshare(0x10000000)", ["unshare 3"]),
            ("try: socket.socket()\nexcept PermissionError: pass", ["socket(2) 1"]), ("libc.syscall(16, 0, 0x5412, 0)", ["ioctl(21522) 1"]),
            // What the group @ipc would allow; what nobody could allow, or knows, has no record.
            ("libc.syscall(29, 0, 4096, 0o1600)", ["shmget 1"]), ("libc.syscall(999); libc.syscall(435, 0, 0)", []),
            ("", []),
        ]

        @Test(arguments: counted) func `each is named and counted`(body: String, expected: [String]) throws {
            #expect(try entries(body) == expected)
        }
    #endif

    @Test func `threads and processes of the command all get their answer`() throws {
        let body = """
            def work():
                for i in range(50):
                    assert libc.unshare(0x10000000) == -1 and ctypes.get_errno() == 1
            threads = [threading.Thread(target=work) for i in range(4)]
            for t in threads: t.start()
            for t in threads: t.join()
            if os.fork() == 0:
                work(); os._exit(0)
            os.wait()
            """
        #expect(try entries(body) == ["unshare 250"])
    }

    @Test func `at most 32 kinds are kept, the rest is counted`() throws {
        let outcome = try run(Self.script("for i in range(100): libc.prctl(1000 + i, 0, 0, 0, 0)"), in: PredefinedSandbox.tool)
        #expect(outcome.denials.entries.count == DenialLog.mostEntries)
        #expect(outcome.denials.unlisted == 100 - DenialLog.mostEntries)
    }

    @Test func `a command that never stops asking is answered by the kernel alone`() throws {
        let body = "for i in range(\(DenialLog.mostAnswers) + 10): libc.unshare(0x10000000)\nprint(ctypes.get_errno())"
        let outcome = try run(Self.script(body), in: PredefinedSandbox.tool)
        #expect(outcome.output == "38\n", "\(outcome)")
        #expect(outcome.denials.entries.map(\.count) == [DenialLog.mostAnswers])
    }

    @Test func `without anybody who answers, calls are refused all the same`() throws {
        let outcome = try run(Self.script("print(libc.unshare(0x10000000), ctypes.get_errno())"), in: PredefinedSandbox.tool) { $0.denials = nil }
        #expect(outcome.output == "-1 38\n", "\(outcome)")
    }

    @Test func `the worst end the command`() throws {
        for (number, name) in [(169, "reboot"), (304, "open_by_handle_at"), (313, "finit_module"), (311, "process_vm_writev")] {
            let outcome = try run(Self.script("libc.syscall(\(number), -1, 0, 0, 0, 0, 0); print('went on')"), in: PredefinedSandbox.tool)
            #expect(outcome.status == .signaled(.kill, dumpedCore: false))
            #expect(outcome.denials.deadly == name)
            #expect(outcome.output == "")
        }
    }

    @Test func `a call interrupted by a signal is answered too`() throws {
        let body = """
            import signal
            signal.signal(signal.SIGALRM, lambda *a: None)
            signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
            for i in range(2000): assert libc.unshare(0x10000000) == -1
            signal.setitimer(signal.ITIMER_REAL, 0)
            """
        let outcome = try run(Self.script(body), in: PredefinedSandbox.tool)
        #expect(outcome.succeeded, "\(outcome)")
    }

    @Test func `what a command is started by cannot be denied`() throws {
        for name in ["execve", "execveat", "sendmsg", "exit_group", "rt_sigprocmask"] {
            var plan = PredefinedSandbox.tool
            plan.deniedCalls = [name]
            #expect(throws: CompileError.neededCall(name)) { try compile(plan) }
        }
    }
}
