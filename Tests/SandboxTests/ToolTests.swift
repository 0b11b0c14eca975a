import Linux
import Policy
import Sandbox
import SandboxCompiler
import Testing

/// Runs a program in a sandbox: as nobody where the tests run as root, else as whoever they run.
func run(_ arguments: [String], in sandbox: SandboxPlan, _ change: (inout ProcessPlan) -> Void = { _ in }) throws -> Outcome {
    let plan = try compiled(sandbox)
    let user = try #require(try Users.with(uid: isRoot ? 65534 : Users.currentUID))
    let account = Account(name: user.name, uid: user.uid, gid: user.gid, groups: user.groups, home: "/", shell: user.shell)
    let program = try ProgramFile(arguments[0], trusting: Users.currentUID)
    let confined = try { (input: Descriptor) in
        try ProcessPlan(
            confining: plan, account: account, program: program, arguments: arguments.map { Array($0.utf8) },
            environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/"].map { Array($0.utf8) }, firstProcess: firstProcess, input: input, output: input,
            error: input)
    }(openFile("/dev/null"))
    return try run(arguments) {
        let descriptors = $0.descriptors
        $0 = confined
        $0.descriptors = descriptors
        // The thread of a test may end before the child.
        $0.parentDeathSignal = nil
        change(&$0)
    }
}

private func compiled(_ sandbox: SandboxPlan) throws -> SandboxPlan {
    var plan = sandbox
    plan.filter = try compile(plan)
    // Other processes of the same user count too.
    plan.limits.processes = 4096
    return plan
}

private let python = "/usr/bin/python3"
private let landlock = LandlockSupport.running.abi > 0

@Suite("DESIGN §3.4: the sandbox \"tool\"", .enabled(if: landlock, "needs Landlock")) struct ToolTests {
    static let ordinary: [[String]] = [
        ["/bin/true"], ["/bin/echo", "hello"], ["/bin/cat", "/etc/passwd"], ["/usr/bin/head", "-c", "10", "/dev/zero"],
        ["/bin/sh", "-c", "x=$(echo a | cat); test $x = a && ls /usr >/dev/null"], ["/bin/bash", "-c", "cat <(echo x) < /dev/null; (sleep 0)"],
        ["/usr/bin/sha256sum", "/usr/bin/sha256sum"], ["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=64k", "count=4"],
        ["/usr/bin/git", "--version"], ["/usr/bin/git", "hash-object", "/etc/passwd"], ["/bin/tar", "cf", "/dev/null", "/etc/passwd"],
        ["/usr/bin/env"], ["/usr/bin/sort", "/etc/group"], ["/usr/bin/find", "/usr/bin", "-name", "true"], ["/usr/bin/timeout", "5", "true"],
        [python, "-c", "import hashlib, os, threading; t = threading.Thread(target=os.getcwd); t.start(); t.join()"],
        [python, "-c", "import subprocess; assert subprocess.run(['true']).returncode == 0"],
        [python, "-c", "import socket; a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'"],
    ]

    @Test(arguments: ordinary) func `ordinary programs run`(arguments: [String]) throws {
        guard (try? ProgramFile(arguments[0])) != nil else { return }
        let outcome = try run(arguments, in: PredefinedSandbox.tool)
        #expect(outcome.succeeded, "\(outcome)")
    }

    @Test func `the kernel knows what confines it`() throws {
        let outcome = try run(["/bin/grep", "-E", "^(NoNewPrivs|Seccomp|CapEff|CapBnd):", "/proc/self/status"], in: PredefinedSandbox.tool) {
            $0.landlock?.paths.append(.init("/proc", .read))
        }
        #expect(outcome.output.contains("NoNewPrivs:\t1\nSeccomp:\t2\n"))
        #expect(outcome.output.contains("CapEff:\t0000000000000000\n"))
        if isRoot { #expect(outcome.output.contains("CapBnd:\t0000000000000000\n")) }
    }

    static let files = [["/bin/cat", "/etc/hostname"], ["/bin/cat", "/proc/self/status"], ["/bin/ls", "/var"], ["/bin/ls", "/"]]

    @Test(arguments: files) func `files outside are refused inside, allowed outside`(arguments: [String]) throws {
        #expect(try run(arguments, in: PredefinedSandbox.tool).errors.contains("Permission denied"))
        #expect(try run(arguments).succeeded)
    }

    @Test func `the shadow file cannot be read`() throws {
        let outcome = try run(["/bin/cat", "/etc/shadow"], in: PredefinedSandbox.tool)
        #expect(outcome.status == .exited(1))
        #expect(outcome.errors.contains("Permission denied"))
    }

    @Test func `nothing can be written but devices`() throws {
        let outcome = try run(["/bin/sh", "-c", "echo x > /tmp/postern-$$; echo x > /dev/null && echo written"], in: PredefinedSandbox.tool)
        #expect(outcome.output == "written\n")
        #expect(outcome.errors.contains("Permission denied"))
        #expect(try run(["/usr/bin/touch", "/dev/null"], in: PredefinedSandbox.tool).errors.contains("Operation not permitted"))
    }

    @Test func `a path with write access can be written`() throws {
        let directory = "/tmp/postern-test-\(processID)-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory(directory, mode: 0o777)
        defer { _ = try? run(["/bin/rm", "-r", directory]) }
        _ = try run(["/bin/chmod", "1777", directory])
        var sandbox = PredefinedSandbox.tool
        sandbox.paths.append(PathRule(path: directory, access: .write, isRequired: true))
        let outcome = try run(["/bin/sh", "-c", "cd \(directory); echo x > a && mv a b && chmod 600 b && cat b && rm b && mkdir d"], in: sandbox)
        #expect(outcome.output == "x\n", "\(outcome)")
        // Set-uid is never given away.
        let privileged = try run(["/bin/sh", "-c", "cd \(directory); echo x > c; chmod 4755 c"], in: sandbox)
        #expect(privileged.errors.contains("Operation not permitted"))
        // And what was written is not executed.
        let executed = try run(["/bin/sh", "-c", "cd \(directory); cp /bin/true t; ./t"], in: sandbox)
        #expect(executed.status == .exited(126))
    }

    /// Each a line of Python, the errno inside, and whether root may do it outside without harm.
    static let refused: [(name: String, call: String, errno: Int32)] = [
        ("internet sockets", "socket.socket()", 13), ("unix sockets", "socket.socket(socket.AF_UNIX)", 13),
        ("netlink sockets", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", 13),
        ("datagram pairs", "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)", 13), ("ptrace", "call(101, 0, 0, 0, 0)", 1),
        ("reading another's memory", "call(310, os.getpid(), 0, 0, 0, 0, 0)", 1), ("unshare", "call(272, 0x10000000)", 1),
        ("a clone with a namespace", "call(56, 0x10000011, 0, 0, 0, 0)", 1), ("clone3", "call(435, 0, 0)", 38),
        ("setns", "call(308, -1, 0)", 1), ("mount", "call(165, 0, 0, 0, 0, 0)", 1), ("umount", "call(166, 0, 0)", 1),
        ("pivot_root", "call(155, 0, 0)", 1), ("chroot", "os.chroot('/')", 1), ("keyctl", "call(250, 0, -3, 0)", 1),
        ("add_key", "call(248, 0, 0, 0, 0, 0)", 1), ("bpf", "call(321, 0, 0, 0)", 1), ("perf_event_open", "call(298, 0, 0, -1, -1, 0)", 1),
        ("io_uring_setup", "call(425, 1, 0)", 1), ("userfaultfd", "call(323, 0)", 1),
        ("another personality", "call(135, 0x0400000)", 1), ("setuid", "call(105, 0)", 1), ("setgroups", "call(116, 0, 0)", 1),
        ("limits of another", "call(302, 1, 7, 0, 0)", 1), ("a seccomp filter by prctl", "call(157, 22, 2, 0)", 1),
        ("pushing terminal input", "call(16, 0, 0x5412, 0)", 1),
        ("the same, with bits that the kernel does not see", "call(16, 0, 0x100005412, 0)", 1),
        ("chmod", "os.chmod('/usr', 0o755)", 1), ("chown", "os.chown('/usr', -1, -1)", 1), ("utimes", "os.utime('/usr')", 1),
        ("setxattr", "os.setxattr('/usr', 'user.x', b'')", 1), ("a call nobody knows", "call(999)", 38),
        ("the log of the kernel", "call(103, 10, 0, 0)", 1), ("openat2", "call(437, -100, 0, 0, 0)", 38),
    ]

    private static func errno(of call: String) -> String {
        """
        import ctypes, os, socket
        libc = ctypes.CDLL(None, use_errno=True)
        def call(*arguments):
            if libc.syscall(*[ctypes.c_long(a) for a in arguments]) < 0: raise OSError(ctypes.get_errno(), '')
        try: \(call)
        except OSError as error: print(error.errno)
        else: print('allowed')
        """
    }

    #if arch(x86_64)
        @Test(arguments: refused) func `dangerous calls are refused`(name: String, call: String, errno: Int32) throws {
            let outcome = try run([python, "-c", Self.errno(of: call)], in: PredefinedSandbox.tool)
            #expect(outcome.output == "\(errno)\n", "\(outcome)")
        }

        static let harmless = [
            "socket.socket()", "socket.socket(socket.AF_UNIX)", "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)", "call(135, 0x0400000)",
            "call(302, 1, 7, 0, 0)",
        ]

        @Test(.enabled(if: isRoot, "some need root"), arguments: harmless)
        func `what is harmless of them is allowed outside`(call: String) throws {
            #expect(try run([python, "-c", Self.errno(of: call)]).output == "allowed\n")
        }

        @Test func `calls of the 32-bit architecture and of x32 kill`() throws {
            let x32 = try run([python, "-c", Self.errno(of: "call(0x40000000 + 39)")], in: PredefinedSandbox.tool)
            #expect(x32.status == .signaled(.badSystemCall, dumpedCore: false))
            // mov eax, 20 (getpid); int 0x80; ret
            let code = "m = mmap.mmap(-1, 4096, prot=7); m.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))"
            let jump = "f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m))); f()"
            let i386 = try run([python, "-c", "import ctypes, mmap\n\(code)\n\(jump)"], in: PredefinedSandbox.tool)
            #expect(i386.status == .signaled(.badSystemCall, dumpedCore: false))
            // Outside they are the kernel's matter, which may be built without either.
            let outside = [try run([python, "-c", Self.errno(of: "call(0x40000000 + 39)")]), try run([python, "-c", "import ctypes, mmap\n\(code)\n\(jump)"])]
            for outcome in outside { #expect(outcome.status != .signaled(.badSystemCall, dumpedCore: false), "\(outcome)") }
        }
    #endif

    @Test func `the program itself is implied, by its descriptor or its path`() throws {
        let directory = "/tmp/postern-implied-\(processID)-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory(directory, mode: 0o755)
        defer { _ = try? run(["/bin/rm", "-r", directory]) }
        _ = try run(["/bin/cp", "/bin/echo", directory + "/elf"])
        try createFile(directory + "/script", Array("#!/bin/sh\necho \"$@\"\n".utf8), mode: 0o755)
        try createFile(directory + "/other", [1], mode: 0o644)
        for name in ["elf", "script"] {
            #expect(try run([directory + "/" + name, "it ran"], in: PredefinedSandbox.tool).output == "it ran\n")
        }
        #expect(try run(["/bin/cat", directory + "/other"], in: PredefinedSandbox.tool).errors.contains("Permission denied"))
    }

    @Test func `a command is never root`() throws {
        var sandbox = PredefinedSandbox.tool
        sandbox.filter = try compile(sandbox)
        let null = try openFile("/dev/null")
        let root = Account(name: "root", uid: 0, gid: 0, groups: [], home: "/", shell: "/bin/sh")
        let program = try ProgramFile("/bin/true")
        #expect(throws: EnforcementError.root) {
            try ProcessPlan(
                confining: sandbox, account: root, program: program, arguments: [], environment: [], firstProcess: firstProcess, input: null, output: null, error: null)
        }
        sandbox.filter.program = []
        #expect(throws: EnforcementError.noFilter(sandbox: "tool")) {
            try ProcessPlan(
                confining: sandbox, account: root, program: program, arguments: [], environment: [], firstProcess: firstProcess, input: null, output: null, error: null)
        }
    }

    @Test func `processes outside cannot be signalled`() throws {
        let probe = "import os\ntry: os.kill(\(processID), 0); print('allowed')\nexcept (PermissionError, ProcessLookupError): print('refused')"
        guard LandlockSupport.running.abi >= 6 else { return }
        #expect(try run([python, "-c", probe], in: PredefinedSandbox.tool).output == "refused\n")
        #expect(try run([python, "-c", probe]).output == "allowed\n")
    }
}
