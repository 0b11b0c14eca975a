import Foundation
import Linux
import Testing

/// A gateway whose key `alice` reaches a directory by rsync, and rsync's own client.
struct RsyncAccount {
    let gateway: Gateway
    var root: String { "\(gateway.directory)/drop/alice" }
    /// Where the client's own files are.
    var mine: String { "\(gateway.directory)/mine" }

    static func serving(_ access: String..., lines: String = "", _ body: (RsyncAccount) throws -> Void) throws {
        var policy = TestPolicy(keys: [.init(name: "alice", lines: "may = ['files']")])
        policy.commands = """
            [command.files]
            as = "$USER"
            summary = "your files"
            rsync = { root = "$DIRECTORY/drop/<key>", access = \(access) }
            \(lines)

            """
        policy.prepare = { directory in
            try makeDirectory("\(directory)/mine", mode: 0o755)
            try makeDirectory("\(directory)/drop", mode: 0o755)
            if isRoot, let user = try Users.named("postern-test") { try openDirectory("\(directory)/drop").changeOwner(uid: user.uid, gid: user.gid) }
        }
        try Gateway.serving(policy) { try body(RsyncAccount(gateway: $0)) }
    }

    /// - Parameter words: options and paths, in which `@` stands for the other host, and `=` for the client's own files.
    func rsync(_ words: String...) throws -> Outcome {
        let remote = gateway.sshCommand([]).dropLast().joined(separator: " ")
        let words = words.map { $0.hasPrefix("@") ? "gateway:" + $0.dropFirst() : $0.hasPrefix("=") ? "\(mine)/" + $0.dropFirst() : $0 }
        return try run(["/usr/bin/rsync", "-e", remote] + words)
    }

    /// Runs a shell script in the directory of the client's own files; `$0` is the root of the others.
    @discardableResult func shell(_ script: String) throws -> String {
        let outcome = try run(["/bin/sh", "-euc", "cd \"$1\"; \(script)", root, mine])
        guard outcome.code == 0 else { throw Trouble("\(script): \(outcome)") }
        return outcome.output
    }

    /// The files that are there, with what is in them.
    func expectSame(_ one: String, _ other: String) throws {
        let outcome = try run(["/usr/bin/diff", "-r", "--no-dereference", one, other])
        #expect(outcome.code == 0, "\(outcome)")
    }

    func tree() throws -> [String] {
        try shell("cd \"$0\" && find . -mindepth 1 | sort").split(separator: "\n").map { String($0.dropFirst(2)) }
    }

    static let everything = ["upload", "download", "overwrite", "delete"]

    /// What both ends are; Debian 12 has 3.2.7, and by its security updates a later one.
    static let version: String = {
        do { return try run(["/usr/bin/rsync", "--version"]).output.split(separator: " ").dropFirst(2).first.map(String.init) ?? "unknown" } catch { return "missing" }
    }()
}

@Suite("rsync: what its client does") struct RsyncTests {
    private static let tree = "mkdir -p t/d/e t/empty; head -c 300000 /dev/urandom >t/big; echo one >t/d/one; echo two >t/d/e/two; : >t/d/none; chmod 640 t/d/one; touch -d 2020-02-02 t/d/e/two t/d"

    @Test(arguments: [RsyncAccount.version]) func `the log of the tests says which rsync they were of`(version: String) {
        #expect(version.split(separator: ".").count == 3, "\(version)")
    }

    @Test(arguments: [["-a"], ["-az"], ["-r"], ["-rt", "--checksum"], ["-a", "--partial"], ["-a", "--delay-updates"], ["-avv", "--stats", "-i"], ["-aR"], ["-a", "--old-args"], ["-a", "--numeric-ids"],
        ["-a", "-zz", "--timeout=20", "--bwlimit=100000", "-B1000"], ["-a", "--max-size=1G", "--mkpath", "--suffix=.old", "-b", "--backup-dir=old"], ["-aH", "--no-H"], ["-a", "--partial-dir=.p", "-F"]])
    func `a tree goes there and comes back`(flags: [String]) throws {
        try RsyncAccount.serving("upload", "download", "overwrite") { account throws in
            try account.shell(Self.tree)
            let rsync = { (from: String, to: String) in
                try run(["/usr/bin/rsync", "-e", account.gateway.sshCommand([]).dropLast().joined(separator: " ")] + flags + [from, to])
            }
            let isRelative = flags == ["-aR"]
            try account.shell("mkdir back")
            let given = try rsync(isRelative ? "\(account.mine)/./t/" : "\(account.mine)/t/", isRelative ? "gateway:" : "gateway:t")
            #expect(given.code == 0, "\(given)")
            try account.expectSame("\(account.mine)/t", "\(account.root)/t")
            let taken = try rsync(isRelative ? "gateway:./t/" : "gateway:t/", isRelative ? "\(account.mine)/back/" : "\(account.mine)/back/t")
            #expect(taken.code == 0, "\(taken)")
            try account.expectSame("\(account.mine)/t", "\(account.mine)/back/t")
            if flags == ["-a"] {
                #expect(try account.shell("stat -c '%a %Y' back/t/d/one back/t/d/e/two t/d/e/two | cut -d' ' -f1; stat -c %Y back/t/d/e/two back/t/d").hasSuffix("1580601600\n1580601600\n"))
                #expect(try openFile("\(account.root)/t/d/one").status().mode & 0o7777 == 0o640)
            }
            // Nothing is sent again.
            if flags == ["-avv", "--stats", "-i"] {
                #expect(try rsync("\(account.mine)/t/", "gateway:t").output.contains("Number of regular files transferred: 0"))
            }
        }
    }

    @Test func `a slash at the end means what is in it, and several can be fetched`() throws {
        try RsyncAccount.serving("upload", "download") { account throws in
            try account.shell("mkdir -p a/b; echo 1 >a/b/f; echo 2 >'a/x y'; echo 3 >a/-n; echo 4 >'a/$(id)'; echo 5 >'a/ü*'")
            for words in [("=a", "@"), ("=a/", "@"), ("=a", "@d"), ("=a/", "@/e/")] { #expect(try account.rsync("-a", words.0, words.1).code == 0) }
            let inside = ["$(id)", "-n", "b", "b/f", "x y", "ü*"]
            func expected(_ prefix: String) -> [String] { inside.map { prefix + $0 } }
            #expect(try Set(account.tree()) == Set(["a", "d", "d/a", "e"] + expected("") + expected("a/") + expected("d/a/") + expected("e/")))
            for name in ["a", "b/f", "x y", "-n", "$(id)", "ü*"] {
                let outcome = try account.rsync("-a", "-q", "@/" + (name.hasSuffix("*") ? "ü\\*" : name), "=one/")
                #expect(outcome.code == 0, "\(name): \(outcome)")
            }
            #expect(try account.shell("cd one && find . -type f | sort").contains("./$(id)\n./-n\n./a/$(id)"))
            #expect(try account.rsync("-a", "@b", ":a/b", "=two/").code == 0)
            #expect(try account.shell("find two | sort | tr '\\n' ' '") == "two two/b two/b/f ")
            let listed = try account.rsync("@")
            #expect(listed.code == 0 && listed.output.contains("x y"), "\(listed)")
            #expect(try account.rsync("--list-only", "@a/").output.contains("x y"))
        }
    }

    @Test func `a dry run changes nothing, and a file larger than all buffers comes whole`() throws {
        try RsyncAccount.serving("upload", "download", "overwrite") { account throws in
            try account.shell("head -c 150000000 /dev/urandom >big")
            let dry = try account.rsync("-ani", "=big", "@")
            #expect(dry.code == 0 && dry.output.contains("big"), "\(dry)")
            #expect(try account.tree() == [])
            #expect(try account.rsync("-a", "=big", "@").code == 0)
            try account.expectSame("\(account.mine)/big", "\(account.root)/big")
            // Only what is new goes over the line.
            try account.shell("printf x >>big; touch big")
            let again = try account.rsync("-a", "--stats", "--no-W", "=big", "@")
            #expect(again.code == 0 && again.output.contains("Matched data: 14"), "\(again)")
            #expect(try account.rsync("-a", "@big", "=back").code == 0)
            try account.expectSame("\(account.mine)/big", "\(account.mine)/back")
        }
    }

    @Test(arguments: ["--delete", "--delete-after", "--delete-before", "--delete-during", "--delete-delay", "--delete-excluded", "--force"])
    func `who may delete deletes, and who may not is told so`(option: String) throws {
        for access in [["upload", "overwrite", "delete"], ["upload", "overwrite"]] {
            try RsyncAccount.serving(access[0], access[1], access.count > 2 ? "delete" : "download") { account throws in
                try account.shell("mkdir a; echo 1 >a/old; echo 2 >a/kept")
                #expect(try account.rsync("-a", "=a/", "@").code == 0)
                try account.shell("rm a/old; echo 3 >a/new; mkdir \"$0/.postern\" && chmod 777 \"$0/.postern\"")
                let outcome = try account.rsync("-a", option, "=a/", "@")
                if access.count > 2 {
                    #expect(outcome.code == 0, "\(outcome)")
                    #expect(try account.tree() == [".postern", "kept", "new"] + (option == "--force" ? ["old"] : []))
                } else {
                    #expect(outcome.code == 126 || outcome.code == 12, "\(outcome)")
                    #expect(outcome.errors.contains("postern: you may not delete files here: leave out --"), "\(outcome)")
                    #expect(try account.tree() == [".postern", "kept", "old"])
                }
            }
        }
    }

    @Test func `what may be fetched is not written, nor what may be sent read`() throws {
        try RsyncAccount.serving("download") { account throws in
            try account.shell("mkdir \"$0\"; echo 1 >\"$0/f\"; chmod -R a+rX \"$0\"; echo 2 >f")
            let given = try account.rsync("-a", "=f", "@")
            #expect(given.code != 0 && given.errors.contains("postern: you may not send files here"), "\(given)")
            let moved = try account.rsync("-a", "--remove-source-files", "@f", "=g")
            #expect(moved.code != 0 && moved.errors.contains("postern: you may not delete files here: leave out --remove-source-files"), "\(moved)")
            #expect(try account.rsync("-a", "@f", "=g").code == 0)
            #expect(try account.shell("cat g f \"$0/f\"") == "1\n2\n1\n")
        }
        try RsyncAccount.serving("upload") { account throws in
            try account.shell("echo 1 >f")
            #expect(try account.rsync("-a", "=f", "@").code == 0)
            let taken = try account.rsync("-a", "@f", "=g")
            #expect(taken.code != 0 && taken.errors.contains("postern: you may not fetch files here"), "\(taken)")
            // What is there stays.
            try account.shell("echo 22 >f")
            #expect(try account.rsync("-a", "=f", "@").code == 0)
            #expect(try account.shell("cat \"$0/f\"") == "1\n")
        }
        try RsyncAccount.serving("upload", "download", "delete") { account throws in
            try account.shell("echo 1 >f")
            #expect(try account.rsync("-a", "--remove-source-files", "=f", "@").code == 0)
            #expect(try account.rsync("-a", "--remove-source-files", "@f", "=g").code == 0)
            #expect(try account.tree() == [])
        }
    }

    @Test(arguments: [
        ["--inplace"], ["--append"], ["-K"], ["-s"], ["--temp-dir=/tmp"], ["--link-dest=/etc"], ["--copy-dest=../x"], ["--write-devices"], ["-M--log-file=/tmp/x"], ["-M--daemon"], ["-A"],
        ["--backup-dir=/tmp", "-b"], ["--partial-dir=/tmp"], ["-y"], ["--super"], ["--usermap=*:root"], ["-M--config=/tmp/x"], ["-M--exclude-from=/etc/shadow"], ["--rsync-path=/bin/sh"], ["--rsync-path=rsync --daemon"],
    ])
    func `a real client with an option that is refused is told why`(options: [String]) throws {
        try RsyncAccount.serving("upload", "download", "overwrite", "delete") { account throws in
            try account.shell("echo 1 >f")
            let outcome = try run(["/usr/bin/rsync", "-e", account.gateway.sshCommand([]).dropLast().joined(separator: " "), "-a"] + options + ["\(account.mine)/f", "gateway:"])
            #expect(outcome.code != 0 && outcome.errors.contains("postern: "), "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: account.root))
            #expect(try account.gateway.records("finished").isEmpty && account.gateway.record("decision")["verdict"] == "refuse")
        }
    }

    @Test func `the record says what was run`() throws {
        try RsyncAccount.serving("upload") { account throws in
            try account.shell("echo 1 >f")
            #expect(try account.rsync("-rt", "=f", "@in/").code == 0)
            let record = try account.gateway.record("decision")
            #expect(record["asked"].hasPrefix("rsync --server -") && record["verdict"] == "run" && record["command"] == "files")
            #expect(account.gateway.log.contains(#""--ignore-existing",".","in/"]"#), "\(account.gateway.log)")
            #expect(try account.gateway.record("finished").number("status") == 0)
            let help = try account.gateway.ssh("help")
            #expect(help.output.contains("rsync  upload    your files"), "\(help)")
        }
    }
}

@Suite("rsync: what is tried on it") struct RsyncAttackTests {
    @Test func `a link that a client sends leads nowhere, and comes back as it was`() throws {
        try RsyncAccount.serving("upload", "download", "overwrite", "delete") { account throws in
            try account.shell("mkdir t outside; echo secret >outside/secret; chmod 755 outside; ln -s /etc t/etc; ln -s ../../../mine/outside t/out; ln -s f t/near; echo 1 >t/f; ln -s $PWD/outside t/whole")
            #expect(try account.rsync("-a", "=t/", "@").code == 0)
            for name in ["etc", "out", "near", "whole"] { #expect(try account.shell("readlink \"$0/\(name)\"").hasPrefix("/rsyncd-munged/")) }
            #expect(try account.rsync("-a", "@", "=back/").code == 0)
            try account.expectSame("\(account.mine)/t", "\(account.mine)/back")
            // Neither is it a way in, nor a way out.
            try account.shell("echo 2 >new")
            for name in ["etc", "out", "whole"] {
                _ = try account.rsync("-a", "=new", "@\(name)/")
                let taken = try account.rsync("-a", "@\(name)/", "=got")
                #expect(taken.code != 0, "\(taken)")
            }
            #expect(try account.shell("ls outside; ls -A got 2>/dev/null || true") == "secret\n")
        }
    }

    @Test func `a link that somebody put there is not followed, neither by a path nor beneath it`() throws {
        try RsyncAccount.serving("upload", "download", "overwrite", "delete") { account throws in
            try account.shell(
                """
                mkdir -p outside "$0/d"; echo secret >outside/secret; chmod 777 outside; chmod 666 outside/secret
                ln -s "$PWD/outside" "$0/link"; ln -s "$PWD/outside" "$0/d/link"; ln -s "$PWD/outside/secret" "$0/file"; ln -s /usr/lib "$0/lib"; ln -s ../../mine/outside "$0/up"
                mkfifo "$0/fifo"; echo 1 >f; chmod -R a+rwX "$0"
                """)
            if isRoot { _ = try run(["/bin/chown", "-Rh", account.gateway.user.name, account.root]) }
            for path in ["link/", "link/secret", "d/link/", "lib/", "up/", "up/secret"] {
                let taken = try account.rsync("-a", "@\(path)", "=got/")
                #expect(taken.code != 0 && taken.errors.contains("a symbolic link in it leads out"), "\(path): \(taken)")
            }
            for path in ["link/", "link/secret", "d/link/x", "lib/", "up/"] {
                let given = try account.rsync("-a", "=f", "@\(path)")
                #expect(given.code != 0 && given.errors.contains("a symbolic link in it leads out"), "\(path): \(given)")
            }
            // Beneath they are links, and a FIFO holds nobody up.
            #expect(try account.rsync("-rlt", "@", "=got/").code == 0)
            #expect(try account.shell("readlink got/link got/file got/d/link | wc -l; find got -type f | wc -l") == "3\n0\n")
            // A directory that is sent where a link is replaces it.
            try account.shell("mkdir -p t/link t/d/link; echo 2 >t/link/new; echo 3 >t/d/link/secret; echo 4 >t/file")
            let given = try account.rsync("-a", "=t/", "@")
            #expect(given.code == 0, "\(given)")
            #expect(try account.shell("ls outside; cat outside/secret \"$0/file\"") == "secret\nsecret\n4\n")
        }
    }

    // CVE-2026-53783: rrsync looked at a path, and rsync opened it later, when a component had become a link.
    @Test func `a directory that becomes a link while rsync works leads nowhere`() throws {
        try RsyncAccount.serving("upload", "download", "overwrite", "delete") { account throws in
            try account.shell("mkdir -p outside \"$0/d\" \"$0/real\" t; echo secret >outside/secret; chmod 777 outside; chmod 666 outside/secret; for n in $(seq 50); do echo $n >t/$n; done; echo bad >t/secret; chmod -R a+rwX \"$0\"")
            if isRoot { _ = try run(["/bin/chown", "-R", account.gateway.user.name, account.root]) }
            let swapping = try startSwapping(in: account.root, with: "\(account.mine)/outside")
            for _ in 0..<8 {
                _ = try account.rsync("-a", "--delete", "=t/", "@d/")
                _ = try account.rsync("-a", "@d/secret", "=got")
                _ = try account.rsync("-a", "@d/", "=got2/")
            }
            try swapping.kill()
            #expect(try account.shell("ls outside; cat outside/secret") == "secret\nsecret\n")
            // Landlock knows no modes: without root's mounts those of the user's own files elsewhere can be changed by who swaps.
            let modes = try account.shell("stat -c %a outside outside/secret")
            #expect(!isRoot || modes == "777\n666\n", "\(modes)")
            #expect(try account.shell("grep -rs secret got got2 || true") == "")
        }
    }

    /// As CVE-2026-53783, but for what Landlock has no rule for: modes, times and attributes of the same user's files elsewhere. The user swaps, and owns both
    /// places; rsync started by hand is led there, a client's is not.
    @Test(.enabled(if: isRoot, "needs namespaces")) func `links that a local user swaps lead rsync to no mode or time elsewhere`() throws {
        try RsyncAccount.serving("upload", "download", "overwrite", "delete") { account throws in
            let (user, root, outside) = (account.gateway.user, account.root, "\(account.gateway.directory)/drop/outside")
            let asUser = ["/usr/bin/setpriv", "--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups"]
            // What is sent has other modes and times, and the same names.
            try account.shell("mkdir -p t \"$0/real\" \(outside); for n in $(seq 20); do echo $n >t/$n; touch -d 2020-02-02 t/$n; done; chmod 700 t; touch -d 2020-02-02 t")
            func reset() throws {
                try account.shell("for n in $(seq 20); do echo $n >\(outside)/$n; done; chmod 640 \(outside)/*; chmod 755 \(outside); touch -d 2021-01-01 \(outside)/* \(outside); chown -R \(user.uid):\(user.gid) \(outside)")
            }
            func look() throws -> String { try account.shell("cd \(outside); stat -c '%n %a %Y %u' . * | sort") }
            try account.shell("chown -R \(user.uid):\(user.gid) \"$0\"")
            try reset()
            let before = try look()
            let swapping = try startSwapping(in: root, with: outside, by: asUser)
            try account.shell("chmod 755 . t; chmod 644 t/*; chmod 700 t")
            try account.shell("cp -a t \(account.gateway.directory)/drop/t && chown -R \(user.uid):\(user.gid) \(account.gateway.directory)/drop/t")
            let led = try becomesTrue(within: .seconds(30)) {
                _ = try run(asUser + ["/usr/bin/rsync", "-a", "\(account.gateway.directory)/drop/t/", "\(root)/d/"])
                return try look() != before
            }
            #expect(led, "rsync was not led astray outside")
            try reset()
            for _ in 0..<14 {
                _ = try account.rsync("-a", "--delete", "=t/", "@d/")
                _ = try account.rsync("-a", "=t/1", "=t/2", "@d/")
            }
            try swapping.kill()
            #expect(try look() == before)
        }
    }

    @Test func `no device, FIFO, set-uid mode or hard link comes of it`() throws {
        try RsyncAccount.serving("upload", "download", "overwrite") { account throws in
            try account.shell("mkdir t; mkfifo t/fifo; echo 1 >t/s; chmod 6777 t/s; mkdir t/d; chmod 2777 t/d")
            let outcome = try account.rsync("-a", "=t/", "@t")
            #expect(outcome.code == 23 && outcome.errors.contains("mknod"), "\(outcome)")
            #expect(try account.shell("cd \"$0/t\"; stat -c '%n %a' s d; ls") == "s 775\nd 775\nd\ns\n")
            let linked = try account.rsync("-aH", "=t/s", "@")
            #expect(linked.code != 0 && linked.errors.contains("hard links are not made here"), "\(linked)")
        }
    }

    /// The lines by which clients left other restricted shells, and by which rsync itself would leave this one.
    static let escapes: [(advisory: String, line: String)] =
        DropAttackTests.escapes.filter { $0.line.contains("rsync ") } + [
            ("CVE-2004-1162", "rsync --server -vlogDtpre/bin/sh . ."), ("CVE-2004-1162", "rsync -e /bin/sh . ."), ("CVE-2012-2252", "rsync --server -e '/bin/sh -c id' . ."),
            ("CVE-2012-2252", "rsync --server --rsh /bin/sh . ."), ("CVE-2012-3478", "RSYNC_RSH=/bin/sh rsync --server . ."), ("CVE-2019-3463", "rsync --server --daemon --config /tmp/x . ."),
            ("CVE-2019-3463", "rsync --daemon --config=/tmp/x --server . ."), ("CVE-2019-3463", "rsync --server . . --daemon"), ("CVE-2019-3464", "HOME=/tmp rsync --server -re.iLsfxCIvu . ."),
            ("CVE-2026-53783", "rsync --server --sender -Lre.iLsfxCIvu . ."), ("CVE-2026-53783", "rsync --server --log-file /tmp/x -re.iLsfxCIvu . ."),
            ("CVE-2026-53783", "rsync --server -sre.iLsfxCIvu"), ("", "rsync --server -re.iLsfxCIvu . ../../etc"), ("", "rsync --server --sender -re.iLsfxCIvu --files-from=/etc/passwd . ."),
            ("", "rsync --server -re.iLsfxCIvu . .; id"), ("", "rsync --server -re.iLsfxCIvu . $(id)"),
        ]

    @Test(arguments: escapes) func `the lines that left rssh, scponly and rrsync do not start rsync`(given: (advisory: String, line: String)) throws {
        try RsyncAccount.serving("upload", "download", "overwrite", "delete") { account throws in
            let outcome = try account.gateway.ssh(given.line, input: .bytes([0]))
            #expect(outcome.code == 126 && outcome.output.isEmpty, "\(given.advisory): \(outcome)")
            #expect(try account.gateway.records("finished").isEmpty)
        }
    }

    @Test func `no variable of a client and no file of it reaches rsync's settings`() throws {
        try RsyncAccount.serving("upload", "download") { account throws in
            try account.shell("mkdir \"$0\"; echo 'rsync alias --server --version' >\"$0/.popt\"; chmod 777 \"$0\"; chmod 666 \"$0/.popt\"; echo 1 >f")
            let pipe = try Descriptor.pipe()
            let options = ["-o", "SetEnv=HOME=\(account.root) RSYNC_RSH=/bin/sh LD_PRELOAD=/tmp/x.so PATH=/tmp RSYNC_PARTIAL_DIR=/tmp"]
            let client = try RunningProgram(account.gateway.sshCommand(["rsync --server -re.iLsfxCIvu . ."], options: options), input: .open(pipe.reading))
            let servers = { LiveProcess.descendants(of: account.gateway.process.pid).filter { $0.name == "rsync" } }
            #expect(try becomesTrue(within: .seconds(10)) { !servers().isEmpty })
            for server in servers() {
                let environment = String(decoding: try readFile("/proc/\(server.pid)/environ", limit: 1 << 20), as: UTF8.self).split(separator: "\0").map(String.init)
                #expect(environment.contains("HOME=/nonexistent") && environment.contains("PATH=/usr/bin:/bin"))
                #expect(!environment.contains { $0.hasPrefix("RSYNC") || $0.hasPrefix("LD_") }, "\(environment)")
            }
            try client.kill()
            withExtendedLifetime(pipe.writing) {}
            #expect(try account.rsync("-a", "=f", "@").code == 0)
        }
    }

    @Test func `a copy that is cut leaves no file under its name, and --partial keeps it out of sight`() throws {
        try RsyncAccount.serving("upload", "download", "overwrite") { account throws in
            try account.shell("head -c 30000000 /dev/urandom >big")
            for option in ["--no-partial", "--partial"] {
                let remote = account.gateway.sshCommand([]).dropLast().joined(separator: " ")
                let client = try RunningProgram(["/usr/bin/rsync", "-e", remote, "-a", option, "--bwlimit=3000", "\(account.mine)/big", "gateway:"])
                // More than the half of what a file takes is there under another name.
                #expect(try becomesTrue(within: .seconds(20)) {
                    try FileManager.default.fileExists(atPath: account.root) && account.shell("find \"$0\" -type f -size +1000k | wc -l") == "1\n"
                })
                try client.kill()
                _ = try account.gateway.record("finished")
                #expect(!FileManager.default.fileExists(atPath: "\(account.root)/big"))
                if option == "--no-partial" {
                    #expect(try becomesTrue(within: .seconds(5)) { try account.tree() == [] }, "\((try? account.tree()) ?? [])")
                } else {
                    #expect(try becomesTrue(within: .seconds(5)) { try account.tree() == [".rsync-partial", ".rsync-partial/big"] }, "\((try? account.tree()) ?? [])")
                }
            }
            let rest = try account.rsync("-a", "--partial", "--stats", "--no-W", "=big", "@")
            #expect(rest.code == 0 && !rest.output.contains("Matched data: 0 bytes"), "\(rest)")
            try account.expectSame("\(account.mine)/big", "\(account.root)/big")
            #expect(try account.tree() == ["big"])
        }
    }
}
