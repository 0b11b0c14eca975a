import Foundation
import Linux
import Testing

/// By OpenSSH's client, in the sandbox that each has. Git is in GitTests and its kin: upload-pack, receive-pack, hooks.
@Suite("DESIGN §3.4: real programs live in their sandboxes") struct RealProgramTests {
    private static let commands =
        TestPolicy.shell
        + TestPolicy.command(
            "rsync", usage: "rsync --server [--sender] <flags> . <path>", run: ["/usr/bin/rsync", "--server", "[--sender]", "<flags>", ".", "<path>"],
            lines: "args = { flags = { match = '-[A-Za-z.]+' }, path = { one_of = ['$DIRECTORY/place/'] } }\nsandbox = 'place'")
        + TestPolicy.command("pack", run: ["/bin/tar", "-C", "$DIRECTORY/place", "-cf", "-", "."], lines: "sandbox = 'place'")
        + TestPolicy.command("unpack", run: ["/bin/tar", "-C", "$DIRECTORY/place", "-xpf", "-"], lines: "sandbox = 'place'")
        + TestPolicy.command("py", run: ["/usr/bin/python3", "$DIRECTORY/place/script.py"], lines: "sandbox = 'place'")
        + ["tool", "git-read", "git-write", "drop", "service"].map { name in
            TestPolicy.command("static-\(name)", run: ["/usr/sbin/ldconfig", "--version"], lines: "sandbox = 'roomy-\(name)'") + "[sandbox.roomy-\(name)]\nbase = '\(name)'\nprocesses = 1000\n\n"
        }.joined()
        + "[sandbox.place]\nbase = 'tool'\nwrite = ['$DIRECTORY/place']\nprocesses = 1000\n"

    private func serving(_ body: (Gateway) throws -> Void) throws {
        let may = ["sh", "rsync", "pack", "unpack", "py"] + ["tool", "git-read", "git-write", "drop", "service"].map { "static-\($0)" }
        let policy = TestPolicy(keys: [.init(name: "alice", lines: "may = [\(may.map { "'\($0)'" }.joined(separator: ", "))]")], commands: Self.commands) { directory in
            try makeDirectory("\(directory)/place", mode: 0o777)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: "\(directory)/place")
            try makeDirectory("\(directory)/mine", mode: 0o755)
            for n in 1...20 { try createFile("\(directory)/mine/file\(n)", [UInt8](repeating: UInt8(n), count: n * 5000), mode: 0o644) }
        }
        try Gateway.serving(policy, body)
    }

    private func expectSame(_ gateway: Gateway, _ others: String...) throws {
        for other in others {
            let outcome = try run(["/usr/bin/diff", "-r", "\(gateway.directory)/mine", "\(gateway.directory)/\(other)"])
            #expect(outcome.code == 0, "\(outcome)")
        }
    }

    @Test func `rsync's server takes files and gives them`() throws {
        try serving { gateway in
            let remote = gateway.sshCommand([]).dropLast().joined(separator: " ")
            let rsync = { (from: String, to: String) in try run(["/usr/bin/rsync", "-rtO", "-e", remote, from, to]) }
            let given = try rsync("\(gateway.directory)/mine/", "gateway:\(gateway.directory)/place/")
            #expect(given.code == 0, "\(given)")
            try expectSame(gateway, "place")
            let taken = try rsync("gateway:\(gateway.directory)/place/", "\(gateway.directory)/back/")
            #expect(taken.code == 0, "\(taken)")
            try expectSame(gateway, "back")
        }
    }

    @Test func `tar packs and unpacks`() throws {
        try serving { gateway in
            let (pack, unpack) = (gateway.sshCommand(["pack"]).joined(separator: " "), gateway.sshCommand(["unpack"]).joined(separator: " "))
            let script = "cd \(gateway.directory) && (cd mine && tar -cf - file*) | \(unpack) && mkdir back && \(pack) | tar -C back -xf -"
            let outcome = try run(["/bin/sh", "-c", script])
            #expect(outcome.code == 0, "\(outcome)")
            try expectSame(gateway, "place", "back")
        }
    }

    @Test func `a shell script with pipes and substitutions`() throws {
        try serving { gateway in
            let script = "t=$(mktemp) && printf 'b\\na\\nb\\n' | sort | uniq -c | awk '{ print $1 $2 }' | tee $t | tr '\\n' ' ' && wc -l < $t"
            let outcome = try gateway.script(script)
            #expect(outcome.output == "1a 2b 2\n", "\(outcome)")
        }
    }

    @Test func `python3, its processes, threads, databases and temporary files`() throws {
        try serving { gateway in
            let script = """
                import sqlite3, subprocess, tempfile, concurrent.futures
                with tempfile.TemporaryDirectory() as d:
                    db = sqlite3.connect(d + "/db"); db.execute("create table t (x)"); db.executemany("insert into t values (?)", [(n,) for n in range(10)]); db.commit()
                    print(db.execute("select sum(x) from t").fetchone()[0])
                print(sum(concurrent.futures.ThreadPoolExecutor(4).map(len, ["a", "bb"])))
                print(subprocess.run(["sort", "-r"], input=b"a\\nb\\n", capture_output=True).stdout.decode().split())
                open("\(gateway.directory)/place/file", "w").write("x")
                """
            try createFile("\(gateway.directory)/place/script.py", Array(script.utf8), mode: 0o644)
            let outcome = try gateway.ssh("py")
            #expect(outcome.output == "45\n3\n['b', 'a']\n" && outcome.errors == "", "\(outcome)")
        }
    }

    /// ldconfig(8) is linked statically, since it repairs what others need.
    @Test func `a static program runs in each of the predefined ones`() throws {
        try serving { gateway in
            for name in ["tool", "git-read", "git-write", "drop", "service"] {
                let outcome = try gateway.ssh("static-\(name)")
                #expect(outcome.output.hasPrefix("ldconfig (") && outcome.code == 0, "\(name): \(outcome)")
            }
        }
    }
}
