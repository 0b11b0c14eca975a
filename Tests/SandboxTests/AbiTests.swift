import Linux
import Policy
import Sandbox
import SandboxCompiler
import Testing

/// What a kernel with less of Landlock gives: the table of DESIGN §3.4, line by line.
@Suite("DESIGN §3.4: Landlock's ABI masked", .enabled(if: LandlockSupport.running.abi >= 6, "needs Landlock ABI 6 to mask")) struct AbiTests {
    private func run(_ script: String, abi: Int, _ sandbox: SandboxPlan = PredefinedSandbox.tool) throws -> Outcome {
        var plan = sandbox
        plan.filter = try compile(plan, support: LandlockSupport(abi: abi))
        plan.limits.processes = 4096
        let user = try #require(try Users.with(uid: isRoot ? 65534 : Users.currentUID))
        let account = Account(name: user.name, uid: user.uid, gid: user.gid, groups: user.groups, home: "/", shell: user.shell)
        let program = try ProgramFile("/bin/sh")
        let null = try openFile("/dev/null")
        let confined = try ProcessPlan(
            confining: plan, account: account, program: program, arguments: ["sh", "-c", script].map { Array($0.utf8) },
            environment: [Array("PATH=/usr/bin:/bin".utf8)], firstProcess: firstProcess, input: null, output: null, error: null, support: LandlockSupport(abi: abi))
        return try SandboxTests.run(["/bin/sh"]) {
            let descriptors = $0.descriptors
            $0 = confined
            $0.descriptors = descriptors
            $0.parentDeathSignal = nil
        }
    }

    @Test func `without Landlock nothing starts`() {
        #expect(throws: EnforcementError.landlock(needs: 1, has: 0, what: "a sandbox")) { try run("true", abi: 0) }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7]) func `files are confined by each`(abi: Int) throws {
        let outcome = try run("cat /etc/hostname; cat /etc/passwd > /dev/null && echo read; echo x > /etc/postern-x", abi: abi)
        #expect(outcome.output == "read\n", "\(outcome)")
        #expect(outcome.errors.contains("/etc/hostname: Permission denied") && outcome.errors.contains("/etc/postern-x: Permission denied"), "\(outcome)")
    }

    @Test(arguments: [1, 2, 3, 4]) func `truncation by path is denied by Landlock or by seccomp`(abi: Int) throws {
        var sandbox = PredefinedSandbox.tool
        sandbox.paths.append(PathRule(path: "/dev/shm", access: .write, isRequired: true))
        let outcome = try run("exec python3 -c 'import os\ntry: os.truncate(\"/etc/passwd\", 0)\nexcept OSError as e: print(e.errno)'", abi: abi, sandbox)
        #expect(outcome.output == (abi < 3 ? "1\n" : "13\n"), "\(outcome)")
        #expect(outcome.denials.entries.map(\.name).contains("truncate") == (abi < 3))
    }

    @Test(arguments: [1, 2, 3, 4, 6]) func `ports need ABI 4`(abi: Int) throws {
        var sandbox = PredefinedSandbox.tool
        sandbox.network = .tcp(ports: [443], dns: false)
        if abi >= 4 {
            #expect(try run("true", abi: abi, sandbox).succeeded)
        } else {
            #expect(throws: EnforcementError.landlock(needs: 4, has: abi, what: "network \"tcp\"")) { try run("true", abi: abi, sandbox) }
        }
    }

    @Test(arguments: [1, 4, 5, 6]) func `signals to others need ABI 6, or a pid namespace`(abi: Int) throws {
        let outcome = try run("kill -0 \(processID) && echo reached", abi: abi)
        // What `check --host` says of such a machine.
        #expect(outcome.output == (abi < 6 && !HostSupport.hasNamespaces ? "reached\n" : ""), "\(outcome)")
    }

    @Test func `a policy applied where there was more is refused`() throws {
        var plan = PredefinedSandbox.tool
        plan.filter = try compile(plan, support: LandlockSupport(abi: 3))
        let account = Account(name: "me", uid: isRoot ? 65534 : Users.currentUID, gid: 0, groups: [], home: "/", shell: "")
        let null = try openFile("/dev/null")
        #expect(throws: EnforcementError.landlock(needs: 3, has: 2, what: "the policy, applied where there was more,")) {
            try ProcessPlan(
                confining: plan, account: account, program: try ProgramFile("/bin/true"), arguments: [], environment: [], firstProcess: firstProcess, input: null, output: null,
                error: null, support: LandlockSupport(abi: 2))
        }
    }

    @Test func `check --host says what each gives`() {
        for abi in 0...7 {
            for isRoot in [true, false] {
                let layers = HostSupport.layers(LandlockSupport(abi: abi), isRoot: isRoot, hasNamespaces: isRoot)
                let states = Dictionary(uniqueKeysWithValues: layers.map { ($0.name, $0.state) })
                #expect(states["files"] == (abi >= 1 ? .enforced : .refused))
                #expect(states["truncation"] == (abi >= 3 ? .enforced : .partly))
                #expect(states["tcp ports"] == (abi >= 4 ? .enforced : .refused))
                #expect(states["signals to others"] == (abi >= 6 || isRoot ? .enforced : .partly))
                #expect(states["whole tree"] == (isRoot ? .enforced : .partly))
            }
        }
    }
}
