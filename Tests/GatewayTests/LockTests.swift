import Foundation
import Linux
import Testing

@Suite("DESIGN §3.2: a lock has one holder") struct LockTests {
    /// Locks are the machine's: each test has its own.
    private static func serving(_ wait: String? = nil, disconnect: String = "kill", _ body: (Gateway) throws -> Void) throws {
        try servingQueue(wait, disconnect: disconnect) { gateway, _ in try body(gateway) }
    }

    /// - Parameter body: is given the directory of the queue too.
    private static func servingQueue(_ wait: String?, disconnect: String = "kill", launcher: [String] = [], _ body: (Gateway, String) throws -> Void) throws {
        let lock = "test-\(processID)-\(UInt32.random(in: 0 ... .max))"
        let queue = "\(isRoot ? "/var/lib/postern/locks" : "/tmp/postern-locks-\(Users.currentUID)")/\(lock)"
        let lines = """
            args = { script = { match = '.*' } }
            lock = '\(lock)'
            on_disconnect = '\(disconnect)'
            \(wait.map { "lock_wait = '\($0)'" } ?? "")
            """
        var policy = TestPolicy(commands: TestPolicy.command("sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"], lines: lines))
        policy.launcher = launcher
        defer { try? FileManager.default.removeItem(atPath: queue) }
        try Gateway.serving(policy) { try body($0, queue) }
    }

    /// Starts the holder of the lock, which holds it until its input ends.
    private static func holding(_ gateway: Gateway, _ script: String = "echo held; cat", _ body: (RunningProgram) throws -> Void) throws {
        let (reading, writing) = try Descriptor.pipe()
        let holder = try RunningProgram(gateway.sshCommand([Gateway.line(script)]), input: .open(reading))
        #expect(try becomesTrue(within: .seconds(10)) { holder.outputSoFar.contains("held") })
        try withExtendedLifetime(writing) { try body(holder) }
    }

    @Test func `the second is told so, with status 75`() throws {
        try Self.serving { gateway in
            try Self.holding(gateway) { holder in
                let second = try gateway.script("echo ran")
                #expect(second.code == 75 && second.output.isEmpty && second.errors.contains("another command has the lock"), "\(second)")
                try holder.kill()
                #expect(try becomesTrue(within: .seconds(10)) { try gateway.script("echo ran").code == 0 })
            }
            #expect(try gateway.record("failed")["step"].contains("lock"))
        }
    }

    @Test func `those who wait are told their place, and go in the order in which they came`() throws {
        try Self.serving("30s") { gateway in
            var waiting: [RunningProgram] = []
            try Self.holding(gateway) { holder in
                for number in 1...2 {
                    let program = try RunningProgram(gateway.sshCommand([Gateway.line("date +%s%N; sleep 1")]))
                    waiting.append(program)
                    #expect(try becomesTrue(within: .seconds(10)) { program.errorsSoFar.contains(": \(number) before you") }, "\(program.errorsSoFar)")
                }
                try holder.kill()
            }
            let times = try waiting.map { try Int($0.wait().output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0 }
            #expect(times[0] > 0 && times[0] < times[1])
            #expect(waiting[1].errorsSoFar.contains(": 1 before you"))
            #expect(try gateway.record("finished") { ($0.number("waited_ms") ?? 0) > 0 }["command"] == "sh")
        }
    }

    @Test func `who waits too long is sent away`() throws {
        try Self.serving("1s") { gateway in
            try Self.holding(gateway) { holder in
                let second = try gateway.script("echo ran")
                #expect(second.code == 75 && second.output.isEmpty && second.duration >= .seconds(1) && second.errors.contains("1 before you"), "\(second)")
                try holder.kill()
            }
        }
    }

    @Test func `a gateway that was killed leaves no lock, and no place in the queue`() throws {
        try Self.servingQueue("30s") { gateway, queue in
            try Self.holding(gateway) { holder in
                let second = try RunningProgram(gateway.sshCommand([Gateway.line("echo ran")]))
                #expect(try becomesTrue(within: .seconds(10)) { second.errorsSoFar.contains("1 before you") })
                for process in LiveProcess.descendants(of: gateway.process.pid) where process.name == "posternd" {
                    _ = try run(["/bin/kill", "-KILL", "\(process.pid)"])
                }
                _ = try holder.wait()
                _ = try second.wait()
                #expect(try gateway.script("echo ran").output == "ran\n")
                #expect(try FileManager.default.contentsOfDirectory(atPath: queue) == ["holder"])
            }
        }
    }

    @Test func `ten who wait come one after the other, and leave no place behind`() throws {
        try Self.servingQueue("60s") { gateway, queue in
            var waiting: [RunningProgram] = []
            try Self.holding(gateway) { holder in
                for number in 1...10 {
                    let program = try RunningProgram(gateway.sshCommand([Gateway.line("date +%s%N")]))
                    waiting.append(program)
                    #expect(try becomesTrue(within: .seconds(20)) { program.errorsSoFar.contains(": \(number) before you") }, "\(program.errorsSoFar)")
                }
                try holder.kill()
            }
            let times = try waiting.map { try Int($0.wait().output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0 }
            #expect(times == times.sorted() && times[0] > 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: queue) == ["holder"])
        }
    }

    @Test func `the lock is held until the last process of the command has gone`() throws {
        try Self.serving("30s") { gateway in
            // A process that left its session, and does not hear that it should end.
            let stray = "stray-\(UInt32.random(in: 0 ... .max))"
            let script = "setsid sh -c 'trap \"\" TERM; : \(stray); while :; do sleep 1; done' </dev/null >/dev/null 2>&1 & echo held; sleep 0.3"
            let first = try RunningProgram(gateway.sshCommand([Gateway.line(script)]))
            #expect(try becomesTrue(within: .seconds(10)) { first.outputSoFar.contains("held") })
            let second = try RunningProgram(gateway.sshCommand([Gateway.line("echo ran; cat")]), input: .open(try Descriptor.pipe().reading))
            #expect(try becomesTrue(within: .seconds(20)) { second.outputSoFar.contains("ran") })
            #expect(LiveProcess.having(argument: ": \(stray);").filter { $0.name == "sh" && $0.arguments.count == 3 && $0.arguments[2].hasPrefix("trap") }.isEmpty)
            #expect(try first.wait().code == 0)
            try second.kill()
        }
    }

    @Test(.enabled(if: isRoot)) func `root without CAP_SYS_ADMIN leaves nothing of a command when the lock is another's`() throws {
        try Self.servingQueue("30s", launcher: ["/usr/bin/setpriv", "--bounding-set=-sys_admin"]) { gateway, _ in
            try gateway.withMaster { options in
                let stray = "77\(UInt32.random(in: 100_000 ... .max))"
                let first = try gateway.script("setsid sleep \(stray) </dev/null >/dev/null 2>&1 & echo first", options: options)
                #expect(first.output == "first\n", "\(first)")
                #expect(try gateway.script("echo second").output == "second\n")
                #expect(LiveProcess.having(argument: stray).isEmpty)
            }
        }
    }

    @Test func `a command whose client has gone keeps its lock to the end, and one that waits is dropped`() throws {
        try Self.serving("30s", disconnect: "finish") { gateway in
            try Self.holding(gateway, "echo held; sleep 2") { holder in
                let second = try RunningProgram(gateway.sshCommand([Gateway.line("echo second")]))
                #expect(try becomesTrue(within: .seconds(10)) { second.errorsSoFar.contains("1 before you") })
                try second.kill()
                try holder.kill()
                _ = try gateway.record("failed") { $0["detail"] == "the client has gone" }
                let third = try gateway.script("echo ran")
                #expect(third.output == "ran\n" && third.errors.contains("1 before you") && third.duration > .milliseconds(500), "\(third)")
            }
        }
    }
}
