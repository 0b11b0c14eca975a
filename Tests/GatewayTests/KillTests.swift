import Linux
import Testing

@Suite("DESIGN §6: whichever process is killed, nothing is left over", .enabled(if: isRoot, "without namespaces a killed monitor leaves its commands")) struct KillTests {
    /// One at a time, so that a lock that is left would be seen.
    private static let locked = TestPolicy.command(
        "sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"], lines: "args = { script = { match = '.*' } }\nlock = 'app'\nlock_wait = '20s'")

    /// Two processes that only a kill ends soon, with a number that no other has among their arguments.
    private func start(_ gateway: Gateway, _ mark: String, _ options: [String] = []) throws -> RunningProgram {
        try RunningProgram(gateway.sshCommand([Gateway.line("echo started; sleep \(mark) & sleep \(mark)")], options: options))
    }

    private static var mark: String { "600.\(UInt32.random(in: 1_000_000 ... .max))" }

    private func kill(_ process: LiveProcess) throws { _ = try run(["/bin/kill", "-KILL", "\(process.pid)"]) }

    /// A moment in the course of a connection, be it before its keys or when its command runs.
    private func waitSomeTime() throws {
        let moment = Clock.monotonic + .milliseconds(Int.random(in: 0...350))
        _ = try becomesTrue(within: .seconds(1)) { Clock.monotonic > moment }
    }

    /// How many there are below the listener while nobody is connected: those of connections that have ended take a moment to go.
    private func processesAtRest(_ listener: Int32) throws -> Int {
        var (count, since) = (-1, Clock.monotonic)
        #expect(try becomesTrue(within: .seconds(20)) {
            let now = LiveProcess.descendants(of: listener).count
            if now != count { (count, since) = (now, Clock.monotonic) }
            return Clock.monotonic - since > .milliseconds(500)
        })
        return count
    }

    @Test func `any process of a connection, at any moment: no orphan, no lock, and the next connection works`() throws {
        var victims: [String: Int] = [:]
        try Gateway.serving(.init(commands: Self.locked)) { gateway in
            #expect(try gateway.script("echo first").output == "first\n")
            let listener = gateway.process.pid
            let usual = try processesAtRest(listener)
            for round in 0..<(isLong ? 150 : 20) {
                let mark = Self.mark
                let client = try start(gateway, mark)
                // Each third one gets as far as its command, however busy the machine is.
                if round % 3 == 0 { _ = try becomesTrue(within: .seconds(20)) { client.outputSoFar == "started\n" } } else { try waitSomeTime() }
                let living = LiveProcess.descendants(of: listener)
                // Of those that got so far each kind has its turn.
                let victim = round % 3 == 0 && !living.isEmpty ? living[round / 3 % living.count] : living.randomElement()
                // What it was is not to be seen afterwards.
                victims[victim?.arguments.first ?? "none", default: 0] += 1
                if let victim { try kill(victim) }
                try client.kill()
                let isGone = try becomesTrue(within: .seconds(20)) {
                    LiveProcess.having(argument: mark).isEmpty && LiveProcess.descendants(of: listener).count <= usual
                }
                #expect(isGone, "after \(victim.map { "\($0)" } ?? "nobody") was killed: \(LiveProcess.descendants(of: listener))")
                #expect(try gateway.script("echo next").output == "next\n", "after \(victim.map { "\($0)" } ?? "nobody")")
            }
        }
        print("killed: \(victims)")
        #expect(victims.count >= 3, "\(victims)")
    }

    @Test func `the listener: its connections end as when it is told to stop, and the next one serves`() throws {
        try Gateway.serving(.init(commands: Self.locked)) { gateway in
            let port = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0)).localAddress().port
            let options = ["-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"]
            let command = try Gateway.command(gateway.directory) + ["--listen", "127.0.0.1:\(port)"]
            for _ in 0..<(isLong ? 20 : 3) {
                let mark = Self.mark
                let listener = try RunningProgram(command)
                #expect(try becomesTrue(within: .seconds(20)) { try gateway.script("echo next", options: options).output == "next\n" })
                let client = try start(gateway, mark, options)
                try waitSomeTime()
                try listener.kill()
                #expect(try client.wait(.seconds(20)).code != 0)
                #expect(try becomesTrue(within: .seconds(20)) { LiveProcess.having(argument: mark).isEmpty })
            }
        }
    }
}
