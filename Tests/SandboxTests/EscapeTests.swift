import Linux
import Policy
import Sandbox
import SandboxCompiler
import Testing

/// Ways out, each refused inside. What is refused inside works outside, where trying it does no harm: in namespaces made for the test.
@Suite("DESIGN §3.4: ways out", .enabled(if: LandlockSupport.running.abi > 0, "needs Landlock")) struct EscapeTests {
    private static let python = "/usr/bin/python3"

    private func python(_ body: String, in sandbox: SandboxPlan = PredefinedSandbox.tool, _ change: (inout ProcessPlan) -> Void = { _ in }) throws -> Outcome {
        try run([Self.python, "-c", Self.prelude + body], in: sandbox, change)
    }

    private static let prelude = """
        import ctypes, os, signal, socket, sys
        libc = ctypes.CDLL(None, use_errno=True)
        def call(*arguments):
            if libc.syscall(*[ctypes.c_long(a) for a in arguments]) < 0: raise OSError(ctypes.get_errno(), '')
        def tried(act):
            try: act(); print('worked')
            except OSError as error: print(os.strerror(error.errno))

        """

    /// The kernel looks at them outside, where the arguments are turned down; inside it does not come to that. (`postern probe` tries them all.)
    static let calls = ["ptrace", "unshare", "add_key", "userfaultfd", "io_uring_setup", "clone CLONE_NEWUSER", "personality", "process_vm_readv"]

    #if arch(x86_64)
        @Test(arguments: calls) func `calls are refused inside, and looked at outside`(name: String) throws {
            #expect(ForbiddenAct(word: "call \(name)") == .call(name))
            let numbers = [
                "ptrace": "101, 0x4206, -1", "unshare": "272, 1", "add_key": "248, -1", "userfaultfd": "323, -1", "io_uring_setup": "425, 1, -1",
                "clone CLONE_NEWUSER": "56, 0x10010000, 0", "personality": "135, 0x4000000", "process_vm_readv": "310, 1, 0, 0, 0, 0",
            ]
            let body = "tried(lambda: call(\(numbers[name] ?? "")))"
            #expect(try python(body).output == "Operation not permitted\n")
            let outside = try run([Self.python, "-c", Self.prelude + body]) { if isRoot { $0.identity = .init(uid: 65534, gid: 65534, groups: []) } }
            #expect(outside.output != "Function not implemented\n", "\(outside)")
            // An administrator may have closed these two to all users.
            if !["userfaultfd", "io_uring_setup"].contains(name) { #expect(outside.output != "Operation not permitted\n", "\(outside)") }
        }
    #endif

    /// Files by what is done to them; `$OUT` is a directory of the command's own user that its sandbox does not name.
    static let files = [
        "open('$OUT/file').read()", "open('$OUT/file', 'w')", "open('$OUT/new', 'w')", "os.truncate('$OUT/file', 0)", "os.unlink('$OUT/file')",
        "os.rename('$OUT/file', '$OUT/other')", "os.link('$OUT/file', '$OUT/hard')", "os.symlink('/', '$OUT/link')", "os.mkdir('$OUT/sub')",
        "os.listdir('$OUT')", "os.mkfifo('$OUT/fifo')", "os.chmod('$OUT/file', 0o600)", "os.utime('$OUT/file')", "os.chown('$OUT/file', -1, -1)",
        "os.setxattr('$OUT/file', 'user.x', b'')", "os.execv('$OUT/file', ['x'])",
    ]

    @Test(arguments: files) func `files outside are out of reach, even the user's own`(act: String) throws {
        let directory = "/tmp/postern-escape-\(processID)-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory(directory, mode: 0o755)
        defer { removeTree(directory) }
        try createFile(directory + "/file", Array("#!/bin/sh\necho worked\n".utf8), mode: 0o755)
        if isRoot {
            try openDirectory(directory).changeOwner(uid: 65534, gid: 65534)
            try openFile(directory + "/file").changeOwner(uid: 65534, gid: 65534)
        }
        let body = "tried(lambda: \(act.replacing("$OUT", with: directory)))"
        let inside = try python(body).output
        #expect(inside == "Permission denied\n" || inside == "Operation not permitted\n", "\(inside)")
        let outside = try run([Self.python, "-c", Self.prelude + body]) { if isRoot { $0.identity = .init(uid: 65534, gid: 65534, groups: []) } }
        // tmpfs and others may not have extended attributes of users.
        #expect(outside.output == "worked\n" || act.contains("xattr"), "\(outside)")
    }

    @Test(.enabled(if: isRoot, "needs two users")) func `the files of root, of others and of the gateway are out of reach`() throws {
        for path in ["/etc/shadow", "/root", "/proc/1/environ", "/proc/\(processID)/environ", "/proc/self/mem", "/var/lib/postern", "/etc/postern"] {
            let outcome = try python("tried(lambda: os.open('\(path)', os.O_RDONLY))")
            #expect(outcome.output == "Permission denied\n" || outcome.output == "No such file or directory\n", "\(path): \(outcome)")
        }
    }

    @Test func `programs that change the user keep it`() throws {
        for program in ["/usr/bin/su", "/usr/bin/passwd", "/usr/bin/sudo", "/usr/bin/mount"] where (try? ProgramFile(program)) != nil {
            let outcome = try python("if os.fork() == 0: os.execv('\(program)', ['\(program)', '--help'])\nelse: os.wait(); print(os.geteuid() != 0)")
            #expect(outcome.output.hasSuffix("True\n"), "\(program): \(outcome)")
        }
        let status = try python("print([l for l in open('/proc/self/status') if l.startswith('NoNewPrivs')][0])") { $0.landlock?.paths.append(.init("/proc", .read)) }
        #expect(status.output.contains("1"), "\(status)")
    }

    @Test func `processes outside can be neither seen nor signalled`() throws {
        for act in ["os.kill(\(processID), 0)", "os.kill(\(processID), signal.SIGCONT)", "os.pidfd_open(\(processID)) and os.kill(\(parentProcessID), 0)"] {
            let outcome = try python("tried(lambda: \(act))").output
            #expect(outcome == "Operation not permitted\n" || outcome == "No such process\n", "\(act): \(outcome)")
        }
        #expect(try run([Self.python, "-c", Self.prelude + "tried(lambda: os.kill(\(processID), 0))"]).output == "worked\n")
    }

    @Test func `abstract sockets of others are out of reach`() throws {
        let name = "postern-test-\(processID)-\(UInt32.random(in: 0 ... .max))"
        let output = try Descriptor.pipe()
        let listening = "import socket; s = socket.socket(socket.AF_UNIX); s.bind('\\0\(name)'); s.listen(); print('up', flush=True); s.accept()"
        let null = try openFile("/dev/null")
        let server = try launch(ProcessPlan(program: .path(Self.python), arguments: ["python3", "-c", listening], input: null, output: output.writing, error: null))
        defer {
            try? server.sendSignal(.kill)
            _ = try? server.waitUntilExit()
        }
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(try output.reading.read(into: &bytes, bytes.indices) == 3)
        let body = "tried(lambda: socket.socket(socket.AF_UNIX).connect('\\0\(name)'))"
        #expect(try python(body).output == "Permission denied\n")
        // Landlock alone, where a sandbox has sockets.
        for (scopes, answer) in [([.abstractSockets], "Operation not permitted\n"), ([], "worked\n")] as [(LandlockRules.Scopes, String)] where LandlockSupport.running.abi >= 6 {
            let outcome = try run([Self.python, "-c", Self.prelude + body]) { $0.landlock = LandlockRules(paths: [.init("/", .execute)], scopes: scopes) }
            #expect(outcome.output == answer, "\(outcome)")
        }
    }

    @Test func `there are no core dumps and no descriptors above 2`() throws {
        let body = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE), [], flush=True)\nfor n in range(3, 256):\n    try: os.fstat(n); print('open', n)\n    except OSError: pass\nos.abort()"
        let outcome = try python(body)
        #expect(outcome.output == "(0, 0) []\n", "\(outcome)")
        #expect(outcome.status == .signaled(Signal(6), dumpedCore: false))
    }

    @Test func `memory ends where the limit is`() throws {
        var sandbox = PredefinedSandbox.tool
        sandbox.limits.memory = 128 << 20
        let body = "try:\n    b = [bytearray(16 << 20) for i in range(16)]; print('worked')\nexcept MemoryError: print('refused')"
        #expect(try python(body, in: sandbox).output == "refused\n")
        #expect(try python(body).output == "worked\n")
    }

    @Test func `a fork bomb stays within its cap, and is gone with the command`() throws {
        // Processes are counted for each user: a user of its own.
        guard isRoot else { return }
        let body = "n = 0\ntry:\n    while n < 40:\n        if os.fork() == 0: signal.pause()\n        n += 1\n    print(n)\nexcept OSError as e: print(n, e.errno)"
        for (limit, output) in [(UInt64(20), "19 11\n"), (1000, "40\n")] {
            let outcome = try python(body) {
                $0.identity = .init(uid: 65_033, gid: 65_033, groups: [])
                $0.limits.append(ResourceLimit(.processes, limit))
            }
            #expect(outcome.output == output, "\(outcome)")
        }
        #expect(try run(["/bin/sh", "-c", "cat /proc/[0-9]*/status 2>/dev/null | grep -c '^Uid:.65033'"]).output == "0\n")
    }

    @Test func `a file grows no further than its limit`() throws {
        var sandbox = PredefinedSandbox.tool
        sandbox.limits.fileSize = 1 << 16
        sandbox.paths.append(PathRule(path: "/dev/shm", access: .write, isRequired: true))
        let path = "/dev/shm/postern-\(processID)-\(UInt32.random(in: 0 ... .max))"
        let outcome = try run(["/bin/dd", "if=/dev/zero", "of=\(path)", "bs=64k", "count=4"], in: sandbox)
        _ = try run(["/bin/rm", "-f", path])
        #expect(outcome.status == .signaled(Signal(25), dumpedCore: false), "\(outcome)")
    }
}
