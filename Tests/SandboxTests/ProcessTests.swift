import Linux
import Sandbox
import Testing

@Suite("Processes") struct ProcessTests {
    private func start(_ arguments: [String]) throws -> ChildProcess {
        let null = try openFile("/dev/null")
        return try launch(ProcessPlan(program: .path(arguments[0]), arguments: arguments, input: null, output: null, error: null))
    }

    @Test func `the end of a process is readable on its descriptor`() throws {
        let child = try start(["/bin/sleep", "1000"])
        #expect(try child.reap() == nil)
        try child.sendSignal(.kill)
        var poll = PollSet()
        poll.add(child.pidfd, .readable, token: 0)
        #expect(try poll.wait(timeout: .seconds(10)).count == 1)
        #expect(try child.reap()?.status == .signaled(.kill, dumpedCore: false))
        #expect(throws: Errno.noChild) { try child.reap() }
        #expect(throws: Errno.noProcess) { try child.sendSignal(.terminate) }
    }

    @Test func `a group is signalled together`() throws {
        let child = try start(["/bin/sh", "-c", "sleep 1000 & wait"])
        try child.sendSignalToGroup(.terminate)
        #expect(try child.waitUntilExit().status == .signaled(.terminate, dumpedCore: false))
    }

    @Test func `what it used is told`() throws {
        let exit = try start(["/bin/true"]).waitUntilExit()
        #expect(exit.maxResident > 100_000)
        #expect(exit.userTime + exit.systemTime > .zero)
    }

    @Test func `signals are read from a descriptor`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let signals = try SignalDescriptor([.child])
            guard try signals.next() == nil else { exitNow(1) }
            let null = try openFile("/dev/null")
            let child = try launch(ProcessPlan(program: .path("/bin/true"), arguments: ["true"], input: null, output: null, error: null))
            _ = try child.waitUntilExit()
            // The signal went to a thread that does not block it: in a program of one thread it would be here.
            _ = try signals.next()
            exitNow(0)
        }
    }

    @Test(.enabled(if: isRoot, "only root has capabilities")) func `capabilities are dropped but those kept`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            try dropCapabilities(keeping: [.kill, .setUID])
            let status = String(decoding: try readFile("/proc/thread-self/status", limit: 1 << 16), as: UTF8.self)
            for line in ["CapInh:\t0000000000000000", "CapPrm:\t00000000000000a0", "CapEff:\t00000000000000a0", "CapBnd:\t0000000000000000"] {
                guard status.contains(line) else { exitNow(1) }
            }
            exitNow(0)
        }
    }

    @Test func `without a service manager no sockets are taken`() throws {
        #expect(try takeListenDescriptors().isEmpty)
    }
}
