import Foundation
import Linux
import Testing

@Suite("T35: the audit log") struct AuditTests {
    /// The records of one connection that ran one command, and what each holds besides time, event, connection and peer.
    static let members: [(event: String, names: Set<String>)] = [
        ("connect", ["local"]), ("authentication", ["key", "result", "login", "fingerprint"]),
        ("decision", ["key", "request", "login", "asked", "verdict", "command", "user", "argv"]),
        ("finished", ["key", "request", "command", "status", "duration_ms", "cpu_ms", "peak_memory_kib", "bytes"]),
        ("disconnect", ["key", "reason", "duration_ms", "bytes"]),
    ]

    @Test func `has one line of JSON for each step of a connection`() throws {
        try Gateway.serving { gateway in
            _ = try gateway.script("exit 3")
            let disconnect = try gateway.record("disconnect")
            let records = try gateway.records()
            #expect(records.map(\.event) == Self.members.map(\.event))
            for (record, expected) in zip(records, Self.members) {
                #expect(record.names == expected.names.union(["time", "event", "connection", "peer"]))
                #expect(record["peer"] == "127.0.0.1")
                #expect(record.connection == disconnect.connection)
                #expect(record["time"].wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
            }
            let finished = try gateway.record("finished")
            #expect(finished.number("status") == 3)
            let decision = try gateway.record("decision")
            #expect(decision["key"] == "alice" && decision["verdict"] == "run" && decision["asked"] == Gateway.line("exit 3"))
        }
    }

    /// What would begin a line of its own, hide one, or turn it around.
    static let hostile = "x\n{\"event\":\"forged\"}\r\u{1b}[2K\u{1b}]0;t\u{7}\u{202e}\u{2028}\u{85}\u{0}y"

    @Test func `no command a client sends begins a line or moves a cursor`() throws {
        try Gateway.serving { gateway in
            let line = Self.hostile.replacing("\0", with: "")
            let outcome = try gateway.ssh(line)
            #expect(outcome.code == 126)
            _ = try gateway.record("disconnect")
            expectSound(gateway)
            let decision = try gateway.record("decision")
            #expect(Array(decision["asked"].utf8) == Array(line.utf8))
            // The client's own terminal is as safe.
            #expect(!outcome.errors.unicodeScalars.contains { $0 != "\n" && ($0.value < 0x20 || [0x1b, 0x7f, 0x85, 0x202e, 0x2028].contains($0.value)) })
        }
    }

    @Test func `no user name does`() throws {
        try Gateway.serving { gateway in
            // OpenSSH's client does not send such a name.
            let name = Self.hostile.replacing("\0", with: "")
            let client = try DropbearClient(gateway)
            let outcome = try client.run(["true"], login: name)
            #expect(outcome.code == 1, "\(outcome)")
            _ = try gateway.record("disconnect")
            expectSound(gateway)
            let record = try gateway.record("authentication")
            #expect(Array(record["login"].utf8) == Array(name.utf8), "\(record["login"].debugDescription)")
        }
    }

    private func expectSound(_ gateway: Gateway) {
        for line in gateway.log.split(separator: "\n", omittingEmptySubsequences: false) where !line.isEmpty {
            #expect(line.hasPrefix("posternd: ") || line.hasPrefix(#"{"time":""#), "\(line.debugDescription)")
            let bad = line.unicodeScalars.filter { $0.value < 0x20 || [0x7f, 0x85, 0x202e, 0x2028].contains($0.value) }
            #expect(bad.isEmpty, "\(line.debugDescription)")
        }
    }
}

@Suite("DESIGN §4.1: a changed policy holds for the next command") struct ChangedPolicyTests {
    private static let both = TestPolicy(keys: [.init(name: "alice", lines: "may = ['sh']"), .init(name: "bob", lines: "may = ['sh']")])
    private static let bobOnly = TestPolicy(keys: [.init(name: "bob", lines: "may = ['sh']")])

    @Test func `a key that was removed starts nothing on its open connection, and its running command goes on`() throws {
        try Gateway.serving(Self.both) { gateway in
            try gateway.withMaster { options in
                let held = try Descriptor.pipe()
                var writing: Descriptor? = held.writing
                let running = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; cat; echo done")], options: options), input: .open(held.reading))
                #expect(try becomesTrue(within: .seconds(10)) { running.outputSoFar == "up\n" })
                try gateway.apply(Self.bobOnly)
                let refused = try gateway.ssh(Gateway.line("echo ran"), options: options)
                #expect(refused.errors.hasPrefix("postern: your key is not listed here any more\n  request "))
                #expect(refused.output.isEmpty)
                #expect(refused.code == 126)
                try writing?.writeAll(Array("more\n".utf8))
                writing = nil
                withExtendedLifetime(held.reading) {}
            }
            let stranger = try gateway.ssh(Gateway.line("true"))
            #expect(stranger.code == 255)
            try gateway.apply(Self.both)
            #expect(try gateway.script("echo back").output == "back\n")
        }
    }

    @Test func `a policy that does not check never goes live`() throws {
        try Gateway.serving { gateway in
            let unsound = TestPolicy(keys: [.init(name: "alice", lines: "may = ['no-such-command']")])
            #expect(throws: Trouble.self) { try gateway.apply(unsound) }
            let outcome = try gateway.script("echo still")
            #expect(outcome.output == "still\n")
        }
    }

    @Test func `with a file that is none connections, old and new, keep the last good one`() throws {
        try Gateway.serving { gateway in
            try gateway.withMaster { options in
                let first = try gateway.ssh(Gateway.line("echo one"), options: options)
                try replaceFile("\(gateway.directory)/policy.db", Array("not a policy".utf8))
                let second = try gateway.ssh(Gateway.line("echo two"), options: options)
                #expect(first.output == "one\n" && second.output == "two\n", "\(second)")
            }
            // A new one has it from the listener.
            #expect(try gateway.script("echo three").output == "three\n")
            #expect(gateway.log.contains("the last good one stays in use"), "\(gateway.log)")
            try gateway.apply(TestPolicy())
            let fourth = try gateway.script("echo four")
            #expect(fourth.output == "four\n")
        }
    }

    @Test func `a file that is overwritten in place starts nothing, and nobody ends of it`() throws {
        try Gateway.serving { gateway in
            try gateway.withMaster { options in
                let path = "\(gateway.directory)/policy.db"
                try Data("shorter, and no policy".utf8).write(to: URL(filePath: path))
                let second = try gateway.ssh(Gateway.line("echo ran"), options: options)
                #expect(second.code != 0 && second.output.isEmpty, "\(second)")
                let stranger = try gateway.script("echo ran")
                #expect(stranger.code != 0 && stranger.output.isEmpty, "\(stranger)")
                try gateway.apply(TestPolicy())
                #expect(try gateway.ssh(Gateway.line("echo same"), options: options).output == "same\n")
            }
            #expect(try gateway.script("echo new").output == "new\n")
            #expect(!gateway.log.contains("signal"), "\(gateway.log)")
        }
    }

    @Test func `a damaged record starts nothing`() throws {
        try Gateway.serving { gateway in
            let path = "\(gateway.directory)/policy.db"
            let sound = try readFile(path, limit: 1 << 24)
            var ran: [Int] = []
            for part in 1..<16 {
                var bytes = sound
                bytes[bytes.count * part / 16] ^= 1
                try replaceFile(path, bytes)
                if try gateway.script("echo ran").output == "ran\n" { ran.append(part) }
            }
            // Damage outside what this command needs may go unseen; it is the same command then.
            #expect(ran.count < 15)
        }
    }
}
