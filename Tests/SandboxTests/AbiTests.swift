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

    /// Those that the table names, and this kernel's own.
    static let abis = Set([1, 2, 3, 4, 5, 6, LandlockSupport.running.abi]).sorted()

    @Test func `without Landlock nothing starts`() {
        #expect(throws: EnforcementError.landlock(needs: 1, has: 0, what: "a sandbox")) { try run("true", abi: 0) }
    }

    @Test(arguments: abis) func `what needs no Landlock holds with each`(abi: Int) throws {
        var sandbox = PredefinedSandbox.tool
        sandbox.paths.append(PathRule(path: "/proc/self", access: .read, isRequired: true))
        sandbox.limits.openFiles = 37
        let script = "echo $(ulimit -n) $(ulimit -c); while read -r line; do echo $line; done < /proc/self/status; chmod 755 /usr; touch /usr; ls /proc"
        let outcome = try run(script, abi: abi, sandbox)
        for line in ["37 0", "NoNewPrivs: 1", "Seccomp: 2", "CapEff: 0000000000000000"] { #expect(outcome.output.contains("\(line)\n"), "\(line): \(outcome)") }
        #expect(isRoot == outcome.output.contains("Uid: 65534 65534 65534 65534\n"), "\(outcome)")
        // Where Landlock has no rule the call is denied: the file's owner would be refused too.
        for name in ["fchmodat", "utimensat"] { #expect(outcome.denials.entries.map(\.name).contains(name), "\(name): \(outcome)") }
        #expect(outcome.errors.contains("cannot open directory '/proc': Permission denied"), "\(outcome)")
    }

    @Test(arguments: abis) func `sockets are denied with each, abstract ones among them`(abi: Int) throws {
        let outcome = try run("exec python3 -c 'import socket\ntry: socket.socket(socket.AF_UNIX)\nexcept OSError as e: print(e.errno)'", abi: abi)
        #expect(outcome.output == "13\n" && outcome.denials.entries.map(\.name) == ["socket(1)"], "\(outcome)")
    }

    @Test(arguments: abis) func `files are confined by each`(abi: Int) throws {
        let outcome = try run("cat /etc/hostname; cat /etc/passwd > /dev/null && echo read; echo x > /etc/postern-x", abi: abi)
        #expect(outcome.output == "read\n", "\(outcome)")
        #expect(outcome.errors.contains("/etc/hostname: Permission denied") && outcome.errors.contains("/etc/postern-x: Permission denied"), "\(outcome)")
    }

    @Test(arguments: abis) func `truncation by path is denied by Landlock or by seccomp`(abi: Int) throws {
        var sandbox = PredefinedSandbox.tool
        sandbox.paths.append(PathRule(path: "/dev/shm", access: .write, isRequired: true))
        let outcome = try run("exec python3 -c 'import os\ntry: os.truncate(\"/etc/passwd\", 0)\nexcept OSError as e: print(e.errno)'", abi: abi, sandbox)
        #expect(outcome.output == (abi < 3 ? "1\n" : "13\n"), "\(outcome)")
        #expect(outcome.denials.entries.map(\.name).contains("truncate") == (abi < 3))
    }

    @Test(arguments: abis) func `ports need ABI 4`(abi: Int) throws {
        let (open, other) = (try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0)), try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0)))
        let ports = [try open.localAddress().port, try other.localAddress().port]
        var sandbox = PredefinedSandbox.tool
        sandbox.network = .tcp(ports: [ports[0]], dns: false)
        let script = "exec python3 -c 'import socket\nfor port in \(ports): print(socket.socket().connect_ex((\"127.0.0.1\", port)))'"
        if abi >= 4 {
            let outcome = try run(script, abi: abi, sandbox)
            #expect(outcome.output == "0\n13\n", "\(outcome)")
        } else {
            #expect(throws: EnforcementError.landlock(needs: 4, has: abi, what: "network \"tcp\"")) { try run(script, abi: abi, sandbox) }
        }
    }

    @Test(arguments: abis) func `signals to others need ABI 6, or a pid namespace`(abi: Int) throws {
        let outcome = try run("kill -0 \(processID) && echo reached", abi: abi)
        // What `check --host` says of such a machine.
        #expect(outcome.output == (abi < 6 && !HostSupport.hasNamespaces ? "reached\n" : ""), "\(outcome)")
    }

    @Test(.enabled(if: HostSupport.hasNamespaces, "elsewhere the monitor sweeps: SweepTests"), arguments: abis)
    func `what a command leaves behind ends with it, with each`(abi: Int) throws {
        let mark = UInt32.random(in: 1_000_000 ... .max)
        #expect(try run("(setsid sleep 1000.\(mark) &)", abi: abi).succeeded)
        // The expression is not what it looks for.
        #expect(try SandboxTests.run(["/bin/sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -cx '[1]000.\(mark)'"]).output == "0\n")
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
                #expect(states["file attributes"] == (isRoot ? .enforced : .partly))
                #expect(states["whole tree"] == (isRoot ? .enforced : .partly))
            }
        }
    }
}
