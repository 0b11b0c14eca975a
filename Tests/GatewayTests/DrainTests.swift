import Foundation
import Linux
import Testing

@Suite("posternd(8), Signals: stopping and changing without cutting anybody", .serialized) struct DrainTests {
    private func running(_ gateway: Gateway, _ script: String, _ count: Int = 1) throws -> [RunningProgram] {
        let clients = try (0..<count).map { _ in try RunningProgram(gateway.sshCommand([Gateway.line(script)])) }
        #expect(try becomesTrue(within: .seconds(60)) { clients.allSatisfy { $0.outputSoFar.hasPrefix("started\n") } })
        return clients
    }

    @Test func `what runs goes on to its end, and nobody new comes in`() throws {
        try Gateway.serving(.init(gateway: "drain = '1m'")) { gateway in
            let go = "\(gateway.directory)/go"
            let clients = try running(gateway, "echo started; while ! test -e \(go); do sleep 0.05; done; echo done; exit 7", 3)
            try gateway.process.child.sendSignal(.terminate)
            #expect(try becomesTrue(within: .seconds(10)) { try gateway.ssh(Gateway.line("echo in")).errors.contains("refused") })
            #expect(LiveProcess(gateway.process.pid) != nil)
            try createFile(go, [])
            for client in clients {
                let outcome = try client.wait()
                #expect(outcome.output == "started\ndone\n" && outcome.code == 7, "\(outcome)")
            }
            #expect(try becomesTrue(within: .seconds(10)) { LiveProcess(gateway.process.pid) == nil })
        }
    }

    @Test func `without waiting the next listener is there at once, and what runs goes on all the same`() throws {
        var policy = Self.crowd
        policy.gateway = "drain = '1m'"
        policy.arguments = ["--no-wait"]
        try Gateway.serving(policy) { gateway in
            let go = "\(gateway.directory)/go"
            let count = isRoot && isLong ? 50 : 3
            let clients = try running(gateway, "echo started; while ! test -e \(go); do sleep 0.2; done; echo done; exit 7", count)
            try gateway.process.child.sendSignal(.terminate)
            #expect(try becomesTrue(within: .seconds(10)) { LiveProcess(gateway.process.pid) == nil })
            let next = try RunningProgram(try Gateway.command(gateway.directory) + ["-v", "--listen", "127.0.0.1:\(gateway.port)"])
            #expect(try becomesTrue(within: .seconds(10)) { next.errorsSoFar.contains("listening on ") })
            #expect(try gateway.script("echo in").output == "in\n")
            try createFile(go, [])
            for client in clients {
                let outcome = try client.wait()
                #expect(outcome.output == "started\ndone\n" && outcome.code == 7, "\(outcome)")
            }
            try next.child.sendSignal(.terminate)
            #expect(try next.wait(.seconds(20)).code == 0)
        }
    }

    @Test func `what takes longer than drain is ended`() throws {
        try Gateway.serving(.init(gateway: "drain = '1s'")) { gateway in
            let clients = try running(gateway, "echo started; exec sleep 63")
            try gateway.process.child.sendSignal(.terminate)
            let outcome = try clients[0].wait(.seconds(20))
            #expect(outcome.code != 0 && outcome.duration < .seconds(30))
            let record = try gateway.record("finished")
            #expect(record["ended_by"] == "stop")
            #expect(try gateway.record("disconnect")["reason"].hasPrefix("stopped after 1.0 seconds"))
        }
    }

    @Test func `a connection on which nothing runs is told, and ends`() throws {
        try Gateway.serving(.init(gateway: "drain = '1m'")) { gateway in
            let client = try RunningProgram(gateway.sshCommand(["-N"]).dropLast(2) + ["-N", "gateway"])
            _ = try gateway.record("authentication") { $0["result"] == "granted" }
            try gateway.process.child.sendSignal(.terminate)
            let outcome = try client.wait(.seconds(20))
            #expect(outcome.errors.contains("the gateway is being stopped; try again"), "\(outcome)")
            #expect(try gateway.record("disconnect")["reason"] == "stopped when nothing ran")
        }
    }

    @Test func `a second signal, or an interrupt, ends all at once`() throws {
        for signals in [[Signal.terminate, .terminate], [.interrupt]] {
            try Gateway.serving(.init(gateway: "drain = '1m'")) { gateway in
                let clients = try running(gateway, "echo started; exec sleep 64")
                for signal in signals {
                    try gateway.process.child.sendSignal(signal)
                    // Two of a kind that wait are one.
                    if signals.count > 1 { _ = try becomesTrue(within: .seconds(10)) { gateway.log.contains("stopping: ") } }
                }
                #expect(try becomesTrue(within: .seconds(10)) { LiveProcess(gateway.process.pid) == nil })
                #expect(try clients[0].wait(.seconds(10)).code != 0)
            }
        }
    }

    @Test func `a process that serves one connection drains too`() throws {
        try Gateway.serving(.init(gateway: "drain = '1m'")) { gateway in
            let clients = try running(gateway, "echo started; sleep 1; echo done")
            let own = LiveProcess.descendants(of: gateway.process.pid).filter { $0.parent == gateway.process.pid }
            for process in own { _ = try run(["/bin/kill", "-TERM", "\(process.pid)"]) }
            #expect(try clients[0].wait().output == "started\ndone\n")
            #expect(try gateway.script("echo in").output == "in\n")
        }
    }

    /// As a user that no other test counts against its limits; so that there can be many of its commands.
    private static var crowd: TestPolicy {
        var policy = TestPolicy()
        guard isRoot else { return policy }
        policy.commands = policy.commands.replacing("as = \"$USER\"", with: "as = \"nobody\"\nlogin = \"$USER\"\nsandbox = \"crowd\"")
        policy.commands += "[sandbox.crowd]\nprocesses = 1000\n"
        return policy
    }

    @Test func `a hang-up takes up the policy, and cuts nobody`() throws {
        let count = isRoot && isLong ? 50 : 4
        try Gateway.serving(Self.crowd) { gateway in
            let go = "\(gateway.directory)/go"
            let clients = try running(gateway, "echo started; while ! test -e \(go); do sleep 0.2; done; echo done", count)
            var changed = gateway.policy
            changed.commands += TestPolicy.command("other", run: ["/bin/echo", "other"])
            changed.keys[0].lines = "may = ['sh', 'other']"
            try gateway.apply(changed)
            try gateway.process.child.sendSignal(.hangUp)
            #expect(try becomesTrue(within: .seconds(30)) { gateway.log.components(separatedBy: "has changed and is taken up").count > count })
            #expect(try gateway.ssh("other").output == "other\n")
            try createFile(go, [])
            for client in clients {
                let outcome = try client.wait()
                #expect(outcome.output == "started\ndone\n" && outcome.code == 0, "\(outcome)")
            }
        }
    }
}
