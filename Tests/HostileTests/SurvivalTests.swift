import Linux
import MonitorProtocol
import Testing

extension Hostile {
    @Suite("Whatever the frontend does to itself, the monitor comes to its end") struct Survival {
        /// How a frontend goes, and the answer it gets before.
        static let exits: [(name: String, go: @Sendable (Victim) throws -> Void)] = [
            ("it exits", { try $0.exitFrontend() }),
            ("it makes a forbidden call and is killed", { try $0.breakOut() }),
            ("it closes the channel and stays", { try $0.closeChannel() }),
            ("it sends an empty message", { try $0.sendEmpty() }),
        ]

        @Test(arguments: exits.indices, Role.available)
        func `a frontend that goes at once leaves nothing`(index: Int, role: Role) throws {
            let victim = try Victim(as: role)
            try Self.exits[index].go(victim)
            let record = try victim.ended()
            #expect(record.violations == [])
            #expect(record.farewell == "the connection was lost")
            record.expectSound(victim.site)
            try expectNormalSession(victim.site, role)
        }

        @Test(arguments: exits.indices, Role.available)
        func `a frontend that goes takes its commands along`(index: Int, role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            for request in 0..<3 as Range<UInt32> {
                guard case .started = try victim.start(request, "wait") else { throw Victim.Fault.ended }
            }
            try Self.exits[index].go(victim)
            let record = try victim.ended()
            #expect(record.texts("finished", "ended_by") == Array(repeating: "disconnect", count: 3))
            record.expectSound(victim.site)
        }

        @Test(arguments: Role.available)
        func `a violation ends the commands that run`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            guard case .started = try victim.start(0, "wait") else { throw Victim.Fault.ended }
            try victim.send(.closed(request: 1))
            let record = try victim.ended()
            #expect(record.violations == [#""closed" before its start"#])
            #expect(record.texts("finished", "ended_by") == ["disconnect"])
            record.expectSound(victim.site)
        }

        @Test(arguments: Role.available)
        func `a frontend that stays silent is ended when the time to log in is over`(role: Role) throws {
            let begun = Clock.monotonic
            let victim = try Victim(as: role, policy: "hasty")
            let record = try victim.ended()
            #expect(Clock.monotonic - begun >= Site.shortGrace)
            #expect(record.violations == ["nobody was authenticated in time"])
            record.expectSound(victim.site)
            try expectNormalSession(victim.site, role)
        }

        @Test(arguments: Role.available)
        func `a frontend that dawdles is ended too, and one that has let somebody in is not`(role: Role) throws {
            let (slow, welcome) = (try Victim(as: role, policy: "hasty"), try Victim(as: role, policy: "hasty"))
            try slow.exchangeKeys()
            #expect(try slow.ask(.probe(.init(slow.login, slow.site.alice))) == .probed(true))
            try welcome.enter()
            let record = try slow.ended()
            #expect(record.violations == ["nobody was authenticated in time"])
            // As late, the other is served still.
            #expect(try welcome.start(0, "help").isPrinted(0))
            try welcome.leave().expectSound(welcome.site)
        }

        @Test(arguments: Role.available)
        func `a frontend that never reads its answers is ended before they pile up`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            for request in 0..<10_000 as Range<UInt32> {
                guard isRunning(victim) else { break }
                try victim.send(.start(request, "help"))
            }
            let record = try victim.ended()
            #expect(record.violations == ["the frontend does not read"])
            // What waits for it is what a socket holds.
            #expect(record.all("decision").count < 2000)
            record.expectSound(victim.site)
            try expectNormalSession(victim.site, role)
        }

        @Test(arguments: Role.available)
        func `a frontend that talks without end cannot keep the monitor from its duties`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            guard case .started = try victim.start(0, "outlive") else { throw Victim.Fault.ended }
            // Harmless requests, as many as the channel takes, while the command's time is over after two seconds.
            try victim.flood(.signal(request: 0, name: "nothing"))
            let deadline = Clock.monotonic + Victim.patience
            while try !victim.logged().contains(#""event":"finished""#), Clock.monotonic < deadline {}
            try victim.process.sendSignal(.interrupt)
            let record = try victim.ended()
            #expect(record.farewell == "stopped by SIGINT")
            #expect(record.texts("finished", "ended_by") == ["timeout"])
            #expect(record.events.first { $0["event"] as? String == "finished" }.flatMap { $0["duration_ms"] as? Int } ?? .max < 10_000)
            record.expectSound(victim.site)
        }

        @Test(arguments: Role.available)
        func `a command that outlives its client writes without end, and its time ends all the same`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            guard case .started = try victim.start(0, "chatter") else { throw Victim.Fault.ended }
            try victim.send(.closed(request: 0))
            #expect(try victim.start(1, "help").isPrinted(0))
            let record = try victim.leave()
            #expect(record.texts("finished", "ended_by") == ["timeout"])
            record.expectSound(victim.site)
        }

        @Test(arguments: Role.available)
        func `descriptors that come along are closed, and the client is cut off`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            // The monitor lives on with this command, so that its descriptors can be looked at.
            guard case .started = try victim.start(0, "outlive") else { throw Victim.Fault.ended }
            let before = descriptors(of: victim.process)
            try victim.sendWithDescriptors(.farewell("take these"))
            #expect(try victim.receive() == nil)
            #expect(isRunning(victim))
            let after = descriptors(of: victim.process)
            #expect(after.count < before.count && Set(after).isSubset(of: before))
            let record = try victim.ended()
            #expect(record.texts("finished", "ended_by") == ["timeout"])
            record.expectSound(victim.site)
        }
    }
}

func isRunning(_ victim: Victim) -> Bool {
    do { return try !wait(for: victim.process.pidfd, .readable, .zero) } catch { return false }
}

/// What a process has open: a line for each, in order.
func descriptors(of process: ChildProcess) -> [String] {
    let directory = "/proc/\(process.pid)/fd"
    return names(in: directory).sorted().map { "\($0) \(target("\(directory)/\($0)"))" }
}
