import Policy
import Testing

@Suite("DESIGN §4.1: decisions") struct DecisionTests {
    static func decide(
        _ line: String, _ commands: [Command], environment: [EnvironmentEntry] = [], session: Session = Sample.session()
    ) -> Verdict {
        Decision.decide(.exec(bytes(line)), environment: environment, in: session, commands: commands)
    }

    static func launch(_ verdict: Verdict) throws -> Launch {
        var launch: Launch?
        if case .run(let found) = verdict { launch = found }
        return try #require(launch, "\(verdict)")
    }

    static func refusal(_ verdict: Verdict) throws -> Refusal {
        var refusal: Refusal?
        if case .refuse(let found) = verdict { refusal = found }
        return try #require(refusal, "\(verdict)")
    }

    // What runs.

    static let runs: [(line: String, argv: [String])] = [
        ("release v1.2.3", ["/srv/app/bin/release", "--tag=v1.2.3"]),
        ("release 'v1.2.3' --dry-run", ["/srv/app/bin/release", "--tag=v1.2.3", "--dry-run"]),
        ("put a b c", ["/bin/put", "a", "b", "c", "--"]), ("log", ["/bin/log"]), ("log 5", ["/bin/log", "-n5"]),
        ("log 5 main", ["/bin/log", "-n5", "main"]), ("log main", ["/bin/log", "main"]), ("show a/b", ["/bin/show", "/srv/data/a/b"]),
        ("level 7", ["/bin/low"]), ("level 70", ["/bin/high"]), ("say 'hello world'", ["/bin/say"]),
    ]

    static func commands() throws -> [Command] {
        [
            try Sample.release(),
            try Sample.command("put", "put <file>...", run: [RunWord([.literal("/bin/put")]), RunWord([.values("file")]), RunWord([.literal("--")])]),
            try Sample.command(
                "log", "log [<count>] [<ref>]",
                run: [RunWord([.literal("/bin/log")]), RunWord([.literal("-n"), .value("count")]), RunWord([.value("ref")])],
                arguments: ["count": .integer(from: 1, through: 99), "ref": .named("gitref")]),
            try Sample.command(
                "show", "show <path>", run: [RunWord([.literal("/bin/show")]), RunWord([.value("path")])],
                arguments: ["path": .path(beneath: "/srv/data")]),
            try Sample.command("low", "level <n>", arguments: ["n": .integer(from: 0, through: 9)]),
            try Sample.command("high", "level <n>", arguments: ["n": .integer(from: 0, through: 99)]),
            try Sample.command("say", "say 'hello world'"), try Sample.command("other", "other", login: "git"),
        ]
    }

    @Test(arguments: runs) func `runs the first command whose whole line matches`(line: String, argv: [String]) throws {
        #expect(try Self.launch(Self.decide(line, Self.commands())).argv == argv)
    }

    @Test func `an optional part is left out where the rest needs the word`() throws {
        let command = try Sample.command(
            "c", "c [<a>] <b> [x] [x2] <d>", run: [RunWord([.literal("/c")]), RunWord([.value("a")]), RunWord([.value("b")]), RunWord([.flag("x")]), RunWord([.value("d")])])
        #expect(try Self.launch(Self.decide("c 1 2", [command])).argv == ["/c", "1", "2"])
        #expect(try Self.launch(Self.decide("c 1 2 3", [command])).argv == ["/c", "1", "2", "3"])
        #expect(try Self.launch(Self.decide("c 1 x", [command])).argv == ["/c", "1", "x"])
        #expect(try Self.launch(Self.decide("c 1 x x", [command])).argv == ["/c", "1", "x", "x"])
        #expect(try Self.launch(Self.decide("c 1 2 x x2 3", [command])).argv == ["/c", "1", "2", "x", "3"])
    }

    @Test func `a usage of many optional parts is refused quickly`() throws {
        let parts = (0..<60).map { "[<a\($0)>]" }.joined(separator: " ")
        let command = try Sample.command("c", "c \(parts) end")
        _ = try Self.refusal(Self.decide("c" + String(repeating: " x", count: 59), [command]))
    }

    @Test func `the environment is complete, and nothing else`() throws {
        let sent = [
            EnvironmentEntry(name: "DEPLOY_NOTE", value: "first"), EnvironmentEntry(name: "LANG", value: "C"), EnvironmentEntry(name: "DEPLOY_NOTE", value: "a note"),
            EnvironmentEntry(name: "DEPLOY_NOTE", value: "a/b"), EnvironmentEntry(name: "LD_PRELOAD", value: "x"),
        ]
        let launch = try Self.launch(Self.decide("release v1.2.3", [Sample.release()], environment: sent))
        #expect(
            launch.environment.map { "\($0.name)=\($0.value)" } == [
                "PATH=/usr/bin:/bin", "HOME=/home/deploy", "USER=deploy", "LOGNAME=deploy", "SHELL=/bin/sh", "LANG=de_DE.UTF-8",
                "SSH_CONNECTION=192.0.2.7 40001 192.0.2.1 22", "SSH_CLIENT=192.0.2.7 40001 22", "POSTERN_KEY=alice",
                "POSTERN_FINGERPRINT=SHA256:abc", "POSTERN_COMMAND=release", "POSTERN_REQUEST=7f3a09c2", "STAGE=live", "DEPLOY_NOTE=a note",
            ])
        #expect(launch.directory == "/srv/app")
        #expect(launch.command.name == "release")
        #expect(try Self.launch(Self.decide("put a", Self.commands())).directory == "/home/deploy")
    }

    @Test func `a usage of a star passes the line on, unparsed`() throws {
        let command = try Sample.command("wrapper", "*")
        for line in ["a; b $(c) 'd", "help me", "A=1 b\nc", ""] {
            let launch = try Self.launch(Self.decide(line, [command]))
            #expect(launch.argv == ["/bin/wrapper"])
            #expect(launch.environment.first { $0.name == "SSH_ORIGINAL_COMMAND" }?.value == line)
        }
        #expect(try Self.launch(Self.decide("release v1.2.3", [Sample.release(), command])).environment.allSatisfy { $0.name != "SSH_ORIGINAL_COMMAND" })
        let refusal = try Self.refusal(Self.decide("a\0b", [command]))
        #expect(refusal.reason == .syntax(CommandLineError(.nul, at: 1), line: bytes("a\0b")))
    }

    @Test func `a subsystem is started by its name`() throws {
        var command = try Sample.command("sftp-admin", nil, run: [RunWord([.literal("/usr/lib/openssh/sftp-server")])])
        command.subsystem = "sftp"
        let session = Sample.session()
        let verdict = Decision.decide(.subsystem("sftp"), environment: [], in: session, commands: [try Sample.release(), command])
        #expect(try Self.launch(verdict).argv == ["/usr/lib/openssh/sftp-server"])
        let refusal = try Self.refusal(Decision.decide(.subsystem("x\u{1b}"), environment: [], in: session, commands: [command]))
        #expect(refusal.reason == .unknownSubsystem("x\u{1b}"))
        #expect(
            refusal.text(for: session) == """
                postern: "x\\x1b" is not one of your subsystems
                  you are alice, here as deploy; you may run:
                    subsystem sftp
                  request 7f3a09c2

                """)
        _ = try Self.refusal(Self.decide("sftp-admin", [command]))
    }

    @Test(arguments: [
        "LD_PRELOAD", "BASH_ENV", "ENV", "SHELLOPTS", "IFS", "PATH", "HOME", "PERL5LIB", "PERLLIB", "PYTHONPATH", "RUBYOPT", "NODE_OPTIONS", "GCONV_PATH",
        "LOCPATH", "SSH_CONNECTION", "SSH_ORIGINAL_COMMAND", "POSTERN_KEY", "GIT_DIR", "GIT_PROTOCOL_FROM_USER", "USER", "TMPDIR", "A-B", "", "1A", "BASH_FUNC_x%%", "é", "A=B",
    ]) func `can never be accepted from a client`(name: String) throws {
        #expect(!CommandEnvironment.mayAccept(name))
        var command = try Sample.command("c", "c")
        command.acceptEnvironment = [name: try Matcher(".*")]
        let launch = try Self.launch(Self.decide("c", [command], environment: [EnvironmentEntry(name: name, value: "forged")]))
        #expect(!launch.environment.contains { $0.value == "forged" })
    }

    @Test(arguments: ["LANG", "LC_ALL", "TERM", "GIT_PROTOCOL", "DEPLOY_NOTE", "_x", "HOMEPAGE", "TZ"]) func `can be accepted from a client`(name: String) {
        #expect(CommandEnvironment.mayAccept(name))
    }

    @Test func `no control character comes through the environment`() throws {
        var command = try Sample.command("c", "c")
        command.acceptEnvironment = ["NOTE": try Matcher(#"[\s\S]*"#)]
        for (value, isAccepted) in [("a\nb", false), ("a\u{1b}", false), ("a\0", false), (String(repeating: "a", count: 4097), false), (String(repeating: "a", count: 4096), true), ("a\té", true)] {
            let launch = try Self.launch(Self.decide("c", [command], environment: [EnvironmentEntry(name: "NOTE", value: value)]))
            #expect(launch.environment.contains { $0.name == "NOTE" } == isAccepted)
        }
    }

    // Who may enter.

    @Test func `a key enters where it is valid, from where it may, under a login it has`() throws {
        var key = Sample.key()
        key.notBefore = 100
        key.expires = 200
        key.from = [try AddressPattern(parsing: "192.0.2.0/24"), try AddressPattern(parsing: "!192.0.2.13")]
        let commands = [try Sample.release()]
        let cases: [(login: String, peer: String, now: Int64, refusal: EntryRefusal?)] = [
            ("deploy", "192.0.2.7", 100, nil), ("deploy", "192.0.2.7", 199, nil), ("deploy", "::ffff:192.0.2.7", 150, nil),
            ("deploy", "192.0.2.7", 99, .notYetValid), ("deploy", "192.0.2.7", 200, .expired), ("deploy", "192.0.2.13", 150, .wrongAddress),
            ("deploy", "UNKNOWN", 150, .wrongAddress), ("root", "192.0.2.7", 150, .noCommandUnderLogin), ("", "192.0.2.7", 150, .noCommandUnderLogin),
        ]
        for entry in cases {
            #expect(Decision.entryRefusal(key: key, login: entry.login, from: entry.peer, now: entry.now, commands: commands) == entry.refusal)
            #expect(Decision.mayEnter(key: key, login: entry.login, from: entry.peer, now: entry.now, commands: commands) == (entry.refusal == nil))
        }
        #expect(!Decision.mayEnter(key: Sample.key(), login: "deploy", from: "192.0.2.7", now: 0, commands: []))
    }

    @Test func `a key that expired since it entered starts nothing and is told nothing`() throws {
        var key = Sample.key()
        key.expires = 100
        let session = Sample.session(key: key, now: 100)
        for request in [Request.exec(bytes("release v1.2.3")), .shell, .subsystem("sftp"), .exec(bytes("help"))] {
            let refusal = try Self.refusal(Decision.decide(request, environment: [], in: session, commands: [try Sample.release()]))
            #expect(refusal.reason == .entry(.expired))
            #expect(refusal.text(for: session) == "postern: your key opens nothing here now\n  request 7f3a09c2\n")
        }
    }

    // What is said.

    static let listing = """
          you are alice, here as deploy; you may run:
            release <tag> [--dry-run]    deploy a tagged release
          request 7f3a09c2

        """

    static let refusals: [(line: String, reason: String, text: String)] = [
        ("rm -rf /", "not-a-command", "postern: \"rm -rf /\" is not one of your commands\n"),
        ("", "syntax", "postern: there is no command in the line\n    \n    ^\n"),
        (
            "release v1", "wrong-argument",
            """
            postern: <tag> cannot be "v1"; it must be text that matches v[0-9]+\\.[0-9]+\\.[0-9]+
                release v1
                        ^~

            """
        ),
        (
            "  release   'v1 \u{202e}'  --dry-run", "wrong-argument",
            """
            postern: <tag> cannot be "v1 \\u{202e}"; it must be text that matches v[0-9]+\\.[0-9]+\\.[0-9]+
                  release   'v1 \\u{202e}'  --dry-run
                            ^~~~~~~~~~~~~

            """
        ),
        (
            "release", "missing-argument",
            """
            postern: <tag> is missing; it must be text that matches v[0-9]+\\.[0-9]+\\.[0-9]+
                release
                       ^

            """
        ),
        (
            "release v1.2.3 --dry", "unexpected-word",
            """
            postern: "--dry" is not expected here
                release v1.2.3 --dry
                               ^~~~~

            """
        ),
        (
            "release v1.2.3 --dry-run --dry-run", "unexpected-word",
            """
            postern: "--dry-run" is not expected here
                release v1.2.3 --dry-run --dry-run
                                         ^~~~~~~~~

            """
        ),
        (
            "release v1.2.3; id", "syntax",
            """
            postern: ";" would start another command; one runs here, without a shell; quote it if you mean it
                release v1.2.3; id
                              ^

            """
        ),
        ("other", "not-a-command", "postern: \"other\" is not one of your commands\n"),
        ("help me", "not-a-command", "postern: \"help me\" is not one of your commands\n"),
        ("Release v1.2.3", "not-a-command", "postern: \"Release v1.2.3\" is not one of your commands\n"),
        (String(repeating: "x", count: 500), "not-a-command", "postern: \"\(String(repeating: "x", count: 120))…\" is not one of your commands\n"),
    ]

    @Test(arguments: refusals) func `a refusal says why, and what may be run instead`(line: String, reason: String, text: String) throws {
        let commands = [try Sample.release(), try Sample.command("other", "other", login: "git")]
        let refusal = try Self.refusal(Self.decide(line, commands))
        #expect(refusal.reason.description == reason)
        #expect(refusal.text(for: Sample.session()) == text + Self.listing)
    }

    @Test func `the command that fitted longest explains`() throws {
        let commands = [
            try Sample.command("start", "app start <n>", arguments: ["n": .integer(from: 1, through: 9)]),
            try Sample.command("stop", "app stop <mode> <n>", arguments: ["mode": .oneOf(["now", "soon"]), "n": .integer(from: 1, through: 9)]),
            try Sample.command("halt", "app stop <mode>", arguments: ["mode": .oneOf(["later"])]),
        ]
        let cases: [(String, String)] = [
            ("app stop soon 12", "<n> cannot be \"12\"; it must be an integer from 1 to 9"), ("app stop x", "<mode> cannot be \"x\"; it must be one of: now, soon"),
            ("app start", "<n> is missing; it must be an integer from 1 to 9"), ("app restart 1", "\"app restart 1\" is not one of your commands"), ("app", "\"app\" is not one of your commands"),
            ("app stop later 1", "\"1\" is not expected here"),
        ]
        for (line, first) in cases {
            let refusal = try Self.refusal(Self.decide(line, commands))
            #expect(refusal.text(for: Sample.session()).hasPrefix("postern: \(first)\n"), "\(refusal.text(for: Sample.session()))")
        }
    }

    @Test func `a literal is compared byte for byte`() throws {
        let command = try Sample.command("c", "é")
        _ = try Self.refusal(Self.decide("e\u{301}", [command]))
        _ = try Self.launch(Self.decide("\u{e9}", [command]))
    }

    @Test func `a forced line is the only one, byte for byte, and asks for no more than the policy has`() throws {
        var session = Sample.session()
        session.forcedLine = bytes("release v1.2.3")
        let commands = [try Sample.release(), try Sample.command("x", "x")]
        _ = try Self.launch(Self.decide("release v1.2.3", commands, session: session))
        for line in ["release v1.2.4", "release  v1.2.3", "release 'v1.2.3'", "x", "help", ""] {
            let refusal = try Self.refusal(Self.decide(line, commands, session: session))
            #expect(refusal.reason == .otherThanForced(bytes("release v1.2.3")), "\(line)")
            #expect(refusal.text(for: session) == "postern: your certificate is for \"release v1.2.3\" only\n  request 7f3a09c2\n")
        }
        for request in [Request.shell, .subsystem("sftp")] {
            let verdict = Decision.decide(request, environment: [], in: session, commands: commands)
            #expect(try Self.refusal(verdict).reason == .otherThanForced(bytes("release v1.2.3")))
        }
        session.forcedLine = bytes("rm -rf /")
        #expect(try Self.refusal(Self.decide("rm -rf /", commands, session: session)).reason == .notACommand(bytes("rm -rf /")))
    }

    @Test func `principals open their commands in the policy's order, each once`() {
        let authority = CertificateAuthority(
            name: "staff", fingerprint: [UInt8](repeating: 1, count: 32),
            principals: [.init(name: "a", may: [2, 0]), .init(name: "b", may: [0, 1]), .init(name: "é", may: [3])], position: Sample.position)
        #expect(authority.commands(of: ["b", "a"]) == [2, 0, 1])
        #expect(authority.commands(of: ["b", "b", "c"]) == [0, 1])
        #expect(authority.commands(of: []) == [])
        #expect(authority.commands(of: ["A", "a ", "", "e\u{301}"]) == [])
    }

    @Test func `what is revoked is kept in order, once`() {
        let revoked = Revocations(
            digests: [[2], [1], [2]], serials: [(0, 5...9), (1, 1...1), (0, 1...3), (0, 2...5), (0, 20...20)].map { .init(authority: $0, range: $1) })
        #expect(revoked.digests == [[1], [2]])
        #expect(revoked.serials.map(\.range) == [1...9, 20...20, 1...1])
    }

    // Help.

    @Test func `a shell request and help say who you are and what you may run`() throws {
        let commands = [try Sample.release(), try Sample.command("x", "x"), try Sample.command("any", "*"), try Sample.command("other", "other", login: "git")]
        let text = """
            you are alice, here as deploy; you may run:
              release <tag> [--dry-run]    deploy a tagged release
              x
              (any command line)

            """
        #expect(Decision.decide(.shell, environment: [], in: Sample.session(), commands: commands) == .print(text: text, status: 0))
        #expect(Self.decide(" 'help' ", commands) == .print(text: text, status: 0))
    }

    @Test func `help as JSON has names, usages, types and limits`() throws {
        let commands = [try Sample.release(), try Self.commands()[2]]
        let text =
            #"{"key":"alice","login":"deploy","commands":[{"name":"release","summary":"deploy a tagged release","#
            + #""usage":"release <tag> [--dry-run]","subsystem":null,"git":null,"drop":null,"rsync":null,"arguments":[{"name":"tag","required":true,"repeated":false,"#
            + #""type":"match","match":"v[0-9]+\\.[0-9]+\\.[0-9]+"}],"limits":{"timeout_seconds":600,"output_bytes":67108864,"stdin":true,"signals":["TERM","INT"],"#
            + #""environment":["DEPLOY_NOTE"]}},{"name":"log","summary":"","usage":"log [<count>] [<ref>]","subsystem":null,"git":null,"drop":null,"rsync":null,"#
            + #""arguments":[{"name":"count","required":false,"repeated":false,"type":"integer","integer":[1,99]},"#
            + #"{"name":"ref","required":false,"repeated":false,"type":"gitref"}],"limits":{"timeout_seconds":null,"output_bytes":null,"stdin":true,"#
            + #""signals":[],"environment":[]}}],"limits":{"line_bytes":65536,"words":256}}"# + "\n"
        #expect(Self.decide("help --json", commands) == .print(text: text, status: 0))
    }
}
