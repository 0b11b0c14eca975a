import Linux
import Policy
import Sandbox
import SandboxCompiler
import Testing

@Suite("DESIGN §3.4: syscalls") struct CompileTests {
    static let faults: [(allow: [String], deny: [String], CompileError)] = [
        (["opne"], [], .unknownCall("opne")), ([], ["opne"], .unknownCall("opne")), (["@ipcs"], [], .unknownGroup("@ipcs")),
        (["mount"], [], .dangerousCall("mount")), (["ptrace"], [], .dangerousCall("ptrace")),
    ]

    @Test(arguments: faults) func `what is not known or never allowed is a fault`(allow: [String], deny: [String], expected: CompileError) {
        var plan = PredefinedSandbox.tool
        plan.allowedCalls += allow
        plan.deniedCalls += deny
        #expect(throws: expected) { try compile(plan) }
    }

    @Test func `no group holds a dangerous call`() {
        for group in SystemCalls.groupNames {
            #expect(SystemCalls.dangerous.isDisjoint(with: SystemCalls.group(group) ?? []), "\(group)")
        }
    }

    @Test(arguments: PredefinedSandbox.names) func `predefined sandboxes compile to small programs`(name: String) throws {
        let plan = try #require(PredefinedSandbox.named(name))
        let filter = try compile(plan)
        #expect(filter.program.count % 8 == 0)
        #expect(filter.program.count < 8 * 1024)
        // The same every time: a compiled policy can be compared.
        #expect(try compile(plan) == filter)
    }

    @Test func `a policy allows more and denies`() throws {
        var plan = PredefinedSandbox.tool
        let shared = "import ctypes; print(ctypes.CDLL(None).shmget(0, 4096, 0o1600) >= 0)"
        let program = ["/usr/bin/python3", "-c", shared]
        #expect(try run(program, in: plan).output == "False\n")
        plan.deniedCalls = ["uname"]
        #expect(try run(["/bin/uname"], in: plan).errors.contains("Operation not permitted"))
        #expect(try run(["/bin/uname"], in: PredefinedSandbox.tool).succeeded)
    }

    @Test func `the service sandbox runs what a service does, and nothing dangerous`() throws {
        let serve = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); c = socket.create_connection(s.getsockname()); print('served')"
        #expect(try run(["/usr/bin/python3", "-c", serve], in: PredefinedSandbox.service).output == "served\n")
        for call in ["272, 0x10000000", "101, 0, 0, 0, 0", "165, 0, 0, 0, 0, 0", "425, 1, 0"] {
            let script = "import ctypes; l = ctypes.CDLL(None, use_errno=True); print(l.syscall(\(call)), ctypes.get_errno())"
            #expect(try run(["/usr/bin/python3", "-c", script], in: PredefinedSandbox.service).output == "-1 1\n")
        }
    }
}
