import Linux
import Policy
import Sandbox
import SandboxCompiler
import Testing

/// What is refused inside is done outside, or looked at: by root, whom the kernel refuses nothing, in namespaces made for the test.
@Suite("DESIGN §3.4: inside and outside", .enabled(if: isRoot && LandlockSupport.running.abi > 0, "needs root and Landlock")) struct OutsideTests {
    private static let nobody = ProcessPlan.Identity(uid: 65534, gid: 65534, groups: [])
    private static let probe = "\(programs)/postern-probe"

    private func inside(_ act: ForbiddenAct, input: Descriptor? = nil) throws -> Outcome {
        try run([Self.probe], in: PredefinedSandbox.tool) {
            $0.environment = ["SWIFT_ROOT=/", "SWIFT_BACKTRACE=enable=no", "POSTERN_ACT=\(act)"].map { Array($0.utf8) }
            if let input { $0.descriptors[0] = input }
        }
    }

    private func outside(_ act: ForbiddenAct, input: Descriptor? = nil) throws -> String {
        let namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
        return try run(["/usr/bin/unshare"] + namespaces + [Self.probe]) {
            $0.environment.append(Array("POSTERN_ACT=\(act)".utf8))
            $0.keepsPrivileges = true
            if let input { $0.descriptors[0] = input }
        }.output
    }

    /// Kernels may be built without them.
    private static let absent = ["kexec_load", "init_module", "finit_module", "delete_module", "swapon", "acct", "quotactl"]

    @Test(arguments: ForbiddenAct.callNames) func `each call is denied by name inside, and looked at outside`(name: String) throws {
        // Of terminal input there is nothing to say without a terminal.
        let terminal = name == "ioctl TIOCSTI" ? try openFile("/dev/ptmx", .readWrite) : nil
        let (inside, outside) = (try inside(.call(name), input: terminal), try outside(.call(name), input: terminal))
        let call = name.prefix { $0 != " " }
        if let deadly = inside.denials.deadly {
            #expect(deadly == call && inside.output == "", "\(inside)")
        } else {
            #expect(inside.output.hasPrefix("refused "), "\(inside)")
            #expect(inside.denials.entries.contains { $0.name.prefix { $0 != "(" } == call }, "\(inside)")
        }
        let isAbsent = Self.absent.contains(name) && outside == "refused 38\n"
        #expect(outside.hasPrefix("reached ") || outside == "worked\n" || isAbsent, "\(outside)")
    }

    /// Sockets of the link, raw ones, of the internet, of this machine, of the kernel; files that are only opened.
    static let acts: [ForbiddenAct] = [
        .socket(domain: 17, type: 3), .socket(domain: 2, type: 3), .socket(domain: 2, type: 1), .socket(domain: 2, type: 2), .socket(domain: 10, type: 1),
        .socket(domain: 1, type: 1), .socket(domain: 16, type: 3), .read("/etc/shadow"), .read("/root"), .read("/proc/1/environ"), .write("/etc/passwd"),
    ]

    @Test(arguments: acts) func `sockets and files are refused inside, and had outside`(act: ForbiddenAct) throws {
        #expect(try inside(act).output == "refused 13\n")
        // IPv4 has no raw socket without a protocol, which it says after it looked at the privilege.
        #expect(try outside(act) == (act == .socket(domain: 2, type: 3) ? "reached 93\n" : "worked\n"))
    }

    private func withDirectory(of owner: ProcessPlan.Identity?, _ body: (String) throws -> Void) throws {
        let directory = "/tmp/postern-outside-\(processID)-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory(directory, mode: 0o755)
        defer { _ = try? run(["/bin/rm", "-rf", directory]) { $0.identity = owner } }
        if let owner { try openDirectory(directory).changeOwner(uid: owner.uid, gid: owner.gid) }
        try body(directory)
    }

    @Test(.enabled(if: HostSupport.hasNamespaces, "needs CAP_SYS_ADMIN"))
    func `where a command writes, what is elsewhere keeps its mode, owner, times and attributes`() throws {
        let script = """
            import os, sys
            for act in (lambda f: os.chmod(f, 0o600), lambda f: os.chown(f, -1, 65534), lambda f: os.utime(f), lambda f: os.setxattr(f, 'user.x', b'x')):
                try: act(sys.argv[1]); print(0, end=' ')
                except OSError as error: print(error.errno, end=' ')
            """
        try withDirectory(of: Self.nobody) { mine in
            try withDirectory(of: Self.nobody) { other in
                let files = try [mine, other].map { directory in
                    try createFile("\(directory)/file", [], mode: 0o644)
                    try openFile("\(directory)/file").changeOwner(uid: 65534, gid: 65534)
                    return "\(directory)/file"
                }
                var sandbox = PredefinedSandbox.tool
                sandbox.paths += [PathRule(path: mine, access: .write, isRequired: true), PathRule(path: other, access: .read, isRequired: true)]
                let python = ["/usr/bin/python3", "-c", script]
                #expect(try run(python + [files[0]], in: sandbox).output == "0 0 0 0 ")
                // EROFS.
                #expect(try run(python + [files[1]], in: sandbox).output == "30 30 30 30 ")
                #expect(try run(python + [files[1]]) { $0.identity = Self.nobody }.output == "0 0 0 0 ")
            }
        }
    }

    @Test func `what lies beneath a path that is written is of one piece with it`() throws {
        try withDirectory(of: Self.nobody) { directory throws in
            var sandbox = PredefinedSandbox.tool
            sandbox.paths += ["\(directory)/a", directory, "/dev/shm"].map { PathRule(path: $0, access: .write, isRequired: $0 == directory) }
            let shared = "/dev/shm/postern-\(processID)-\(UInt32.random(in: 0 ... .max))"
            let script = "cd \(directory) && mkdir -p a b && echo one > b/file && ln b/file a/file && python3 -c 'import os; os.rename(\"b/file\", \"a/other\")' && cat a/*; echo two > \(shared) && cat \(shared) && rm \(shared)"
            for _ in 0..<2 {
                let outcome = try run(["/bin/sh", "-c", script], in: sandbox)
                #expect(outcome.output == "one\none\ntwo\n", "\(outcome)")
                _ = try run(["/bin/sh", "-c", "rm -rf \(directory)/b \(directory)/a/*"], in: sandbox)
            }
        }
    }

    @Test func `a set-user-id program makes a command nobody else, and others root`() throws {
        try withDirectory(of: nil) { directory in
            let program = "\(directory)/id"
            _ = try run(["/bin/cp", "/usr/bin/id", program])
            _ = try run(["/bin/chmod", "4755", program])
            let outside = try run([program, "-u"]) {
                $0.identity = Self.nobody
                $0.keepsPrivileges = true
            }
            #expect(outside.output == "0\n", "\(outside)")
            var sandbox = PredefinedSandbox.tool
            sandbox.paths.append(PathRule(path: directory, access: .execute, isRequired: true))
            #expect(try run([program, "-u"], in: sandbox).output == "65534\n")
            #expect(try run(["/bin/sh", "-c", "\(program) -u"], in: sandbox).output == "65534\n")
        }
    }

    /// A pattern with a program or a directory in it is the machine's own matter (core(5)).
    private static let dumpsHere = (try? readFile("/proc/sys/kernel/core_pattern", limit: 128)).map { !$0.contains(UInt8(ascii: "/")) && $0.first != UInt8(ascii: "|") } ?? false

    @Test(.enabled(if: dumpsHere, "core dumps do not go to the working directory")) func `a process that dies leaves its memory in a file outside, and none inside`() throws {
        try withDirectory(of: Self.nobody) { directory throws in
            let outside = try run(["/bin/sh", "-c", "cd \(directory) && kill -ABRT $$"]) {
                $0.identity = Self.nobody
                $0.limits = [ResourceLimit(.coreSize, 1 << 24)]
            }
            #expect(outside.status == .signaled(Signal(6), dumpedCore: true))
            #expect(try run(["/bin/ls", directory]).output.hasPrefix("core"))
        }
        try withDirectory(of: Self.nobody) { directory throws in
            var sandbox = PredefinedSandbox.tool
            sandbox.paths.append(PathRule(path: directory, access: .write, isRequired: true))
            let inside = try run(["/bin/sh", "-c", "cd \(directory) && ulimit -c unlimited; kill -ABRT $$"], in: sandbox)
            #expect(inside.status == .signaled(Signal(6), dumpedCore: false))
            #expect(try run(["/bin/ls", directory]).output == "")
        }
    }

    /// Runs a script as root in a mount namespace of its own; `$D` is a place of 4 MiB that all there share, `$USER` runs a command as nobody.
    private func shared(_ script: String) throws -> Outcome {
        let prepare = "mount -t tmpfs -o size=4m,mode=1777 none /mnt && D=/mnt && USER='setpriv --reuid=65534 --regid=65534 --clear-groups' || exit 9\n"
        return try run(["/usr/bin/unshare", "--mount", "/bin/sh", "-c", prepare + script]) { $0.keepsPrivileges = true }
    }

    @Test(.enabled(if: HostSupport.hasNamespaces, "needs CAP_SYS_ADMIN"))
    func `a place for all that one fills is full for all outside, and nobody else's inside`() throws {
        let fill = "head -c 8388608 /dev/zero > $TMPDIR/file; stat -c %s $TMPDIR/file"
        let outside = try shared("TMPDIR=$D $USER sh -c '\(fill)'; $USER sh -c \"head -c 9 /dev/zero > $D/other\" 2>&1")
        #expect(outside.output.hasPrefix("4194304\n") && outside.output.contains("No space left on device"), "\(outside)")
        try withDirectory(of: Self.nobody) { directory throws in
            var sandbox = PredefinedSandbox.tool
            sandbox.limits.memory = 16 << 20
            let inside = try run(["/bin/sh", "-c", "head -c 33554432 /dev/zero > $TMPDIR/file; stat -c %s $TMPDIR/file"], in: sandbox) {
                $0.environment.append(Array("TMPDIR=\(directory)".utf8))
                $0.namespaces = [.pid, .mount]
                $0.temporary = .init(path: directory, bytes: 16 << 20)
                $0.landlock?.paths.append(.init(directory, .write))
            }
            #expect(inside.output == "16777216\n" && inside.errors.contains("No space left on device"), "\(inside)")
            #expect(try run(["/bin/ls", directory]).output == "")
        }
    }

    @Test(.enabled(if: HostSupport.hasNamespaces, "needs CAP_SYS_ADMIN")) func `output without end takes all the room there is outside, and inside a pipe's until somebody reads`() throws {
        let outside = try shared("$USER sh -c \"yes > $D/output\" 2>&1; stat -c %s $D/output; $USER sh -c \"head -c 9 /dev/zero > $D/other\" 2>&1")
        #expect(outside.output.contains("\n4194304\n") && outside.output.hasSuffix("No space left on device\n"), "\(outside)")
        let unread = try Descriptor.pipe()
        // Killed while it waits for a reader: the pipe is full, and nothing is kept elsewhere.
        let inside = try run(["/bin/sh", "-c", "yes & writer=$!; sleep 1; kill -KILL $writer; wait $writer"], in: PredefinedSandbox.tool) { $0.descriptors[1] = unread.writing }
        // 128 and SIGKILL.
        #expect(inside.status == .exited(137), "\(inside)")
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = try #require(try unread.reading.read(into: &bytes, bytes.indices))
        #expect(4096...65536 ~= count)
        // As in a file: to its limit.
        try withDirectory(of: Self.nobody) { directory throws in
            var sandbox = PredefinedSandbox.tool
            sandbox.limits.fileSize = 1 << 20
            sandbox.paths.append(PathRule(path: directory, access: .write, isRequired: true))
            let file = try run(["/bin/sh", "-c", "yes > \(directory)/output; echo $?; stat -c %s \(directory)/output"], in: sandbox)
            // 128 and SIGXFSZ.
            #expect(file.output == "153\n1048576\n", "\(file)")
        }
    }
}
