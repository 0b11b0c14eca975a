import Foundation
import Linux
import Testing

/// The commands of DESIGN §4.1's example.
private let deployment = TestPolicy(
    keys: [.init(name: "alice", lines: "may = ['release']")],
    commands: TestPolicy.command(
        "release", usage: "release <tag> [--dry-run]", run: ["/bin/echo", "<tag>", "[--dry-run]"],
        lines: """
            login = "deploy"
            summary = "deploy a tagged release"
            args = { tag = { match = 'v[0-9]+\\.[0-9]+\\.[0-9]+' } }
            """))

@Suite("DESIGN §4.1: a refused command says why") struct RefusedCommandTests {
    private static let rows = "release <tag> [--dry-run]    deploy a tagged release"

    /// What is asked, and what is said between "postern: " and who the client is.
    static let refused = [
        ("rm -rf /", #""rm -rf /" is not one of your commands"#),
        (
            "release x1",
            #"<tag> cannot be "x1"; it must be text that matches v[0-9]+\.[0-9]+\.[0-9]+"# + "\n    release x1\n            ^~"
        ),
        ("release v1.2.3 --wet", #""--wet" is not expected here"# + "\n    release v1.2.3 --wet\n                   ^~~~~"),
        (
            "release v1.2.3; id",
            #"";" would start another command; one runs here, without a shell; quote it if you mean it"#
                + "\n    release v1.2.3; id\n                  ^"
        ),
    ]

    @Test(arguments: refused) func `with exit status 126, on standard error`(line: String, text: String) throws {
        try Gateway.serving(deployment) { gateway in
            let outcome = try gateway.ssh(line, login: "deploy")
            let request = try gateway.record("decision")["request"]
            #expect(outcome.errors == "postern: \(text)\n  you are alice, here as deploy; you may run:\n    \(Self.rows)\n  request \(request)\n")
            #expect(outcome.output.isEmpty)
            #expect(outcome.code == 126)
            #expect(try gateway.record("decision")["verdict"] == "refuse")
            _ = try gateway.record("disconnect")
            #expect(try gateway.records("finished").isEmpty)
        }
    }

    @Test func `what is granted runs with its arguments`() throws {
        try Gateway.serving(deployment) { gateway in
            let whole = try gateway.ssh("release", "v1.2.3", "--dry-run", login: "deploy")
            let quoted = try gateway.ssh("release 'v1.2.3'", login: "deploy")
            #expect(whole.output == "v1.2.3 --dry-run\n")
            #expect(quoted.output == "v1.2.3\n")
        }
    }

    @Test func `T20: a shell, and help, say what may be run`() throws {
        try Gateway.serving(deployment) { gateway in
            for line in [[], ["help"]] {
                let outcome = try run(gateway.sshCommand(line, login: "deploy"))
                #expect(outcome.output == "you are alice, here as deploy; you may run:\n  \(Self.rows)\n")
                #expect(outcome.errors.isEmpty)
                #expect(outcome.code == 0)
            }
        }
    }

    @Test func `help --json is JSON`() throws {
        try Gateway.serving(deployment) { gateway in
            let outcome = try gateway.ssh("help --json", login: "deploy")
            let help = try #require(try JSONSerialization.jsonObject(with: Data(outcome.outputBytes)) as? [String: Any])
            let commands = try #require(help["commands"] as? [[String: Any]])
            #expect(commands.map { $0["name"] as? String } == ["release"])
            #expect(commands.map { $0["usage"] as? String } == ["release <tag> [--dry-run]"])
            #expect(outcome.code == 0)
        }
    }

    @Test func `help that is too long for an answer is no end of the connection`() throws {
        let names = (0..<222).map { "c\($0)" }
        let summary = String(repeating: "x", count: 180)
        var policy = TestPolicy(keys: [.init(name: "alice", lines: "may = \(names)")])
        policy.commands = names.map { TestPolicy.command($0, usage: "\($0) <a>", run: ["/bin/true", "<a>"], lines: "summary = '\(summary)'") }.joined()
        try Gateway.serving(policy) { gateway in
            let outcome = try gateway.ssh("help --json")
            #expect(outcome.code == 125 && outcome.output.isEmpty, "\(outcome)")
            #expect(outcome.errors.hasPrefix("postern: the answer has ") && outcome.errors.hasSuffix(" bytes, and 98304 is the most\n"), "\(outcome)")
            #expect(try gateway.ssh("help").code == 0)
        }
    }

    @Test func `T20: a pty, forwarding and an unknown subsystem are refused, and the connection goes on`() throws {
        try Gateway.serving { gateway in
            let terminal = try gateway.ssh(Gateway.line("echo ran"), options: ["-tt"])
            #expect(terminal.errors.contains("PTY allocation request failed"))
            let forwarded = try gateway.ssh(Gateway.line("echo ran"), options: ["-R", "0:127.0.0.1:1", "-A", "-o", "ExitOnForwardFailure=no", "-o", "LogLevel=INFO"])
            #expect(forwarded.errors.contains("remote port forwarding failed"))
            #expect(forwarded.output == "ran\n")
            let sftp = try gateway.ssh("sftp", options: ["-s"])
            #expect(sftp.errors.hasPrefix(#"postern: "sftp" is not one of your subsystems"#))
            #expect(sftp.code == 126)
            let tunnel = try run(gateway.sshCommand([], options: ["-W", "127.0.0.1:\(gateway.port)"]))
            #expect(tunnel.code == 255)
            #expect(tunnel.output.isEmpty)
        }
    }
}

@Suite("DESIGN §4.1: the gateway's own exit statuses") struct OwnStatusTests {
    private static func policy(_ name: String, _ run: [String], _ lines: String) -> TestPolicy {
        TestPolicy(keys: [.init(name: "alice", lines: "may = ['\(name)']")], commands: TestPolicy.command(name, run: run, lines: lines))
    }

    @Test func `124: a timeout ends a tree that ignores TERM, and says so`() throws {
        let mark = "271\(UInt32.random(in: 100_000 ... .max))"
        let script = #"(setsid sh -c "trap : TERM; sleep \#(mark); :" &); trap : TERM; echo up; while :; do sleep \#(mark); done"#
        try Gateway.serving(Self.policy("late", ["/bin/sh", "-c", script], "timeout = '1s'")) { gateway in
            let outcome = try gateway.ssh("late")
            #expect(outcome.output == "up\n")
            #expect(outcome.errors.hasSuffix("postern: late was stopped: it ran longer than 1s\n"))
            #expect(outcome.code == 124)
            #expect(outcome.duration > .seconds(1) && outcome.duration < .seconds(6))
            #expect(try becomesTrue(within: .seconds(1)) { LiveProcess.having(argument: mark).isEmpty })
            #expect(try gateway.record("finished")["ended_by"] == "timeout")
        }
    }

    @Test func `127: the program is missing`() throws {
        try Gateway.serving(Self.policy("gone", ["/usr/bin/postern-no-such-program"], "")) { gateway in
            let outcome = try gateway.ssh("gone")
            #expect(outcome.errors.hasPrefix("postern: gone could not be started: its program is missing\n  request "))
            #expect(outcome.code == 127)
            #expect(try gateway.record("failed").number("status") == 127)
        }
    }

    @Test func `125: the step that failed is named`() throws {
        let commands = """
            [command.nowhere]
            as = "$USER"
            usage = "nowhere"
            run = ["/bin/true"]
            directory = "$DIRECTORY/missing"

            """
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['nowhere']")], commands: commands)) { gateway in
            let outcome = try gateway.ssh("nowhere")
            #expect(outcome.errors.hasPrefix("postern: nowhere could not be started: directory\n  request "))
            #expect(!outcome.errors.contains(gateway.directory), "the client learns no path")
            #expect(outcome.code == 125)
            #expect(try gateway.record("failed")["step"] == "directory")
        }
    }
}

@Suite("DESIGN §3.1: who may not enter cannot tell why") struct RefusedUserTests {
    /// Keys for every reason to be refused under the login of the test, and one that may enter.
    private static let policy = TestPolicy(
        keys: [
            .init(name: "alice", lines: #"may = ["sh"]"#), .init(name: "bob", lines: #"may = ["elsewhere"]"#),
            .init(name: "past", lines: "may = ['sh']\nexpires = 2020-01-01T00:00:00Z"),
            .init(name: "future", lines: "may = ['sh']\nnot_before = 2100-01-01T00:00:00Z"),
            .init(name: "afar", lines: "may = ['sh']\nfrom = ['192.0.2.0/24', '2001:db8::/32']"),
            .init(name: "barred", lines: "may = ['sh']\nfrom = ['127.0.0.0/8', '!127.0.0.1']"),
        ], commands: TestPolicy.shell + TestPolicy.command("elsewhere", run: ["/bin/true"], lines: "login = 'other'"))

    /// Who asks, under which name (`$USER` being the login of the test), and the reason in the log.
    static let refused = [
        ("stranger", "$USER", "unknown key"), ("stranger", "nobody-here", "unknown key"), ("alice", "nobody-here", "no command under this login"),
        ("alice", "other", "no command under this login"), ("bob", "$USER", "no command under this login"), ("past", "$USER", "expired"),
        ("future", "$USER", "not yet valid"), ("afar", "$USER", "wrong address"), ("barred", "$USER", "wrong address"),
    ]

    @Test func `T12: all look alike on the wire, and each has its reason in the log`() throws {
        try Gateway.serving(Self.policy) { gateway in
            try Gateway.makeKey("\(gateway.directory)/stranger")
            var seen: [String: [String]] = [:]
            for (key, login, reason) in Self.refused {
                let name = login.replacing("$USER", with: gateway.user.name)
                let (view, bytes) = try clientsView(gateway, key, name)
                seen["\(view)\n\(bytes) bytes", default: []].append("\(key) as \(login)")
                let record = try #require(try gateway.records("authentication").last)
                #expect(record["result"] == "refused" && record["reason"] == reason && record["login"] == name, "\(key) as \(login): \(record["reason"])")
            }
            #expect(seen.count == 1, "\(seen.map { "\($0.value)\n\($0.key)" }.joined(separator: "\n----\n"))")
            #expect(seen.keys.first?.contains("Permission denied (publickey).") == true)
            #expect(try gateway.script("echo in").output == "in\n")
        }
    }

    /// What `ssh -vvv` shows without what its own side puts in, and how many bytes came from the gateway.
    private func clientsView(_ gateway: Gateway, _ key: String, _ login: String) throws -> (String, Int) {
        let transcript = "\(gateway.directory)/transcript"
        let proxy = "ProxyCommand=/usr/bin/socat -R \(transcript) - TCP:127.0.0.1:\(gateway.port)"
        let outcome = try gateway.ssh("true", key: key, login: login, options: ["-vvv", "-o", "LogLevel=DEBUG3", "-o", proxy])
        #expect(outcome.code == 255)
        let bytes = try Data(contentsOf: URL(filePath: transcript)).count
        try FileManager.default.removeItem(atPath: transcript)
        let connection = try #require(try gateway.records("connect").last).connection
        let view = outcome.errors.replacing(login, with: "LOGIN").replacing("\(gateway.directory)/\(key)", with: "KEY").replacing(connection, with: "ID")
            .replacing(/SHA256:[A-Za-z0-9+\/]{43}/, with: "FINGERPRINT").replacing(/pid \d+|\[\d+\]/, with: "N")
        return (view, bytes)
    }

    @Test func `T11: passwords and questions are refused with the list "publickey"`() throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.ssh(
                "true", options: ["-o", "BatchMode=no", "-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive", "-v"])
            #expect(outcome.errors.contains("Authentications that can continue: publickey\r\n"))
            #expect(outcome.errors.contains("Permission denied (publickey)."))
            #expect(outcome.code == 255)
        }
    }

    @Test func `a key of another kind is told in a banner what to do`() throws {
        try Gateway.serving { gateway in
            // OpenSSH does not even offer an RSA key to who takes no signature of one (RFC 8308 §3.1).
            let made = try run(["/usr/bin/ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "\(gateway.directory)/other"])
            #expect(made.code == 0)
            let outcome = try gateway.ssh("true", key: "other", options: ["-o", "LogLevel=INFO"])
            #expect(outcome.errors.contains("ssh-keygen -t ed25519"), "\(outcome)")
            #expect(outcome.code == 255)
        }
    }

    @Test func `M7: the policy's banner comes before authentication`() throws {
        try Gateway.serving(.init(gateway: #"banner = "Authorised use only.""#)) { gateway in
            try Gateway.makeKey("\(gateway.directory)/stranger")
            let outcome = try gateway.ssh("true", key: "stranger", options: ["-o", "LogLevel=INFO"])
            #expect(outcome.errors.hasPrefix("Authorised use only."), "\(outcome)")
        }
    }
}
