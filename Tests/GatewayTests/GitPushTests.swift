import Foundation
import Linux
import Testing

@Suite("DESIGN §3.2: what pushes may do") struct GitPushTests {
    static let rules = """
        refs = [{ match = "refs/heads/main", push = false }, { match = "refs/heads/wip/*", force = true }, \
        { match = "refs/tags/*", change = false, delete = false }, { match = "refs/heads/frozen/*", create = false }, { match = "**", force = false }]
        """

    /// A repository whose branches `main`, `topic` and `wip/x` and tag `v1` were there before the rules.
    private func serving(_ body: (GitSite) throws -> Void) throws {
        try GitSite.serving(Self.rules) { site in
            try site.makeWork()
            try site.succeed(try site.git(["tag", "v1"]))
            let branches = ["main", "topic", "wip/x"].map { "main:refs/heads/\($0)" }
            _ = try site.server(["fetch", "-q", "\(site.gateway.directory)/work"] + branches + ["refs/tags/v1:refs/tags/v1"])
            _ = try run(["/bin/chown", "-R", site.gateway.user.name, site.root])
            try body(site)
        }
    }

    @Test func `what the rules forbid is refused with its reason, and recorded`() throws {
        try serving { site in
            try site.commit("two")
            try site.succeed(try site.git(["branch", "-q", "rewritten"]))
            try site.succeed(try site.git(["reset", "-q", "--soft", "HEAD~1"]))
            try site.succeed(try site.git(["commit", "-q", "--amend", "-m", "other"]))
            let before = try site.server(["for-each-ref"])
            let cases: [(push: [String], text: String)] = [
                (["rewritten:main"], "\"refs/heads/main\" is protected: you may not push to it"),
                (["+main:topic"], "this is no fast-forward of \"refs/heads/topic\", and you may not rewrite it"),
                (["+main:refs/tags/v1"], "\"refs/tags/v1\" is there already, and you may not change it"),
                ([":v1"], "you may not delete \"refs/tags/v1\""),
                (["main:frozen/a"], "\"refs/heads/frozen/a\" is not there, and you may not create it"),
                // One that is refused keeps the others from happening.
                (["+main:wip/x", "rewritten:main"], "\"refs/heads/main\" is protected"),
            ]
            for (push, text) in cases {
                let refused = try site.git(["push", "origin"] + push)
                #expect(refused.code == 1 && refused.errors.contains("remote: postern: \(text)"), "\(push): \(refused)")
            }
            #expect(try site.server(["for-each-ref"]) == before)
            let record = try site.gateway.record("ref") { $0["result"] == "refused-force" }
            #expect(record["ref"] == "refs/heads/topic" && record["old"].count == 40 && record["new"].count == 40)
        }
    }

    @Test func `no symbolic ref leads around the rules of another`() throws {
        try serving { site in
            // As an administrator does while a branch is renamed.
            _ = try site.server(["symbolic-ref", "refs/heads/alias", "refs/heads/main"])
            _ = try site.server(["symbolic-ref", "refs/heads/old-topic", "refs/heads/topic"])
            try site.commit("two")
            try site.succeed(try site.git(["commit", "-q", "--amend", "-m", "other"]))
            let before = try site.server(["rev-parse", "main", "topic"])
            try site.succeed(try site.git(["checkout", "-q", "--orphan", "unrelated"]))
            try site.commit("alone")
            for (push, text) in [(["main:alias"], "\"refs/heads/alias\" is protected"), ([":alias"], "\"refs/heads/alias\" is protected"), (["+unrelated:old-topic"], "this is no fast-forward")] {
                let refused = try site.git(["push", "origin"] + push)
                #expect(refused.code == 1 && refused.errors.contains("remote: postern: \(text)"), "\(push): \(refused)")
            }
            #expect(try site.server(["rev-parse", "main", "topic"]) == before)
            try site.succeed(try site.git(["push", "-q", "origin", "main:old-topic"]))
        }
    }

    @Test func `no replaced object makes a commit the child of another`() throws {
        try serving { site in
            func line(_ words: [String]) throws -> String { try site.succeed(try site.git(words)) }
            let (old, tree) = (try line(["rev-parse", "main"]), try line(["rev-parse", "main^{tree}"]))
            let orphan = try line(["commit-tree", "-m", "orphan", tree])
            let child = try line(["commit-tree", "-m", "child", "-p", old, tree])
            try site.succeed(try site.git(["push", "-q", "origin", "\(child):refs/replace/\(orphan)"]))
            let refused = try site.git(["push", "origin", "+\(orphan):refs/heads/topic"])
            #expect(refused.code == 1 && refused.errors.contains("remote: postern: this is no fast-forward of \"refs/heads/topic\""), "\(refused)")
            #expect(try site.server(["rev-parse", "topic"]) == old)
        }
    }

    @Test func `a pack that is larger than max_pack is refused`() throws {
        try GitSite.serving("max_pack = '64KiB'") { site in
            try site.makeWork()
            try site.commit("small")
            try site.succeed(try site.git(["push", "-q", "origin", "main:topic"]))
            try Data(noise(100_000)).write(to: URL(filePath: "\(site.gateway.directory)/work/random"))
            try site.succeed(try site.git(["add", "random"]))
            try site.commit("more")
            let refused = try site.git(["push", "-q", "origin", "main:topic"])
            #expect(refused.code != 0 && refused.errors.contains("maximum allowed size"), "\(refused)")
            #expect(try site.isSound())
        }
    }

    @Test func `what they leave open happens, and is recorded`() throws {
        try serving { site in
            try site.commit("two")
            for push in [["main:topic"], ["main:new", "v1:refs/tags/v2"], [":new"]] { try site.succeed(try site.git(["push", "-q", "origin"] + push)) }
            try site.succeed(try site.git(["commit", "-q", "--amend", "-m", "other"]))
            try site.succeed(try site.git(["push", "-q", "origin", "+main:wip/x"]))
            for ref in ["refs/heads/topic", "refs/heads/new", "refs/tags/v2", "refs/heads/wip/x"] {
                #expect(try site.gateway.record("ref") { $0["ref"] == ref }["result"] == "updated")
            }
            #expect(try site.isSound())
        }
    }

    @Test func `a client cannot bring rules of its own`() throws {
        try serving { site in
            try site.commit("two")
            let command = site.variables("alice").map { $0.replacing("GIT_SSH_COMMAND=/usr/bin/ssh", with: "GIT_SSH_COMMAND=/usr/bin/ssh -o SetEnv=POSTERN_GIT_REFS=") }
            let refused = try run(["/usr/bin/git"] + site.place("work") + ["push", "origin", "main"], environment: command)
            #expect(refused.code == 1 && refused.errors.contains("is protected"), "\(refused)")
        }
    }

    /// They are root's, in a directory that nobody else can write.
    @Test(.enabled(if: isRoot)) func `the policy's own hooks run behind ours`() throws {
        let hooks = "/var/lib/postern/hooks-of-test-\(processID)"
        try FileManager.default.createDirectory(atPath: hooks, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: hooks) }
        let scripts = ["pre-receive": "read a b c; echo pre $c >&2", "post-receive": "read a b c; echo post $c >&2", "update": "echo update $1 >&2"]
        for (name, script) in scripts {
            try "#!/bin/sh\n\(script)\n".write(toFile: "\(hooks)/\(name)", atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(hooks)/\(name)")
        }
        try GitSite.serving("hooks = '\(hooks)'") { site in
            try site.makeWork()
            let push = try site.git(["push", "origin", "main"])
            #expect(push.code == 0)
            for word in ["pre", "update", "post"] { #expect(push.errors.contains("remote: \(word) refs/heads/main"), "\(push)") }
            try "#!/bin/sh\nexit 1\n".write(toFile: "\(hooks)/pre-receive", atomically: false, encoding: .utf8)
            #expect(try site.git(["push", "origin", "main:other"]).errors.contains("pre-receive hook declined"))
        }
    }

    @Test func `a push that is cut at any moment leaves the repository sound`() throws {
        try GitSite.serving { site in
            try site.makeWork()
            try site.succeed(try site.git(["push", "-q", "origin", "main"]))
            for count in 0..<(isLong ? 20 : 6) {
                try Data(noise(400_000)).write(to: URL(filePath: "\(site.gateway.directory)/work/noise-\(count)"))
                try site.commit("cut-\(count)")
                let push = try RunningProgram(["/usr/bin/git"] + site.place("work") + ["push", "-q", "origin", "main"], environment: site.variables("alice"))
                let clients = { LiveProcess.descendants(of: push.pid) }
                _ = try becomesTrue(within: .seconds(10)) { !clients().isEmpty }
                var nothing = PollSet()
                _ = try nothing.wait(timeout: .milliseconds(Int64.random(in: 0...400)))
                for client in clients() { _ = try? run(["/bin/kill", "-KILL", "\(client.pid)"]) }
                try push.kill()
                _ = try becomesTrue(within: .seconds(10)) { try site.gateway.records("connect").count == site.gateway.records("disconnect").count }
                #expect(try site.isSound())
            }
            // Killed while it waits for a disk, git leaves a lock, as anywhere.
            _ = try run(["/usr/bin/find", "\(site.root)/team/app.git", "-name", "*.lock", "-delete"])
            try site.succeed(try site.git(["push", "-q", "origin", "main"]))
            #expect(try site.isSound())
        }
    }

    @Test(.enabled(if: isLong)) func `200 MiB are pushed and cloned`() throws {
        try GitSite.serving { site in
            try site.makeWork()
            _ = try run(["/bin/dd", "if=/dev/urandom", "of=\(site.gateway.directory)/work/big", "bs=1M", "count=200"])
            try site.commit("two")
            try site.succeed(try site.git(["push", "-q", "origin", "main"], patience: .seconds(300)))
            try site.succeed(try site.git(["clone", "-q", site.url("team/app"), "clone"], in: "", key: "bob", patience: .seconds(300)))
            #expect(try site.isSound())
        }
    }
}
