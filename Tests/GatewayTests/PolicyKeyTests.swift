import Foundation
import Linux
import Testing

@Suite("DESIGN §3.2: usage and args, through a client") struct ArgumentTypeTests {
    /// A type, values that it takes and values that it refuses, as a client writes them.
    private static let types: [(type: String, accepted: [String], refused: [String])] = [
        ("type = 'word'", ["a", "A_@%+=:,./-9"], ["'a b'", "ü", "''", "-x", "'a;b'"]), ("one_of = ['live', 'test 1']", ["live", "'test 1'"], ["Live", "'live '", "liv", "''"]),
        ("integer = [1, 99]", ["1", "99"], ["0", "100", "01", "+1", "1.0", "99999999999999999999"]),
        ("type = 'semver'", ["1.2.3", "1.2.3-rc.1+b"], ["v1.2.3", "1.2", "01.2.3"]), ("type = 'gitref'", ["main", "refs/tags/v1"], ["a..b", "'a b'", "main.lock", "'a~1'"]),
        ("type = 'hex'", ["c0ffee", "C0"], ["g", "0x1", "''"]), ("match = 'v[0-9]+'", ["v1"], ["v", "v1x", "xv1", "V1"]), ("match = '-?[a-z ]*'", ["-x", "'a b'", "''"], ["--x"]),
    ]

    @Test func `each type takes its values and refuses all others, with the caret under them`() throws {
        let commands = Self.types.enumerated().map { index, given in
            TestPolicy.command("t\(index)", usage: "t\(index) <v>", run: ["/usr/bin/printf", "%s", "<v>"], lines: "args = { v = { \(given.type) } }")
        }
        let policy = TestPolicy(keys: [.init(name: "alice", lines: "may = [\(Self.types.indices.map { "'t\($0)'" }.joined(separator: ", "))]")], commands: commands.joined())
        try Gateway.serving(policy) { gateway in
            for (index, given) in Self.types.enumerated() {
                for value in given.accepted {
                    let outcome = try gateway.ssh("t\(index) \(value)")
                    #expect(outcome.code == 0 && outcome.output == value.replacing("'", with: ""), "\(given.type): \(outcome)")
                }
                for value in given.refused {
                    let outcome = try gateway.ssh("t\(index) \(value)")
                    let lines = outcome.errors.split(separator: "\n").map(String.init)
                    #expect(outcome.code == 126 && outcome.errors.hasPrefix("postern: <v> cannot be \""), "\(given.type): \(outcome)")
                    #expect(lines.count > 2 && lines[2].hasPrefix("       ^") && lines[2].count == 7 + value.count, "\(given.type): \(outcome)")
                }
            }
        }
    }

    @Test func `literals, what is optional, and values inside of words`() throws {
        let form = TestPolicy.command(
            "form", usage: "form 'two words' <a> [--flag] [<b>]", run: ["/usr/bin/printf", "%s,", "<a>", "[--flag]", "x<b>y"], lines: "args = { b = { type = 'hex' } }")
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['form']")], commands: form)) { gateway in
            let right = [
                ("form 'two words' A", "A,"), ("form \"two words\" A --flag", "A,--flag,"), (#"form two\ words A --flag b"#, "A,--flag,xby,"), ("form 'two words' A b", "A,xby,"),
            ]
            for (line, output) in right { #expect(try gateway.ssh(line).output == output, "\(line)") }
            for line in ["form two words A", "form 'two words'", "form 'two words' A b --flag", "form 'two words' A --flag b b", "FORM 'two words' A"] {
                let outcome = try gateway.ssh(line)
                #expect(outcome.code == 126 && outcome.output.isEmpty, "\(line): \(outcome)")
            }
        }
    }
}

@Suite("DESIGN §3.1: keys, groups and files, through a client") struct KeySourceTests {
    @Test func `a key of several public keys, a group's file, and a directory of files`() throws {
        var policy = TestPolicy(signers: ["one", "two", "friend"], more: "[key.both]\npublic = ['$KEY(one)', '$KEY(two)']\nmay = ['sh']\n")
        try Gateway.serving(policy) { gateway in
            let directory = gateway.directory
            let name = { (key: String) in try gateway.ssh(Gateway.line("echo $POSTERN_KEY"), key: key).output }
            #expect(try [name("one"), name("two"), name("friend")] == ["both\n", "both\n", ""])
            let friend = try String(contentsOfFile: "\(directory)/friend.pub", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
            try "# friends\n\n\(friend) a.friend\n".write(toFile: "\(directory)/friends", atomically: false, encoding: .utf8)
            policy.more = "[group.friends]\nkeys = 'friends'\nmay = ['sh']\n"
            try gateway.apply(policy)
            #expect(try [name("one"), name("friend")] == ["", "a.friend\n"])

            let text = try policy.text(directory: directory, user: gateway.user.name)
            let start = try #require(text.firstRange(of: "[command.sh]")).lowerBound
            try makeDirectory("\(directory)/policy.d", mode: 0o755)
            try String(text[..<start]).replacing("'friends'", with: "'../friends'").write(toFile: "\(directory)/policy.d/keys.toml", atomically: false, encoding: .utf8)
            try ("version = 1\n" + text[start...].replacing("[\"/bin/sh\"", with: "[\"/bin/dash\"")).write(
                toFile: "\(directory)/policy.d/commands.toml", atomically: false, encoding: .utf8)
            try "no toml".write(toFile: "\(directory)/policy.d/README", atomically: false, encoding: .utf8)
            let applied = try run([try Gateway.program("postern"), "apply", "\(directory)/policy.d", "-o", "\(directory)/policy.db"])
            #expect(applied.code == 0, "\(applied)")
            #expect(try name("friend") == "a.friend\n")
        }
    }

    @Test func `a subsystem is a program, by its name only`() throws {
        let commands = """
            [command.files]
            as = "$USER"
            subsystem = "sftp"
            run = ["/usr/lib/openssh/sftp-server", "-R"]
            directory = "/"
            \(isRoot ? "" : "sandbox = 'shared'")
            [command.date]
            as = "$USER"
            subsystem = "date@example.com"
            run = ["/bin/echo", "today"]
            directory = "/"
            \(isRoot ? "" : "sandbox = 'shared'")

            """
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['files', 'date']")], commands: commands)) { gateway in
            let date = try run(gateway.sshCommand([], options: ["-s"]) + ["date@example.com"])
            #expect(date.code == 0 && date.output == "today\n", "\(date)")
            let listed = try run(
                ["/usr/bin/sftp", "-q", "-F", "\(gateway.directory)/ssh_config", "-i", "\(gateway.directory)/alice", "-b", "-", "\(gateway.user.name)@gateway"],
                input: .bytes(Array("ls -1 /usr/lib/openssh/sftp-server\n".utf8)))
            #expect(listed.code == 0 && listed.output.contains("/usr/lib/openssh/sftp-server"), "\(listed)")
            let refused = try gateway.ssh("date@example.com")
            #expect(refused.code == 126 && refused.output.isEmpty, "\(refused)")
        }
    }
}

@Suite("DESIGN §3.4: sandboxes, through a client") struct SandboxKeyTests {
    private static func policy(_ lines: String, more: String = "") -> TestPolicy {
        let processes = isRoot || lines.contains("processes") ? "" : "processes = 1000\n"
        return TestPolicy(
            commands: TestPolicy.command(
                "sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"], lines: "args = { script = { match = '.*' } }\nsandbox = 'own'")
                + "[sandbox.own]\nbase = 'middle'\n\(lines)\n[sandbox.middle]\nbase = 'tool'\n\(processes)\(more)\n")
    }

    @Test func `limits are the command's, and hold`() throws {
        let lines = "processes = 777\nmemory = '96MiB'\ncpu = '1s'\nopen_files = 33\nfile_size = '1MiB'"
        try Gateway.serving(Self.policy(lines)) { gateway in
            // In blocks of 512 bytes, seconds, KiB.
            #expect(try gateway.script("ulimit -n; ulimit -f; ulimit -t; ulimit -p; ulimit -d").output == "33\n2048\n1\n777\n98304\n")
            let big = try gateway.script("head -c 3000000 /dev/zero >$TMPDIR/f; stat -c %s $TMPDIR/f")
            #expect(big.output == "1048576\n", "\(big)")
            #expect(try gateway.script("dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null || echo no room").output == "no room\n")
            let endless = try gateway.script("while :; do :; done")
            #expect(endless.code != 0, "\(endless)")
        }
    }

    @Test func `read, write and execute name what is there, and each of them what its base names too`() throws {
        let lines = "write = ['$DIRECTORY/write']\nexecute = ['$DIRECTORY/execute']"
        var policy = Self.policy("", more: "read = ['$DIRECTORY/read']")
        try Gateway.serving(policy) { gateway in
            let directory = gateway.directory
            for name in ["read", "write", "execute"] {
                try makeDirectory("\(directory)/\(name)", mode: 0o777)
                try "#!/bin/sh\necho ran\n".write(toFile: "\(directory)/\(name)/x", atomically: false, encoding: .utf8)
                #expect(chmod("\(directory)/\(name)", 0o777) == 0 && chmod("\(directory)/\(name)/x", 0o777) == 0)
            }
            policy.commands = policy.commands.replacing("base = 'middle'\n", with: "base = 'middle'\n\(lines)\n")
            try gateway.apply(policy)
            let script = ["read", "write", "execute"].map { name in
                let file = "\(directory)/\(name)/x"
                return "(cat \(file) >/dev/null && echo \(name) r; echo >>\(file) && echo \(name) w; \(file)) 2>/dev/null"
            }
            let outcome = try gateway.script(script.joined(separator: "; "))
            #expect(outcome.output == "read r\nwrite r\nwrite w\nexecute r\nran\n", "\(outcome)")
        }
    }

    @Test func `syscalls are allowed and denied by name and group`() throws {
        // munlockall(2) is in @memlock, and nobody's script needs it.
        let unlock = "perl -e 'exit(syscall(152) == 0 ? 0 : 1)' && echo unlocked"
        try Gateway.serving(Self.policy("")) { gateway in
            #expect(try gateway.script(unlock).output == "")
            #expect(try gateway.script("mkdir $TMPDIR/d && echo made").output == "made\n")
            try gateway.apply(Self.policy("syscalls = { allow = ['@memlock'], deny = ['mkdir', 'mkdirat'] }"))
            #expect(try gateway.script(unlock).output == "unlocked\n")
            let refused = try gateway.script("mkdir $TMPDIR/d && echo made")
            #expect(refused.output.isEmpty && refused.errors.contains("postern: ") && refused.errors.contains("mkdir"), "\(refused)")
        }
    }

    @Test func `network is none, sockets in files, the ports that are named, or any`() throws {
        try Gateway.serving(Self.policy("")) { gateway in
            let path = "\(gateway.directory)/socket"
            let server = try RunningProgram(["/usr/bin/socat", "UNIX-LISTEN:\(path),fork,mode=777", "SYSTEM:echo file"])
            #expect(try becomesTrue(within: .seconds(10)) { FileManager.default.fileExists(atPath: path) })
            let script = "socat -u UNIX-CONNECT:\(path) - 2>/dev/null; socat -u TCP4:127.0.0.1:\(gateway.port),readbytes=8 - 2>/dev/null"
            let ports = "read = ['$DIRECTORY']\nnetwork = ['tcp:\(gateway.port)', 'dns']"
            let other = "read = ['$DIRECTORY']\nnetwork = ['tcp:\(gateway.port ^ 1)']"
            let cases = [
                ("network = 'none'", ""), ("write = ['$DIRECTORY']\nnetwork = 'unix'\nallow_warnings = ['wide-network']", "file\n"),
                ("write = ['$DIRECTORY']\nnetwork = 'any'\nallow_warnings = ['wide-network']", "file\nSSH-2.0-"), (ports, "SSH-2.0-"), (other, ""),
            ]
            for (lines, output) in cases {
                try gateway.apply(Self.policy(lines))
                let outcome = try gateway.script(script)
                // Landlock knows ports from Linux 6.7 on.
                let isTooOld = lines.contains("tcp:") && outcome.code == 125
                #expect(outcome.output == output || isTooOld && outcome.errors.contains("Landlock ABI 4"), "\(lines): \(outcome)")
            }
            try server.kill()
        }
    }
}
