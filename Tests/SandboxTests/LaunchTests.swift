import Linux
import Sandbox
import Testing

let isRoot = Users.currentUID == 0

@Suite("DESIGN §6: from clone to exec") struct LaunchTests {
    @Test func `the exit status is the program's own`() throws {
        #expect(try run(["/bin/true"]).status == .exited(0))
        #expect(try run(["/bin/false"]).status == .exited(1))
        #expect(try run(["/bin/sh", "-c", "exit 77"]).status == .exited(77))
        #expect(try run(["/bin/sh", "-c", "kill -TERM $$"]).status == .signaled(.terminate, dumpedCore: false))
    }

    @Test func `arguments and environment arrive as they are`() throws {
        let outcome = try run(["/usr/bin/printenv"]) { $0.environment = [Array("A=1 2".utf8), Array("B=".utf8)] }
        #expect(outcome.output == "A=1 2\nB=\n")
        #expect(try run(["/bin/echo", "a b", "", "*"]).output == "a b  *\n")
    }

    @Test func `a program is executed by its descriptor`() throws {
        let file = try openFile("/bin/echo", .pathOnly)
        #expect(try run(["echo", "there"]) { $0.program = .descriptor(file) }.output == "there\n")
    }

    @Test func `nothing but the given descriptors is open`() throws {
        let extra = try openFile("/dev/zero")
        let names = try run(["/bin/ls", "/proc/self/fd"]).output
        // 3 is the directory that ls itself reads.
        #expect(names == "0\n1\n2\n3\n")
        let more = try run(["/bin/ls", "-l", "/proc/self/fd/3"]) { $0.descriptors.append(extra) }.output
        #expect(more.hasSuffix("-> /dev/zero\n"))
    }

    @Test func `descriptors that lie in each other's places are sorted out`() throws {
        // The program's number is among the targets, and 0, 1, 2 are given in reverse.
        let outcome = try run(["/bin/sh", "-c", "echo out; echo err >&2"]) {
            $0.descriptors = [$0.descriptors[0], $0.descriptors[2], $0.descriptors[1]]
        }
        #expect(outcome.output == "err\n")
        #expect(outcome.errors == "out\n")
    }

    @Test func `signals are neither blocked nor ignored in the child`() throws {
        ignoreBrokenPipes()
        let status = try run(["/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]).output
        #expect(status == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
    }

    @Test func `the child leads a session of its own`() throws {
        let fields = try run(["/bin/cat", "/proc/self/stat"]).output.split(separator: " ")
        #expect(fields[0] == fields[5])
    }

    @Test(.enabled(if: isRoot, "only root changes identities")) func `identity and privileges are gone`() throws {
        let outcome = try run(["/bin/grep", "-E", "^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap...):", "/proc/self/status"]) {
            $0.identity = .init(uid: 65534, gid: 65533, groups: [65532, 65531])
            $0.emptiesBoundingSet = true
        }
        let none = "\t0000000000000000\n"
        #expect(
            outcome.output == """
                Uid:\t65534\t65534\t65534\t65534
                Gid:\t65533\t65533\t65533\t65533
                Groups:\t65531 65532 
                CapInh:\(none)CapPrm:\(none)CapEff:\(none)CapBnd:\(none)CapAmb:\(none)NoNewPrivs:\t1
                Seccomp:\t0

                """)
    }

    @Test func `the signal at the parent's end is still set in the program`() throws {
        let script = "import ctypes; n = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(n)); print(n.value)"
        for identity in [nil, isRoot ? ProcessPlan.Identity(uid: 65534, gid: 65534, groups: []) : nil] {
            let outcome = try run(["/usr/bin/python3", "-c", script]) {
                $0.parentDeathSignal = .kill
                $0.identity = identity
            }
            #expect(outcome.output == "9\n")
        }
    }

    @Test(.enabled(if: isRoot, "only root makes them")) func `namespaces are the child's own`() throws {
        let outcome = try run(["/bin/sh", "-c", "echo $$; cat /proc/sys/kernel/hostname > /dev/null; ls /sys/class/net"]) {
            $0.namespaces = [.pid, .uts, .ipc]
            $0.parentDeathSignal = .kill
        }
        // Process 1 is ours.
        #expect(outcome.output.hasPrefix("2\n"))
    }

    @Test func `limits hold`() throws {
        let outcome = try run(["/bin/sh", "-c", "ulimit -n; ulimit -c"]) {
            $0.limits = [.noCoreDumps, ResourceLimit(.openFiles, 37)]
        }
        #expect(outcome.output == "37\n0\n")
    }

    @Test(.enabled(if: isRoot, "only root changes the root directory")) func `the root directory can be another`() throws {
        let elsewhere = try openDirectory("/proc/self")
        let program = try openFile("/usr/bin/true", .pathOnly)
        // Its loader is not below the new root: the exec itself fails, which shows where the kernel looked.
        let error = #expect(throws: LaunchError.self) {
            try run(["true"]) {
                $0.program = .descriptor(program)
                $0.rootDirectory = elsewhere
            }
        }
        #expect(error?.step == .exec)
        #expect(error?.errno == .notFound)
    }
}
