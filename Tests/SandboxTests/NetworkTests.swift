import Linux
import Policy
import Sandbox
import SandboxCompiler
import Testing

@Suite("DESIGN §3.4: network", .enabled(if: LandlockSupport.running.restrictsPorts, "needs Landlock ABI 4")) struct NetworkTests {
    /// Prints the errno of connecting to a port of this machine, 0 when it worked.
    private func connect(to port: UInt16, _ network: Network, kind: String = "") throws -> String {
        var sandbox = PredefinedSandbox.tool
        sandbox.network = network
        let script = """
            import socket
            try: s = socket.socket(\(kind)); s.connect(('127.0.0.1', \(port))); print(0)
            except OSError as error: print(error.errno)
            """
        return try run(["/usr/bin/python3", "-c", script], in: sandbox).output
    }

    @Test func `only the ports named can be connected to`() throws {
        let listener = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0))
        let port = try listener.localAddress().port
        #expect(try connect(to: port, .tcp(ports: [port], dns: false)) == "0\n")
        #expect(try connect(to: port, .tcp(ports: [port &+ 1], dns: false)) == "13\n")
        #expect(try connect(to: port, .any) == "0\n")
        #expect(try connect(to: port, .unix) == "13\n")
        #expect(try connect(to: port, .none) == "13\n")
    }

    @Test func `streams that Landlock does not see are refused`() throws {
        let listener = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0))
        let port = try listener.localAddress().port
        // IPPROTO_MPTCP
        #expect(try connect(to: port, .tcp(ports: [1], dns: true), kind: "socket.AF_INET, socket.SOCK_STREAM, 262") == "13\n")
        var sandbox = PredefinedSandbox.tool
        sandbox.network = .tcp(ports: [1], dns: false)
        let fastOpen = """
            import socket
            try: socket.socket().sendto(b'x', 0x20000000, ('127.0.0.1', \(port))); print(0)
            except OSError as error: print(error.errno)
            """
        #expect(try run(["/usr/bin/python3", "-c", fastOpen], in: sandbox).output == "1\n")
    }

    @Test func `names can be resolved where dns is named`() throws {
        #expect(try connect(to: 53, .tcp(ports: [], dns: true), kind: "socket.AF_INET, socket.SOCK_DGRAM") == "0\n")
        #expect(try connect(to: 53, .tcp(ports: [], dns: false), kind: "socket.AF_INET, socket.SOCK_DGRAM") == "13\n")
    }

    @Test func `an older kernel is said, not passed over`() throws {
        var sandbox = PredefinedSandbox.tool
        sandbox.network = .tcp(ports: [1], dns: false)
        sandbox.filter.program = [0, 0, 0, 0, 0, 0, 0, 0]
        let account = Account(name: "me", uid: isRoot ? 65534 : Users.currentUID, gid: 0, groups: [], home: "/", shell: "")
        let null = try openFile("/dev/null")
        let program = try ProgramFile("/bin/true")
        let cases: [(abi: Int, EnforcementError)] = [
            (0, .landlock(needs: 1, has: 0, what: "a sandbox")), (3, .landlock(needs: 4, has: 3, what: "network \"tcp\"")),
        ]
        for (abi, expected) in cases {
            #expect(throws: expected) {
                try ProcessPlan(
                    confining: sandbox, account: account, program: program, arguments: [], environment: [], firstProcess: firstProcess, input: null, output: null,
                    error: null, support: LandlockSupport(abi: abi))
            }
        }
    }
}
