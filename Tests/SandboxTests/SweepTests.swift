import Linux
import Sandbox
import Testing

/// In processes of their own: a sweep kills every child it finds.
@Suite("DESIGN §3.4: killing the whole tree", .serialized) struct SweepTests {
    /// Starts a shell script; what it writes to its standard output is readable on the pipe.
    static func start(_ script: String) throws -> (ChildProcess, Descriptor) {
        let null = try openFile("/dev/null")
        let pipe = try Descriptor.pipe()
        var plan = ProcessPlan(
            program: .path("/bin/sh"), arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"], input: null,
            output: pipe.writing, error: null)
        plan.limits = []
        return (try launch(plan), pipe.reading)
    }

    @Test func `a daemon that left its session is found`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            try setSubreaper()
            // The shell ends at once; what it started has another parent and another session, and a child of its own.
            let (child, output) = try SweepTests.start("setsid sh -c 'setsid sh -c \"trap \\\"\\\" TERM HUP; echo up; sleep 1000; echo\" & ' & exit 3")
            guard try child.waitUntilExit().status == .exited(3) else { exitNow(1) }
            var bytes = [UInt8](repeating: 0, count: 8)
            guard try output.read(into: &bytes, bytes.indices) == 3 else { exitNow(2) }
            let sweep = killDescendants()
            guard sweep.isClear, sweep.reaped.count >= 1 else { exitNow(3) }
            // The last writer is gone: the pipe has ended.
            guard try output.read(into: &bytes, bytes.indices) == 0 else { exitNow(4) }
            exitNow(0)
        }
    }

    @Test func `processes that keep forking are caught`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            try setSubreaper()
            let (_, output) = try SweepTests.start("f() { (sleep 0.02; f) & }; f; f; f; echo up")
            var bytes = [UInt8](repeating: 0, count: 8)
            guard try output.read(into: &bytes, bytes.indices) == 3 else { exitNow(2) }
            guard killDescendants(rounds: 5000).isClear else { exitNow(3) }
            guard try output.read(into: &bytes, bytes.indices) == 0 else { exitNow(4) }
            exitNow(0)
        }
    }

    @Test func `a spared child lives on`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            try setSubreaper()
            let (spared, _) = try SweepTests.start("sleep 1000")
            let (other, _) = try SweepTests.start("sleep 1000")
            let sweep = killDescendants(sparing: [spared.pid])
            guard sweep.isClear, sweep.reaped.map(\.pid) == [other.pid] || sweep.reaped.count == 2 else { exitNow(1) }
            guard try spared.reap() == nil else { exitNow(2) }
            guard killDescendants().isClear else { exitNow(3) }
            exitNow(0)
        }
    }
}
