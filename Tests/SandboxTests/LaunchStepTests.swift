import Linux
import Sandbox
import Testing

/// Each step is made to fail; the program would say so if it ran.
@Suite("DESIGN §6: a step that fails is named") struct LaunchStepTests {
    private func error(_ change: (inout ProcessPlan) -> Void) throws -> LaunchError? {
        let pipe = try Descriptor.pipe()
        let error = #expect(throws: LaunchError.self) {
            try run(["/bin/echo", "it ran"]) {
                $0.descriptors[1] = pipe.writing
                change(&$0)
            }
        }
        try pipe.reading.setNonBlocking()
        var bytes = [UInt8](repeating: 0, count: 64)
        #expect(try pipe.reading.read(into: &bytes, bytes.indices) == nil, "the program ran")
        return error
    }

    private func expect(_ step: LaunchStep, _ errno: Errno, _ detail: String = "", _ change: (inout ProcessPlan) -> Void) throws {
        let error = try error(change)
        #expect(error?.step == step)
        #expect(error?.errno == errno)
        #expect(error?.detail == detail)
    }

    @Test func `plan: a word holds a NUL`() throws {
        try expect(.plan, .invalidArgument, "an argument holds a NUL") { $0.arguments.append([65, 0, 66]) }
        try expect(.plan, .invalidArgument, "the environment holds a NUL") { $0.environment.append([0]) }
        try expect(.plan, .invalidArgument, "the path holds a NUL") { $0.program = .path("/bin/true\0/x") }
        try expect(.plan, .invalidArgument, "a path holds a NUL") { $0.landlock = LandlockRules(paths: [.init("/\0", .read)]) }
    }

    @Test func `clone: a flag that cannot be`() throws {
        // CLONE_THREAD without CLONE_SIGHAND.
        try expect(.clone, .invalidArgument) { $0.namespaces = Namespaces(rawValue: 0x1_0000) }
    }

    @Test func `descriptors: one that is not open`() throws {
        let closed = Descriptor(owning: 987_654)
        try expect(.descriptors, .badDescriptor, "3") { $0.descriptors.append(closed) }
    }

    @Test func `root: not a directory`() throws {
        let file = try openFile("/etc/passwd")
        try expect(.root, .notDirectory) { $0.rootDirectory = file }
    }

    @Test func `limits: a soft limit above the hard one`() throws {
        try expect(.limits, .invalidArgument, "openFiles") { $0.limits = [.noCoreDumps, ResourceLimit(.openFiles, soft: 2, hard: 1)] }
    }

    @Test(.enabled(if: isRoot, "only root changes groups")) func `groups: more than the kernel takes`() throws {
        try expect(.groups, .invalidArgument) {
            $0.identity = .init(uid: 1, gid: 1, groups: Array(repeating: 1, count: 70_000))
        }
    }

    @Test(.enabled(if: !isRoot, "root may change groups")) func `groups: a normal user changes none`() throws {
        try expect(.groups, .notPermitted) { $0.identity = .init(uid: 1, gid: 1, groups: []) }
    }

    @Test(.enabled(if: isRoot, "only root gets that far")) func `uid: none of that number`() throws {
        try expect(.uid, .invalidArgument) { $0.identity = .init(uid: .max, gid: .max, groups: []) }
        // -1 means unchanged to setresuid(2): the call itself would let it pass.
        try expect(.uid, .invalidArgument) { $0.identity = .init(uid: .max, gid: 1, groups: []) }
    }

    @Test func `parent death signal: no such signal`() throws {
        try expect(.parentDeath, .invalidArgument) { $0.parentDeathSignal = Signal(99) }
    }

    @Test func `directory: not there`() throws {
        try expect(.directory, .notFound, "/nonexistent/x") { $0.directory = "/nonexistent/x" }
    }

    @Test(.enabled(if: isRoot, "root reads everything")) func `directory: the new user's rights count`() throws {
        try expect(.directory, .accessDenied, "/root") {
            $0.directory = "/root"
            $0.identity = .init(uid: 65534, gid: 65534, groups: [])
        }
    }

    @Test(.enabled(if: LandlockSupport.running.abi > 0, "needs Landlock")) func `landlock: a required path is not there`() throws {
        try expect(.landlock, .notFound, "/nonexistent") {
            $0.landlock = LandlockRules(paths: [.init("/usr", .execute), .init("/nonexistent", .read)])
        }
    }

    @Test func `seccomp: not a program`() throws {
        try expect(.seccomp, .invalidArgument) { $0.filter = Array(repeating: 0xff, count: 16) }
    }

    @Test func `exec: not there, not executable, no program`() throws {
        try expect(.exec, .notFound, "/nonexistent") { $0.program = .path("/nonexistent") }
        try expect(.exec, .accessDenied, "/etc/passwd") { $0.program = .path("/etc/passwd") }
    }

    @Test(.enabled(if: LandlockSupport.running.abi > 0, "needs Landlock")) func `exec: a program that Landlock denies`() throws {
        try expect(.exec, .accessDenied, "/bin/echo") { $0.landlock = LandlockRules(paths: []) }
    }

    @Test(.enabled(if: isRoot, "the kernel counts where the user changes")) func `exec: the user has as many processes as it may`() throws {
        let user = ProcessPlan.Identity(uid: 65_034, gid: 65_034, groups: [])
        let null = try openFile("/dev/null")
        var plan = ProcessPlan(program: .path("/bin/sleep"), arguments: ["sleep", "1000"], input: null, output: null, error: null)
        plan.identity = user
        // The kernel takes one more than the limit.
        let held = try [launch(plan), launch(plan)]
        for namespaces in [Namespaces(), .pid] {
            try expect(.exec, .wouldBlock, "/bin/echo") {
                $0.identity = user
                $0.namespaces = namespaces
                $0.limits.append(ResourceLimit(.processes, 1))
            }
        }
        for process in held {
            try process.sendSignal(.kill)
            _ = try process.waitUntilExit()
        }
    }

    @Test(.enabled(if: !isRoot, "root may have any number")) func `clone: the process table is full`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let null = try openFile("/dev/null")
            try ResourceLimit(.processes, 1).apply()
            do throws(LaunchError) {
                _ = try launch(ProcessPlan(program: .path("/bin/true"), arguments: ["true"], input: null, output: null, error: null))
                exitNow(1)
            } catch {
                exitNow(error.step == .clone && error.errno == .wouldBlock ? 0 : 2)
            }
        }
    }

    @Test func `an optional path that is not there is passed over`() throws {
        let outcome = try run(["/bin/echo", "it ran"]) {
            $0.landlock = LandlockRules(paths: [.init("/nonexistent", .read, isRequired: false)] + ["/usr", "/lib", "/lib64", "/bin"].map { .init($0, .execute) })
        }
        #expect(outcome.output == "it ran\n")
    }
}
