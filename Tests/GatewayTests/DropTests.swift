import Foundation
import Linux
import Testing

@Suite("Drop accounts: files arrive whole") struct DropTests {
    @Test(arguments: [[], ["-O"]]) func `by OpenSSH's scp, a file and a tree`(flags: [String]) throws {
        try DropAccount.serving(#"access = ["upload", "make_directory"]"#) { account throws in
            let bytes = try noise(300_000)
            let path = try account.file("a b.csv", bytes)
            #expect(try account.scp("-p", path, "gateway:").code == 0)
            #expect(try account.received("a b.csv") == bytes)
            let sent = try openFile(path).status()
            #expect(try openFile("\(account.inbox)/a b.csv").status().modified / 1_000_000_000 == sent.modified / 1_000_000_000)
            #expect(try account.scp(path, "gateway:other").code == 0)
            #expect(try account.received("other") == bytes)
            try makeDirectory("\(account.gateway.directory)/tree")
            _ = try account.file("tree/x", [1])
            _ = try account.file("tree/empty", [])
            #expect(try account.scp("-r", "\(account.gateway.directory)/tree", "gateway:").code == 0)
            #expect(try account.received("tree/x") == [1])
            #expect(try account.received("tree/empty") == [])
            let record = try account.gateway.record("received") { $0["path"] == "a b.csv" }
            let sum = try run(["/usr/bin/sha256sum", path]).output.prefix(64)
            #expect(record["sha256"] == sum && record.number("size") == 300_000 && record["key"] == "alice")
        }
    }

    @Test func `the directory is made for the user alone`() throws {
        try DropAccount.serving { account throws in
            #expect(try account.scp(try account.file("a", []), "gateway:").code == 0)
            let status = try openDirectory(account.inbox).status()
            #expect(status.mode == 0o700 && status.uid == account.gateway.user.uid)
        }
    }

    @Test func `who may only send sees nothing`() throws {
        try DropAccount.serving { account throws in
            let path = try account.file("a", [1])
            #expect(try account.scp(path, "gateway:").code == 0)
            let outcome = try account.sftp("-ls\n-get a \(path).back\n-rm a\n-rename a b\n-mkdir d\n-ln -s a c\n-ln a c\n-chmod 777 a\n-put \(path)")
            let denied = ["readdir(\"/\"): Permission denied", "delete /a: Permission denied", "rename \"/a\" to \"/b\": Permission denied", "mkdir \"/d\": Permission denied"]
            for text in denied { #expect(outcome.errors.contains(text), "\(outcome)") }
            #expect(outcome.errors.contains("postern: a: the name is taken"), "\(outcome)")
            #expect(try account.names == ["a"])
            for line in ["scp -f a", "scp -f -- a", "scp -r -f ."] {
                let fetched = try account.speak(line, [0, 0, 0])
                #expect(fetched.code == 126 && fetched.output.isEmpty && fetched.errors.contains("you may not fetch files here"), "\(fetched)")
            }
        }
    }

    @Test func `an OpenSSH sftp batch does what its key may`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let path = try account.file("a", Array("hello\n".utf8))
            let outcome = try account.sftp("""
                mkdir d
                cd d
                put -fp \(path) b
                ls -l
                rename b c
                get c \(path).back
                put \(path) c
                chmod 600 c
                df
                cd ..
                rm d/c
                rmdir d
                """)
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.output.contains("6 "), "\(outcome)")
            #expect(try readFile("\(path).back", limit: 100) == Array("hello\n".utf8))
            #expect(try account.names == [])
        }
    }

    @Test func `limits are kept to, and what they refuse leaves nothing`() throws {
        try DropAccount.serving(#"max_file = "2MiB", quota = "5MiB", max_files = 4, names = ["*.bin"]"#) { account throws in
            let large = try account.file("large.bin", noise(3 << 20))
            let path = try account.file("a.bin", noise(2 << 20))
            for flags in [[], ["-O"]] {
                let outcome = try run(["/usr/bin/scp"] + flags + ["-F", "\(account.gateway.directory)/ssh_config", "-i", "\(account.gateway.directory)/alice", "-o", "User=\(account.gateway.user.name)", large, "gateway:"])
                #expect(outcome.code == 1 && outcome.errors.contains("a file may have at most 2097152 bytes"), "\(outcome)")
            }
            #expect(try account.scp(try account.file("a.txt", []), "gateway:").errors.contains("a file of this name is not taken here"))
            #expect(try account.scp(path, "gateway:1.bin").code == 0)
            #expect(try account.scp(path, "gateway:2.bin").code == 0)
            #expect(try account.scp(path, "gateway:3.bin").errors.contains("the quota is used up"))
            #expect(try account.sftp("df").output.contains("80%"))
            let small = try account.file("small.bin", [1])
            #expect(try account.scp(small, "gateway:3.bin").code == 0)
            #expect(try account.scp(small, "gateway:4.bin").code == 0)
            #expect(try account.scp(small, "gateway:5.bin").errors.contains("there may be no more files"))
            #expect(try account.names == ["1.bin", "2.bin", "3.bin", "4.bin"])
            #expect(try becomesTrue(within: .seconds(10)) { try account.hidden == [] })
            // Somebody takes a file away: there is room again.
            try removeFile("\(account.inbox)/1.bin")
            #expect(try account.scp(path, "gateway:6.bin").code == 0)
        }
    }

    @Test func `senders at once stay within the quota together`() throws {
        try DropAccount.serving(#"quota = "4MiB", max_files = 5"#) { account throws in
            let content = try noise(1 << 20)
            let senders = try (0..<8).map { number in
                try RunningProgram(account.gateway.sshCommand(["scp -t f\(number)"]), input: .bytes(Array("C0644 \(content.count) a\n".utf8) + content + [0]))
            }
            let outcomes = try senders.map { try $0.wait(.seconds(30)) }
            for outcome in outcomes where outcome.code != 0 {
                #expect(outcome.output.contains("the quota is used up") || outcome.output.contains("there may be no more files"), "\(outcome)")
            }
            let count = try account.names.count
            #expect(count == outcomes.filter { $0.code == 0 }.count && count <= 4)
            #expect(try becomesTrue(within: .seconds(10)) { try account.hidden == [] })
            // What was refused takes nothing: the rest fits to the byte.
            let rest = (4 << 20) - count << 20
            func send(_ name: String, _ bytes: [UInt8]) throws -> Outcome { try account.speak("scp -t \(name)", Array("C0644 \(bytes.count) a\n".utf8) + bytes + [0]) }
            if rest > 0 { #expect(try send("rest", noise(rest)).code == 0) }
            #expect(try send("more", [1]).code != 0)
        }
    }

    @Test func `sessions that end while another looks at them are in nobody's way`() throws {
        try DropAccount.serving(#"quota = "4MiB""#) { account throws in
            let path = try account.file("a", [1])
            #expect(try account.scp(path, "gateway:first").code == 0)
            let others = try RunningProgram([
                "/usr/bin/python3", "-c",
                """
                import os, sys
                os.umask(0)
                os.chdir(sys.argv[1])
                names = ['session.%016x' % n for n in range(20)]
                while True:
                    for name in names: os.close(os.open(name, os.O_CREAT | os.O_RDWR, 0o666))
                    for name in names:
                        try: os.unlink(name)
                        except FileNotFoundError: pass
                """, "\(account.inbox)/.postern",
            ])
            #expect(try becomesTrue(within: .seconds(10)) { FileManager.default.fileExists(atPath: "\(account.inbox)/.postern/session.\(String(repeating: "0", count: 16))") })
            let outcome = try account.sftp((0..<30).map { "put \(path) \($0)" }.joined(separator: "\n"))
            #expect(outcome.code == 0, "\(outcome)")
            try others.kill()
        }
    }

    @Test func `two senders of one name: one is first`() throws {
        try DropAccount.serving { account throws in
            var pipe: (reading: Descriptor, writing: Descriptor)? = try Descriptor.pipe()
            guard let input = pipe?.reading else { return }
            let slow = try RunningProgram(account.gateway.sshCommand(["scp -t a"]), input: .open(input))
            try pipe?.writing.writeAll(Array("C0644 4 a\nsl".utf8))
            #expect(try becomesTrue(within: .seconds(10)) { FileManager.default.fileExists(atPath: "\(account.inbox)/.postern/lock") })
            #expect(try account.speak("scp -t a", Array("C0644 3 a\none\0".utf8)).code == 0)
            try pipe?.writing.writeAll(Array("ow\0".utf8))
            pipe = nil
            let outcome = try slow.wait(.seconds(10))
            #expect(outcome.output.contains("the name is taken"), "\(outcome)")
            #expect(try account.received("a") == Array("one".utf8))
        }
    }
}
