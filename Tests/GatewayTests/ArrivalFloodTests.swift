import Foundation
import Linux
import Testing

@Suite("posternd(8), Limits: a flood from one address keeps no other out") struct ArrivalFloodTests {
    /// Holds connections open, opens and drops others, and then holds on until its input ends.
    static let flood = """
        import socket, sys
        port, held, dropped = map(int, sys.argv[1:])
        def connect():
            one = socket.socket()
            one.bind(('127.0.0.2', 0))
            one.connect(('127.0.0.1', port))
            return one
        connections = [connect() for _ in range(held)]
        print('held', flush=True)
        for _ in range(dropped): connect().close()
        print('dropped', flush=True)
        sys.stdin.read()
        """

    /// Descriptors, but for one to each process that waits.
    private func files(_ pid: Int32) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count - LiveProcess.waiting(below: pid).count
    }

    private func memory(_ pid: Int32) throws -> Int {
        let text = try #require(LiveProcess(pid)?.status["VmRSS"]?.split(separator: " ").first)
        return try #require(Int(text))
    }

    @Test func `somebody else logs in as ever, and nothing is left afterwards`() throws {
        let (held, dropped) = isLong ? (300, 2000) : (80, 200)
        try Gateway.serving(.init(gateway: "exempt = []\nlogin_grace = '60s'")) { gateway in
            func login() throws -> Duration {
                let outcome = try gateway.ssh(Gateway.line("echo in"), options: ["-b", "127.0.0.3"])
                #expect(outcome.output == "in\n", "\(outcome)")
                return outcome.duration
            }
            // The machine may be busy with other things.
            let usual = try (0..<5).map { _ in try login() }.max() ?? .zero
            let listener = gateway.process.pid
            let before = (try files(listener), try memory(listener))
            let (input, hold) = try Descriptor.pipe()
            var slowest = Duration.zero
            do {
                let flood = try RunningProgram(["/usr/bin/python3", "-c", Self.flood, "\(gateway.port)", "\(held)", "\(dropped)"], input: .open(input))
                var logins = 0
                while !flood.outputSoFar.contains("dropped") || logins < 5 {
                    slowest = max(slowest, try login())
                    logins += 1
                    #expect(LiveProcess(flood.pid) != nil, "\(flood.errorsSoFar)")
                }
                #expect(slowest < max(.seconds(1), usual * 4), "\(slowest) of \(logins) logins; \(usual) without a flood")
                #expect(LiveProcess.descendants(of: listener).filter { $0.name == "posternd" }.count <= 33, "no process was started for most of them")
                #expect(try gateway.record("refused")["peer"] == "127.0.0.2")
                try flood.kill()
            }
            withExtendedLifetime(hold) {}
            #expect(try becomesTrue(within: .seconds(20)) { LiveProcess.descendants(of: listener).isEmpty })
            #expect(try becomesTrue(within: .seconds(5)) { try files(listener) <= before.0 }, "more than \(before.0) descriptors")
            let now = try memory(listener)
            #expect(now < before.1 + 4096, "\(now) KiB, \(before.1) before")
            _ = try login()
        }
    }

    @Test func `who goes before anybody looked costs no process, and no line of the log`() throws {
        let resets = """
            import socket, struct, sys
            for _ in range(300):
                one = socket.socket()
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                one.connect(('127.0.0.1', int(sys.argv[1])))
                one.close()
            """
        try Gateway.serving(.init(gateway: "exempt = []\npenalties = { silent = '0s' }")) { gateway in
            let flood = try run(["/usr/bin/python3", "-c", resets, "\(gateway.port)"])
            let outcome = try gateway.ssh(Gateway.line("echo in"), options: ["-b", "127.0.0.3"])
            #expect(flood.code == 0 && outcome.output == "in\n", "\(flood) \(outcome)")
            let log = gateway.log
            // The listener may be faster than a client: then it is a connection as any other, which was closed by the peer.
            #expect(!log.contains("posternd: connection") && !log.contains("unknown"), "\(log.suffix(2000))")
        }
    }
}
