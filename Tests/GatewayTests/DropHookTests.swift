import Foundation
import Linux
import Testing

@Suite("Drop accounts: programs that look at files") struct DropHookTests {
    /// A checker that refuses what begins with `bad`, hangs on `hang`, and crashes on `crash`.
    private static let verify = """
        verify = ["/bin/sh", "-c", 'read -r word <"$0"; case $word in bad*) echo "first line" >&2; echo "it is bad" >&2; exit 3;; crash) kill -SEGV $$;; \
        write) echo x >"$0" && exit 0; echo "it cannot be written" >&2; exit 1;; esac', "<path>"]
        """

    @Test(arguments: [[], ["-O"]]) func `verify decides before a file is there`(flags: [String]) throws {
        try DropAccount.serving(lines: Self.verify) { account throws in
            func send(_ text: String) throws -> Outcome {
                let path = try account.file(text, Array("\(text)\n".utf8))
                return try run(["/usr/bin/scp"] + flags + ["-F", "\(account.gateway.directory)/ssh_config", "-i", "\(account.gateway.directory)/alice", "-o", "User=\(account.gateway.user.name)", path, "gateway:"])
            }
            #expect(try send("good").code == 0)
            let bad = try send("bad")
            #expect(bad.code == 1 && bad.errors.contains("refused: it is bad") && !bad.errors.contains("first line"), "\(bad)")
            let crash = try send("crash")
            #expect(crash.code == 1 && crash.errors.contains("refused by the check"), "\(crash)")
            let write = try send("write")
            #expect(write.code == 1 && write.errors.contains("it cannot be written"), "\(write)")
            #expect(try account.names == ["good"])
            // The client does not wait for the end of the server.
            #expect(try becomesTrue(within: .seconds(10)) { try account.hidden == [] })
            let record = try account.gateway.record("checked") { $0.number("status") == 3 }
            #expect(record["program"] == "verify" && record["path"].hasSuffix("/bad"))
            #expect(try account.gateway.records("received").count == 1)
        }
    }

    @Test func `a checker that hangs goes with its client`() throws {
        try DropAccount.serving(lines: #"verify = ["/bin/sh", "-c", "exec sleep 1000", "<path>"]"#) { account throws in
            let client = try RunningProgram(account.gateway.sshCommand(["scp -t a"]), input: .bytes(Array("C0644 1 a\nx\0".utf8)))
            #expect(try becomesTrue(within: .seconds(10)) { LiveProcess.descendants(of: account.gateway.process.pid).contains { $0.name == "sleep" } })
            try client.child.sendSignal(.kill)
            _ = try client.wait(.seconds(10))
            #expect(try becomesTrue(within: .seconds(10)) { !LiveProcess.descendants(of: account.gateway.process.pid).contains { $0.name == "sleep" } })
            #expect(try account.names == [])
        }
    }

    @Test func `each of many files that come fast has its on_complete, and its check`() throws {
        let lines = #"verify = ["/bin/true", "<path>"]"# + "\n" + #"on_complete = ["/bin/sh", "-c", "sleep 0.3; mv \"$0\" \"$0.done\"", "<path>"]"#
        try DropAccount.serving(lines: lines) { account throws in
            let count = 80
            let puts = try (0..<count).map { "put \(try account.file("f\($0)", [1])) f\($0)\n" }
            let outcome = try account.sftp(puts.joined())
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try becomesTrue(within: .seconds(20)) { try account.names.count { $0.hasSuffix(".done") } == count })
        }
    }

    @Test func `on_complete runs when the file is there, and may take it away`() throws {
        try DropAccount.serving(lines: #"on_complete = ["/bin/sh", "-c", "mv \"$0\" \"$0.done\"", "<path>"]"#) { account throws in
            #expect(try account.scp(try account.file("a", [1]), "gateway:").code == 0)
            #expect(try becomesTrue(within: .seconds(10)) { try account.names == ["a.done"] })
            #expect(try account.gateway.record("checked")["program"] == "on_complete")
        }
    }
}
