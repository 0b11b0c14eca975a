import Linux
import Policy
import Sandbox
import SandboxCompiler
import Testing

@Suite("DESIGN §6: what the monitor may not call", .serialized) struct MonitorConfinementTests {
    /// Any other would be taken from the commands that may make it.
    @Test func `nothing that a sandbox could allow`() {
        let names = MonitorConfinement.deniedCalls.map(\.name)
        #expect(names.count > 40 && Set(names).count == names.count)
        #expect(Set(names).isSubset(of: SystemCalls.dangerous), "\(Set(names).subtracting(SystemCalls.dangerous))")
    }

    @Test func `each fails, and none was reached`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let acts = MonitorConfinement.deniedCalls.compactMap { ForbiddenAct(word: "call \($0.name)") }
            // Some need privileges that the test may lack: what shows is the answer.
            guard acts.count > 20, acts.contains(where: { $0.attempt() != .refused(.notImplemented) }) else { exitNow(1) }
            try MonitorConfinement.enter()
            for act in acts where act.attempt() != .refused(.notImplemented) { exitNow(2) }
            exitNow(7)
        }
    }

    #if arch(x86_64)
        @Test(.enabled(if: LandlockSupport.running.abi > 0, "needs Landlock"))
        func `a command started under it has its denied calls named, and ends by the worst`() async {
            await #expect(processExitsWith: .exitCode(7)) {
                try MonitorConfinement.enter()
                let start = "import ctypes, os; libc = ctypes.CDLL(None)\n"
                let named = try run(
                    ["/usr/bin/python3", "-c", start + "[libc.syscall(n, 0, 0, 0, 0) for n in (101, 321, 101, 272, 308)]; os._exit(5)"], in: PredefinedSandbox.tool)
                guard named.status == .exited(5), named.denials.entries.map({ "\($0.name) \($0.count)" }) == ["ptrace 2", "bpf 1", "unshare 1", "setns 1"] else { exitNow(1) }
                let ended = try run(["/usr/bin/python3", "-c", start + "libc.syscall(169, 0, 0, 0, 0)"], in: PredefinedSandbox.tool)
                guard ended.denials.deadly == "reboot", ended.status == .signaled(.kill, dumpedCore: false) else { exitNow(2) }
                exitNow(7)
            }
        }
    #endif
}
