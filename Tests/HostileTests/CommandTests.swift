import Linux
import MonitorProtocol
import SSHWire
import Testing

extension Hostile {
    @Suite("What an authenticated frontend may ask") struct Commands {
        @Test(arguments: Role.available)
        func `no more run at once than the policy says`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            for request in 0..<UInt32(Site.mostChannels) {
                guard case .started(request) = try victim.start(request, "wait") else { throw Victim.Fault.ended }
            }
            for request in 0..<20 as Range<UInt32> { #expect(try victim.start(UInt32(Site.mostChannels) + request, "wait").isPrinted(125)) }
            let record = try victim.leave()
            #expect(record.all("failed").count == 20)
            #expect(record.all("finished").count == Site.mostChannels)
            #expect(record.violations == [])
            record.expectSound(victim.site)
        }

        @Test(arguments: Role.available)
        func `a thousand refused starts are each decided, told and counted`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            for request in 0..<1000 as Range<UInt32> { #expect(try victim.start(request, "no such command").isPrinted(126)) }
            let record = try victim.leave()
            // The log is not the client's to fill: what is not recorded one by one is counted.
            let decisions = record.all("decision").count
            #expect(decisions < 1000)
            #expect(decisions + record.all("suppressed").reduce(0) { $0 + ($1["count"] as? Int ?? 0) } == 1000)
            #expect(record.violations == [])
            record.expectSound(victim.site)
            try expectNormalSession(victim.site, role)
        }

        @Test(arguments: Role.available)
        func `only listed signals reach a command`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            guard case .started = try victim.start(0, "wait") else { throw Victim.Fault.ended }
            for name in ["KILL", "TERM", "HUP", "STOP", "SEGV", "", "INT\0", "9", "SIGINT", "int"] { try victim.send(.signal(request: 0, name: name)) }
            // In order: were one of them delivered, the command's end would be told before this.
            #expect(try victim.start(1, "help").isPrinted(0))
            try victim.send(.signal(request: 0, name: "INT"))
            #expect(try victim.receive() == .exited(request: 0, .signal(name: "INT", coreDumped: false), note: ""))
            // It is over: nothing is there to be signalled or closed.
            try victim.send(.signal(request: 0, name: "INT"))
            try victim.send(.closed(request: 0))
            try victim.send(.closed(request: 0))
            #expect(try victim.start(2, "help").isPrinted(0))
            let record = try victim.leave()
            #expect(record.violations == [])
            record.expectSound(victim.site)
        }

        @Test(arguments: Role.available)
        func `no variable gets through but what the command accepts`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            let sent: [(String, [UInt8])] = [
                ("LD_PRELOAD", Array("/tmp/evil.so".utf8)), ("LD_LIBRARY_PATH", Array("/tmp".utf8)), ("BASH_ENV", Array("/tmp/evil".utf8)),
                ("BASH_FUNC_ls%%", Array("() { :; }; echo evil".utf8)), ("PATH", Array("/tmp".utf8)), ("SSH_ORIGINAL_COMMAND", Array("x".utf8)),
                ("POSTERN_KEY", Array("root".utf8)), ("HOME", Array("/tmp".utf8)), ("", Array("x".utf8)), ("NOTE=x\0LD_PRELOAD", Array("x".utf8)),
                ("NOTE\0", Array("evil".utf8)), ("note", Array("evil".utf8)), ("NOTE", Array("a\0b".utf8)), ("NOTE", Array("a\nb".utf8)),
                ("NOTE", [0xff, 0xfe]), ("NOTE", Array("() { :; }; echo evil, evil".utf8)), ("NOTE", [UInt8](repeating: 65, count: 30_000)),
                ("NOTE", Array("honest".utf8)),
            ]
            guard case .started = try victim.start(0, "show", sent.map { .init(name: $0.0, value: $0.1) }) else { throw Victim.Fault.ended }
            let variables = try victim.output().split(separator: "\n").map(String.init)
            #expect(variables.contains("NOTE=honest"))
            #expect(!variables.contains { $0.contains("evil") })
            let names: Set = [
                "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TMPDIR", "SSH_CONNECTION", "SSH_CLIENT", "POSTERN_KEY",
                "POSTERN_FINGERPRINT", "POSTERN_COMMAND", "POSTERN_REQUEST", "NOTE",
            ]
            #expect(Set(variables.map { String($0.prefix { $0 != "=" }) }) == names)
            #expect(variables.contains("POSTERN_KEY=alice") && variables.contains("PATH=/usr/bin:/bin"))
            let record = try victim.leave()
            #expect(record.violations == [])
            record.expectSound(victim.site)
        }

        /// What a shell would take apart, and what has no place in a command line.
        static let lines = [
            "mark x; mark y", "mark $(mark y)", "mark `mark y`", "mark x && mark y", "mark x | mark y", "mark ../x", "mark /tmp/x", "mark -x",
            "mark 'a\u{0}b'", "mark x\nmark y", "mark x mark y", "/bin/sh -c mark", "LD_PRELOAD=/tmp/evil.so mark x", "", " ", "mark", "hello hello", "\u{1b}[2J",
        ]

        @Test(arguments: Role.available)
        func `no shell is there to be injected into`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            var request: UInt32 = 0
            for line in Self.lines {
                #expect(try victim.start(request, line).isPrinted(126), "\(line)")
                request += 1
            }
            for bytes in [[UInt8](repeating: 0xff, count: WireLimit.packet), [0], [UInt8](repeating: 39, count: WireLimit.packet)] {
                #expect(try victim.ask(.start(request: request, .exec(bytes), environment: [])).isPrinted(126))
                request += 1
            }
            for name in ["sftp", "hello", "mark x", "", "\u{0}"] {
                #expect(try victim.ask(.start(request: request, .subsystem(name), environment: [])).isPrinted(126), "subsystem \(name)")
                request += 1
            }
            let record = try victim.leave()
            #expect(record.violations == [])
            #expect(record.texts("decision", "verdict") == Array(repeating: "refuse", count: Int(request)))
            record.expectSound(victim.site)
        }
    }
}
