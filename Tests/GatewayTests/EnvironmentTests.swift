import Foundation
import Linux
import Testing

@Suite("DESIGN §4.1: the environment of a command") struct EnvironmentTests {
    private static let policy = TestPolicy(
        keys: [.init(name: "alice", lines: "may = ['env', 'any', 'sh']")],
        commands: TestPolicy.command(
            "env", run: ["/usr/bin/env"], lines: "env = { APP = 'one', LANG = 'C' }\naccept_env = { NOTE = '[a-z ]{0,9}', OTHER = '.*' }")
            + TestPolicy.command("sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"], lines: "args = { script = { match = '.*' } }")
            + TestPolicy.command("any", usage: "*", run: ["/usr/bin/env"], lines: "allow_warnings = ['any-line']"))

    private func variables(_ outcome: Outcome) -> [String: String] {
        var found: [String: String] = [:]
        for line in outcome.output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            found[String(parts[0])] = parts.count == 2 ? String(parts[1]) : nil
        }
        return found
    }

    @Test func `T25: it is what the design lists, and nothing of the gateway's or the client's`() throws {
        try Gateway.serving(Self.policy) { gateway in
            let outcome = try gateway.ssh("env", options: ["-o", "SendEnv=*"], environment: ["SECRET=x", "LD_PRELOAD_64=/x"])
            let request = try gateway.record("finished")["request"]
            var found = variables(outcome)
            let fingerprint = try run(["/usr/bin/ssh-keygen", "-l", "-f", "\(gateway.directory)/alice"]).output.split(separator: " ")[1]
            let connection = found.removeValue(forKey: "SSH_CONNECTION")?.split(separator: " ") ?? []
            let client = found.removeValue(forKey: "SSH_CLIENT")
            let temporary = found.removeValue(forKey: "TMPDIR") ?? ""
            // As root something else is mounted there for each command.
            #expect(isRoot ? temporary == "/var/lib/postern/tmp" : temporary.hasSuffix(request))
            #expect(connection.count == 4 && connection[0] == "127.0.0.1" && connection[2] == "127.0.0.1" && connection[3] == "\(gateway.port)")
            #expect(client == "127.0.0.1 \(connection[1]) \(gateway.port)")
            #expect(
                found == [
                    "PATH": "/usr/bin:/bin", "HOME": gateway.user.home, "USER": gateway.user.name, "LOGNAME": gateway.user.name,
                    "SHELL": gateway.user.shell, "LANG": "C", "APP": "one", "POSTERN_KEY": "alice", "POSTERN_FINGERPRINT": String(fingerprint),
                    "POSTERN_COMMAND": "env", "POSTERN_REQUEST": request,
                ])
        }
    }

    @Test func `accept_env lets through what matches, and nothing else`() throws {
        try Gateway.serving(Self.policy) { gateway in
            let sent = ["NOTE=a note", "OTHER=a\tb", "LD_PRELOAD=/x", "BASH_ENV=/x", "PATH=/x", "LC_ALL=C", "SSH_CONNECTION=x", "POSTERN_KEY=eve", "APP=two"]
            let taken = variables(try gateway.ssh("env", options: sent.flatMap { ["-o", "SetEnv=\($0.replacing(" ", with: #"\ "#))"] }))
            let plain = variables(try gateway.ssh("env", options: ["-o", #"SetEnv="NOTE=a note" LD_PRELOAD=/x BASH_ENV=/x PATH=/x POSTERN_KEY=eve APP=two"#]))
            let refused = variables(try gateway.ssh("env", options: ["-o", "SetEnv=NOTE=UPPER"]))
            #expect(plain["NOTE"] == "a note")
            #expect(plain["LD_PRELOAD"] == nil && plain["BASH_ENV"] == nil)
            #expect(plain["PATH"] == "/usr/bin:/bin" && plain["POSTERN_KEY"] == "alice" && plain["APP"] == "one")
            #expect(refused["NOTE"] == nil)
            #expect(taken["LC_ALL"] == nil)
        }
    }

    @Test func `T22: a command of any line has it in SSH_ORIGINAL_COMMAND, others have no such variable`() throws {
        try Gateway.serving(Self.policy) { gateway in
            let any = variables(try gateway.ssh("what ever; $(this) is"))
            let env = variables(try gateway.ssh("env"))
            #expect(any["SSH_ORIGINAL_COMMAND"] == "what ever; $(this) is")
            #expect(env["SSH_ORIGINAL_COMMAND"] == nil)
        }
    }

    @Test func `TMPDIR is there, is private, and goes with all that is in it`() throws {
        try Gateway.serving { gateway in
            let script = "cd $TMPDIR && pwd && stat -c %u:%a . && mkdir -p a/b && echo x > a/b/c && (umask 777 && mkdir shut) && ln -s / link && echo kept > file && cat file"
            let outcome = try gateway.script(script)
            let lines = outcome.output.split(separator: "\n").map(String.init)
            #expect(lines.count == 3, "\(outcome)")
            guard lines.count == 3 else { return }
            #expect(lines[1] == "\(gateway.user.uid):700")
            #expect(lines[2] == "kept")
            _ = try gateway.record("disconnect")
            #expect(!FileManager.default.fileExists(atPath: isRoot ? "\(lines[0])/file" : lines[0]), "\(lines[0])")
        }
    }

    @Test(.enabled(if: isRoot, "a normal user's files take a quota")) func `TMPDIR holds as much as memory, and no more files than that`() throws {
        let lines = "args = { script = { match = '.*' } }\nsandbox = 'small'"
        let small = TestPolicy.command("sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"], lines: lines) + "[sandbox.small]\nmemory = '16MiB'\n"
        try Gateway.serving(.init(commands: small)) { gateway in
            let full = try gateway.script("cd $TMPDIR && for n in 1 2 3; do head -c 8388608 /dev/zero > $n || break; done; cat ? | wc -c")
            #expect(full.output == "16777216\n" && full.errors.contains("No space left on device"), "\(full)")
            let many = try gateway.script("cd $TMPDIR && n=0; while true > $n; do n=$((n + 1)); done; echo $n")
            #expect(Int(many.output.trimmingCharacters(in: .newlines)).map { 1000..<1025 ~= $0 } == true, "\(many)")
            // The same path is another's directory, and empty, for another command.
            #expect(try gateway.script("ls $TMPDIR | wc -l; stat -f -c %T $TMPDIR").output == "0\ntmpfs\n")
        }
    }

    @Test(.enabled(if: isRoot)) func `root without CAP_SYS_ADMIN gives each command a directory of its own, and has the capability for it instead`() throws {
        var policy = TestPolicy()
        policy.launcher = ["/usr/bin/setpriv", "--bounding-set=-sys_admin"]
        try Gateway.serving(policy) { gateway in
            try gateway.withMaster { options in
                let outcome = try gateway.script("cd $TMPDIR && pwd && stat -c %u:%a . && echo kept > file && cat file", options: options)
                let lines = outcome.output.split(separator: "\n").map(String.init)
                #expect(lines.count == 3 && lines.dropFirst() == ["\(gateway.user.uid):700", "kept"], "\(outcome)")
                let monitor = try #require(LiveProcess.children(of: gateway.process.pid).first { $0.name == "posternd" })
                // CHOWN, KILL, SETGID, SETUID, SETPCAP.
                #expect(monitor.status["CapPrm"] == "00000000000001e1")
                #expect(try becomesTrue(within: .seconds(10)) { !FileManager.default.fileExists(atPath: lines.first ?? "/") })
            }
        }
    }

    @Test func `a directory in TMPDIR that its owner has shut goes too`() throws {
        let commands = """
            [command.shut]
            as = "$USER"
            usage = "shut"
            run = ["/bin/sh", "-c", "cd $TMPDIR && pwd && mkdir -p a/b && echo x > a/b/c && chmod 000 a/b a"]
            directory = "/"
            sandbox = "writer"

            [sandbox.writer]
            base = "tool"
            write = ["$DIRECTORY"]

            """
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['shut']")], commands: commands)) { gateway in
            let outcome = try gateway.ssh("shut")
            #expect(outcome.code == 0, "\(outcome)")
            _ = try gateway.record("disconnect")
            let directory = outcome.output.trimmingCharacters(in: .newlines)
            #expect(!FileManager.default.fileExists(atPath: isRoot ? "\(directory)/a" : directory), "\(gateway.log)")
        }
    }

    @Test func `T25: descriptors above 2 are closed`() throws {
        let commands = """
            [command.list]
            as = "$USER"
            usage = "list"
            run = ["/bin/ls", "/proc/self/fd"]
            directory = "/"
            sandbox = "look"

            [sandbox.look]
            base = "tool"
            read = ["/proc/self"]

            """
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['list']")], commands: commands)) { gateway in
            let outcome = try gateway.ssh("list")
            // 3 is the directory that ls reads.
            #expect(outcome.output == "0\n1\n2\n3\n", "\(outcome)")
        }
    }

    @Test func `the standard streams are pipes, not the connection`() throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.script("test -p /dev/fd/0 && test -p /dev/fd/1 && test -p /dev/fd/2 && echo pipes", input: .bytes([]))
            #expect(outcome.output == "pipes\n", "\(outcome)")
        }
    }
}

@Suite("DESIGN §3.4: a command is confined") struct ConfinedCommandTests {
    @Test func `T25: it runs as its user, without privileges, in a sandbox`() throws {
        let commands = """
            [command.status]
            as = "$USER"
            usage = "status"
            run = ["/bin/cat", "/proc/self/status"]
            directory = "/"
            sandbox = "look"

            [sandbox.look]
            base = "tool"
            read = ["/proc/self"]

            """
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['status']")], commands: commands)) { gateway in
            let lines = try gateway.ssh("status").output.split(separator: "\n").map(String.init)
            let (uid, gid) = (gateway.user.uid, gateway.user.gid)
            for line in ["Uid:\t\(uid)\t\(uid)\t\(uid)\t\(uid)", "Gid:\t\(gid)\t\(gid)\t\(gid)\t\(gid)", "NoNewPrivs:\t1", "Seccomp:\t2"] {
                #expect(lines.contains(line), "\(line)")
            }
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] + (isRoot ? ["CapBnd"] : []) {
                #expect(lines.contains("\(set):\t0000000000000000"), "\(set)")
            }
        }
    }

    @Test func `it reads no file that its sandbox does not name, the gateway's own least`() throws {
        try Gateway.serving { gateway in
            for file in ["/etc/shadow", "/proc/self/status", "\(gateway.directory)/policy.toml", "\(gateway.directory)/host"] {
                let outcome = try gateway.script("cat \(file)")
                #expect(outcome.errors.contains("Permission denied"), "\(file): \(outcome)")
                #expect(outcome.output.isEmpty)
            }
        }
    }

    @Test func `it has no network, and cannot reach the gateway's processes`() throws {
        try Gateway.serving { gateway in
            let socket = try gateway.ssh(Gateway.line("exec /usr/bin/python3 -c \"import socket; socket.socket()\""))
            #expect(socket.errors.contains("PermissionError"), "\(socket)")
            let signal = try gateway.script("kill -0 \(gateway.process.pid)")
            #expect(signal.code != 0, "\(signal)")
            let parent = try gateway.script("kill -9 $PPID; echo still here")
            #expect(parent.output == "still here\n", "\(parent)")
        }
    }
}

@Suite("DESIGN §6: the frontend is confined") struct LiveFrontendTests {
    @Test func `a live one has nothing but its sockets`() throws {
        try Gateway.serving { gateway in
            try gateway.withMaster { _ in
                let below = LiveProcess.descendants(of: gateway.process.pid)
                let frontend = try #require(below.first { $0.name == "postern-fronten" })
                let monitor = try #require(below.first { $0.pid == frontend.parent })
                #expect(monitor.parent == gateway.process.pid)
                // Its own deny list, and as root five capabilities: KILL, SETGID, SETUID, SETPCAP, SYS_ADMIN.
                #expect(monitor.status["Seccomp"] == "2" && monitor.status["Seccomp_filters"] == "1")
                if isRoot { #expect(monitor.status["CapPrm"] == "00000000002001e0" && monitor.status["CapBnd"] == "0000000000000000") }
                let status = frontend.status
                #expect(status["NoNewPrivs"] == "1")
                #expect(status["Seccomp"] == "2")
                for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] + (isRoot ? ["CapBnd"] : []) { #expect(status[set] == "0000000000000000", "\(set)") }
                if isRoot {
                    try checkRoot(of: frontend, status)
                } else {
                    #expect(status["Uid"]?.split(separator: "\t").first == "\(Users.currentUID)")
                }
            }
        }
    }

    /// What only root may see: the user, the open descriptors, the root directory.
    private func checkRoot(of frontend: LiveProcess, _ status: [String: String]) throws {
        let own = try #require(try Users.named("postern") ?? Users.named("nobody"))
        #expect(status["Uid"] == "\(own.uid)\t\(own.uid)\t\(own.uid)\t\(own.uid)")
        #expect(status["Gid"] == "\(own.gid)\t\(own.gid)\t\(own.gid)\t\(own.gid)")
        #expect(status["Groups"]?.isEmpty == true)
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(frontend.pid)/fd")
        for descriptor in descriptors {
            let target = try readLink("/proc/\(frontend.pid)/fd/\(descriptor)")
            #expect(target.hasPrefix("socket:"), "\(descriptor) is \(target)")
        }
        #expect(Set(descriptors) == ["0", "1", "2", "3"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(frontend.pid)/root/").isEmpty)
    }

    @Test func `its monitor keeps only the capabilities that it uses, and shows its memory to nobody`() throws {
        try Gateway.serving { gateway in
            try gateway.withMaster { _ in
                let below = LiveProcess.descendants(of: gateway.process.pid)
                let frontend = try #require(below.first { $0.name == "postern-fronten" })
                let status = try #require(LiveProcess(frontend.parent)).status
                // KILL, SETGID, SETUID, SETPCAP, SYS_ADMIN (capabilities(7)).
                #expect(status["CapEff"] == (isRoot ? "00000000002001e0" : "0000000000000000"))
                // What is not dumpable belongs to root in /proc.
                let owner = try FileManager.default.attributesOfItem(atPath: "/proc/\(frontend.parent)/environ")[.ownerAccountID] as? Int
                #expect(owner == 0)
            }
        }
    }
}
