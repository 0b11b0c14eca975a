import Linux
import Sandbox
import Testing

@Suite("DESIGN §6: a pid namespace", .enabled(if: isRoot, "only root makes them")) struct NamespaceTests {
    private func inside(_ arguments: [String], _ namespaces: Namespaces = .pid, _ change: (inout ProcessPlan) -> Void = { _ in }) throws -> Outcome {
        try run(arguments) {
            $0.namespaces = namespaces
            $0.identity = .init(uid: 65534, gid: 65534, groups: [])
            change(&$0)
        }
    }

    static let ends: [(String, Exit.Status)] = [
        ("exit 0", .exited(0)), ("exit 77", .exited(77)), ("kill -TERM $$", .signaled(.terminate, dumpedCore: false)),
        ("kill -KILL $$", .signaled(.kill, dumpedCore: false)), ("kill -HUP $$", .signaled(.hangUp, dumpedCore: false)),
        // Process 1 is out of reach, for a process of the same namespace and another user.
        ("kill -KILL 1; exit 5", .exited(5)),
    ]

    @Test(arguments: ends) func `the program ends as it would without`(script: String, status: Exit.Status) throws {
        #expect(try inside(["/bin/sh", "-c", script]).status == status)
        #expect(try run(["/bin/sh", "-c", script.replacing("-KILL 1", with: "-0 0")]) { $0.identity = .init(uid: 65534, gid: 65534, groups: []) }.status == status)
    }

    @Test func `a script sees its own path and leads its own session`() throws {
        let outcome = try inside(["/bin/sh", "-c", "echo $0 $$; ps -o sid= -p $$ || true; read a b c d e f rest < /proc/self/stat; echo $a $f", "/srv/name"], [.pid, .mount])
        #expect(outcome.output.hasPrefix("/srv/name 2\n"), "\(outcome)")
    }

    private func start(_ script: String, _ change: (inout ProcessPlan) -> Void = { _ in }) throws -> (ChildProcess, Descriptor) {
        let null = try openFile("/dev/null")
        let pipe = try Descriptor.pipe()
        var plan = ProcessPlan(
            program: .path("/bin/sh"), arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"], input: null, output: pipe.writing, error: null)
        plan.namespaces = .pid
        plan.firstProcess = firstProcess
        plan.identity = .init(uid: 65534, gid: 65534, groups: [])
        change(&plan)
        let child = try launch(plan)
        return (child, pipe.reading)
    }

    /// Reads until `text` came, or the end.
    private func line(_ output: Descriptor) throws -> Int? {
        var bytes = [UInt8](repeating: 0, count: 64)
        return try output.read(into: &bytes, bytes.indices)
    }

    static let signals: [Signal] = [.terminate, .hangUp, .interrupt, Signal(10)]

    @Test(arguments: signals) func `a signal from outside ends the program, or is handled by it`(signal: Signal) throws {
        let (plain, output) = try start("echo up; exec sleep 1000")
        _ = try line(output)
        try plain.sendSignalToGroup(signal)
        #expect(try plain.waitUntilExit().status == .signaled(signal, dumpedCore: false))
        let (trapping, more) = try start("trap 'exit 9' \(signal.number); echo up; while :; do sleep 0.05; done")
        _ = try line(more)
        try trapping.sendSignalToGroup(signal)
        #expect(try trapping.waitUntilExit().status == .exited(9))
    }

    static let trees = [
        "setsid sh -c 'trap \"\" TERM HUP; echo up; sleep 1000' & wait", "(setsid sh -c 'echo up; sleep 1000' &) ; sleep 1000",
        "sh -c 'kill -STOP $$' & echo up; wait", "f() { (sleep 0.02; f) & }; f; f; f; echo up; sleep 1000",
    ]

    @Test(arguments: trees) func `one signal ends all of it`(script: String) throws {
        let (child, output) = try start(script)
        #expect(try line(output) == 3)
        try child.sendSignal(.kill)
        #expect(try child.waitUntilExit().status == .signaled(.kill, dumpedCore: false))
        // The last writer is gone with the first process.
        #expect(try line(output) == 0)
    }

    @Test func `what the program leaves behind ends with it`() throws {
        let (child, output) = try start("setsid sleep 1000 & (setsid sleep 1000 &); echo up; exit 4")
        #expect(try line(output) == 3)
        #expect(try child.waitUntilExit().status == .exited(4))
        #expect(try line(output) == 0)
    }

    @Test func `proc shows the namespace and nothing else`() throws {
        let list = ["/bin/sh", "-c", "echo /proc/[0-9]*"]
        #expect(try inside(list, [.pid, .mount]).output == "/proc/1 /proc/2\n")
        #expect(try run(list).output.split(separator: " ").count > 2)
        // Process 1 has been the monitor's: its memory, files and environment are closed to the command.
        for name in ["environ", "maps", "mem", "fd/0", "cwd/"] {
            let outcome = try inside(["/bin/sh", "-c", "cat /proc/1/\(name) 2>&1 || ls /proc/1/\(name)"], [.pid, .mount])
            #expect(outcome.output.contains("Permission denied"), "\(name): \(outcome)")
        }
    }

    @Test func `process 1 has one capability and no file`() throws {
        let (child, output) = try start("echo up; exec sleep 1000")
        _ = try line(output)
        let status = String(decoding: try readFile("/proc/\(child.pid)/status", limit: 1 << 16), as: UTF8.self)
        // CAP_KILL, so that it can hand on signals.
        #expect(status.contains("CapPrm:\t0000000000000020\nCapEff:\t0000000000000020\n"), "\(status)")
        #expect(try run(["/bin/ls", "/proc/\(child.pid)/fd"]).output == "0\n")
        // Nothing of who started it is in its memory: a few pages of its own program.
        #expect(try readLink("/proc/\(child.pid)/exe").hasSuffix("/postern-init"))
        let pages = try String(decoding: readFile("/proc/\(child.pid)/statm", limit: 100), as: UTF8.self).split(separator: " ")
        #expect(Int(pages[0]).map { $0 < 50 } == true, "\(pages)")
        #expect(try readFile("/proc/\(child.pid)/environ", limit: 100).isEmpty)
        try child.sendSignal(.kill)
        _ = try child.waitUntilExit()
    }

    @Test func `a step that fails is named, and leaves nothing`() throws {
        for (step, change) in [
            (LaunchStep.exec, { $0.program = .path("/nonexistent") }), (.directory, { $0.directory = "/nonexistent" }),
            (.namespaces, { $0.firstProcess = nil }), (.namespaces, { $0.firstProcess = $0.descriptors[0] }),
            (.landlock, { $0.landlock = LandlockRules(paths: [.init("/nonexistent", .read)]) }),
        ] as [(LaunchStep, (inout ProcessPlan) -> Void)] {
            let error = #expect(throws: LaunchError.self) { try inside(["/bin/echo"], .pid, change) }
            #expect(error?.step == step)
            #expect(step == .namespaces || error?.errno == .notFound)
        }
    }
}
