import Foundation
import Linux
import Testing

@Suite("Drop accounts: what is tried on them") struct DropAttackTests {
    /// rssh and scponly let options of the programs behind them through, which named other programs to run.
    @Test(arguments: [
        "scp -S /bin/sh -t .", "scp -S/bin/sh -t .", "scp -o ProxyCommand=id -t .", "scp -oProxyCommand=id -t .", "scp -F /tmp/x -t .", "scp -tS .",
        "scp a b:", "scp -t", "scp", "scp -t -f .", "scp -3 -t .", "scp --help", "scp -t - .",
    ])
    func `an scp line has no option that names a program`(line: String) throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let outcome = try account.speak(line, [0])
            #expect(outcome.code == 126 && outcome.output.isEmpty, "\(outcome)")
        }
    }

    @Test func `nothing else is run beside scp and sftp`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let lines = [
                "rsync --server -e 'sh -c id' . .", "rsync --server --daemon --config=/tmp/x .", "rsync -e /bin/sh .", "cvs server", "svnserve -t", "rdist -S",
                "unison -server", "sftp-server", "/usr/lib/openssh/sftp-server", "sh", "id", "scp2 -t .", "/usr/bin/scp -t .",
            ]
            for line in lines {
                let outcome = try account.speak(line, [])
                #expect(outcome.code == 126 && outcome.output.isEmpty, "\(line): \(outcome)")
            }
        }
    }

    /// The lines by which clients left other restricted shells.
    static let escapes: [(advisory: String, line: String)] = [
        ("CVE-2004-1162", "rsync --server -e/bin/sh . ."), ("CVE-2004-1162", "unison -server -sshcmd /bin/sh"), ("CVE-2012-2252", "rsync --server --rsh=/bin/sh . ."),
        ("CVE-2012-2252", "rsync --server -e./sh . ."), ("CVE-2012-3478", "PATH=/tmp scp -t ."), ("CVE-2012-3478", "LD_PRELOAD=/tmp/x.so scp -t ."),
        ("CVE-2019-1000018", "scp -t -oProxyCommand=id ."), ("CVE-2019-1000018", "scp -S/bin/sh -f ."),
        ("CVE-2019-3463", "rsync --server --daemon --config=x . ."), ("CVE-2019-3464", "HOME=. rsync --server . ."),
        ("CVE-2026-53783", "rsync --server --sender --copy-unsafe-links -e.Lsf . ."), ("CVE-2026-53783", "rsync --server --log-file=x -De.Lsf . ."),
    ]

    @Test(arguments: escapes) func `the lines that left rssh, scponly and rrsync start nothing`(given: (advisory: String, line: String)) throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let outcome = try account.speak(given.line, [0])
            #expect(outcome.code == 126 && outcome.output.isEmpty, "\(given.advisory): \(outcome)")
            #expect(try account.gateway.records("finished").isEmpty)
        }
    }

    // CVE-2012-3478, CVE-2019-3464: rssh passed variables of the client to what it ran.
    @Test func `no variable of a client reaches the file server`() throws {
        try DropAccount.serving { account throws in
            let variables = ["HOME=/tmp/x", "LD_PRELOAD=/tmp/x.so", "RSYNC_RSH=/bin/sh", "PATH=/tmp", "POPT=1"]
            let pipe = try Descriptor.pipe()
            let options = ["-o", "SetEnv=\(variables.joined(separator: " "))"]
            let client = try RunningProgram(account.gateway.sshCommand(["scp -t ."], options: options), input: .open(pipe.reading))
            let servers = { LiveProcess.descendants(of: account.gateway.process.pid).filter { $0.name == "postern-files" } }
            #expect(try becomesTrue(within: .seconds(10)) { !servers().isEmpty })
            for server in servers() {
                let environment = String(decoding: try readFile("/proc/\(server.pid)/environ", limit: 1 << 20), as: UTF8.self).split(separator: "\0").map(String.init)
                #expect(environment.filter { variables.contains($0) || $0.hasPrefix("RSYNC") }.isEmpty, "\(environment)")
            }
            try client.kill()
            withExtendedLifetime(pipe.writing) {}
        }
    }

    @Test func `what a shell would act upon is part of a file name`() throws {
        try DropAccount.serving { account throws in
            let names = ["a;id", "$(id)", "`id`", "a b", "-x", "*", "~root", "a|b", "'", "a'b", "{a,b}", "!", "\u{1b}[2J", "ü", "=", "a&&b"]
            for name in names {
                let bytes = Array("C0644 1 \(name)\nx\0".utf8)
                let outcome = try account.speak("scp -t .", bytes)
                #expect(outcome.code == 0, "\(name): \(outcome)")
                #expect(try account.received(name) == [0x78])
            }
            let outcome = try account.speak("scp -t ; touch owned", Array("C0644 1 y\nx\0".utf8))
            #expect(outcome.code == 0)
            #expect(try account.names == (names + ["; touch owned"]).sorted())
        }
    }

    @Test func `names that are not UTF-8 stay as they are`() throws {
        try DropAccount.serving { account throws in
            for name in [[0xff, 0xfe], [0x01], [0x80, 0x2e], Array(0x80...0xff), [0x7f]] as [[UInt8]] {
                #expect(try account.speak("scp -t .", Array("C0644 1 ".utf8) + name + Array("\nx\0".utf8)).code == 0)
                let found = try DirectoryReader(try openDirectory(account.inbox))
                var isThere = false
                while let other = found.next() { isThere = isThere || other == name }
                #expect(isThere, "\(name)")
            }
        }
    }

    @Test func `a name may hold every byte that a file system takes`() throws {
        try DropAccount.serving { account throws in
            // A line feed ends a record of scp.
            let odd = (UInt8.min + 1...UInt8.max).filter { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\n") }
            let names: [[UInt8]] = odd.map { [UInt8(ascii: "a"), $0] } + odd.filter { $0 != UInt8(ascii: ".") }.map { [$0] }
            let outcome = try account.speak("scp -r -t .", names.flatMap { Array("C0644 1 ".utf8) + $0 + Array("\nx\0".utf8) })
            #expect(outcome.code == 0, "\(outcome.errors)")
            let found = try DirectoryReader(try openDirectory(account.inbox))
            var there: Set<[UInt8]> = []
            while let name = found.next() { there.insert(name) }
            #expect(Set(names).subtracting(there).isEmpty)
        }
    }

    @Test(arguments: ["C0644 1 ../a\n", "C0644 1 ..\n", "C0644 1 /etc/passwd\n", "D0755 0 ..\n", "C0644 1 d/a\n", "C0644 1 \n"])
    func `a record whose name leads elsewhere ends the copy`(record: String) throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let outcome = try account.speak("scp -r -t .", Array((record + "x\0").utf8))
            #expect(outcome.code == 1 && outcome.errors.contains("is no file name"), "\(outcome)")
            #expect(try account.names == [])
        }
    }

    @Test func `a path with dots ends at the root`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            #expect(try account.speak("scp -t ../../../../../a", Array("C0644 1 a\nx\0".utf8)).code == 0)
            #expect(try account.names == ["a"])
            let outcome = try account.sftp("-get /etc/passwd /dev/null\n-get ../../etc/passwd /dev/null\n-ls ../..\npwd")
            #expect(outcome.output.contains("Remote working directory: /\n"), "\(outcome)")
            #expect(!outcome.output.contains("root:"))
        }
    }

    @Test func `a symbolic link and a FIFO that somebody put there are not followed`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let path = try account.file("a", [1])
            #expect(try account.scp(path, "gateway:first").code == 0)
            let secret = try account.file("secret", Array("secret".utf8))
            try FileManager.default.createSymbolicLink(atPath: "\(account.inbox)/link", withDestinationPath: secret)
            try FileManager.default.createSymbolicLink(atPath: "\(account.inbox)/out", withDestinationPath: account.gateway.directory)
            #expect(try run(["/usr/bin/mkfifo", "\(account.inbox)/fifo"]).code == 0)
            let outcome = try account.sftp("-get link /dev/null\n-get out/secret /dev/null\n-get fifo /dev/null\n-put \(path) out/new\n-ls out\n-chmod 777 link\nput \(path) link\nput \(path) fifo")
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try readFile(secret, limit: 100) == Array("secret".utf8))
            #expect(!FileManager.default.fileExists(atPath: "\(account.gateway.directory)/new"))
            // An upload takes the place of the link, as of every other name.
            #expect(try openFile("\(account.inbox)/link", .noFollow).status().kind == .file)
            #expect(try account.received("fifo") == [1])
        }
    }

    @Test func `what the gateway keeps in the inbox no client reaches`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let path = try account.file("a", [1])
            let outcome = try account.sftp("put \(path) x\n-put \(path) .postern/x\n-get .postern/usage /dev/null\n-rm .postern/lock\n-rmdir .postern\n-rename .postern y\n-rename x .postern\n-mkdir .postern/y\n-ls .postern\nls -a")
            #expect(outcome.code == 0 && !outcome.output.contains("\n.postern"), "\(outcome)")
            #expect(try account.names == ["x"])
            #expect(FileManager.default.fileExists(atPath: "\(account.inbox)/.postern/lock"))
        }
    }

    @Test func `modes that would make a program of another user are not taken`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            #expect(try account.speak("scp -t .", Array("C7777 1 a\nx\0".utf8)).code == 0)
            #expect(try account.sftp("chmod 6777 a").code == 0)
            #expect(try openFile("\(account.inbox)/a").status().mode == 0o755)
        }
    }

    @Test func `a connection that is cut leaves nothing, and its space is free`() throws {
        try DropAccount.serving(#"quota = "4MiB""#) { account throws in
            let content = try noise(2 << 20)
            let stream = Array("C0644 \(content.count) a\n".utf8) + content + [0]
            for round in 0..<20 {
                let cut = round == 0 ? stream.count - 1 : Int.random(in: 1..<stream.count)
                var pipe: (reading: Descriptor, writing: Descriptor)? = try Descriptor.pipe()
                guard let input = pipe?.reading else { return }
                let client = try RunningProgram(account.gateway.sshCommand(["scp -t ."]), input: .open(input))
                try pipe?.writing.writeAll(Array(stream[..<cut]))
                try client.child.sendSignal(.kill)
                _ = try client.wait(.seconds(10))
                pipe = nil
                #expect(try account.names == [], "after \(cut) bytes")
            }
            #expect(try becomesTrue(within: .seconds(10)) { try account.hidden == [] || account.hidden.allSatisfy { $0.hasPrefix("session.") } })
            // More than half of the quota: nothing of the others may be left.
            #expect(try account.speak("scp -t .", Array("C0644 \(3 << 20) b\n".utf8) + noise(3 << 20) + [0]).code == 0)
            #expect(try account.names == ["b"])
            #expect(try becomesTrue(within: .seconds(10)) { try account.hidden == [] })
        }
    }
}
