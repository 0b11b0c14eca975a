import Foundation
import Linux
import Testing

/// Repositories of a gateway, and clients' clones of them.
struct GitSite {
    let gateway: Gateway

    /// A policy with the keys `alice`, who pushes, and `bob`, who fetches; `lines` are more of alice's `git`.
    static func policy(_ lines: String = "", reads: String = #"["team/**", "open/*"]"#) -> TestPolicy {
        var policy = TestPolicy()
        policy.keys = [.init(name: "alice", lines: #"may = ["git-write"]"#), .init(name: "bob", lines: #"may = ["git-read"]"#)]
        policy.commands = """
            [command.git-write]
            as = "$USER"
            git = { root = "$DIRECTORY/git", repositories = ["team/**"], access = "write"\(lines.isEmpty ? "" : ", " + lines) }
            [command.git-read]
            as = "$USER"
            git = { root = "$DIRECTORY/git", repositories = \(reads), access = "read" }

            """
        policy.prepare = { try FileManager.default.createDirectory(atPath: "\($0)/git", withIntermediateDirectories: true) }
        return policy
    }

    private static func own(_ path: String, _ user: User) throws {
        if isRoot { _ = try run(["/bin/chown", "-R", "\(user.uid):\(user.gid)", path]) }
    }

    static func serving(_ lines: String = "", _ body: (GitSite) throws -> Void) throws {
        try Gateway.serving(policy(lines)) { gateway in
            let site = GitSite(gateway: gateway)
            try own(site.root, gateway.user)
            for name in ["team/app", "open/site", "secret/plan"] { try site.make(name) }
            try body(site)
        }
    }

    var root: String { "\(gateway.directory)/git" }

    /// Makes a bare repository on the server.
    func make(_ name: String, options: [String] = []) throws {
        let made = try run(["/usr/bin/git", "init", "-q", "--bare", "-b", "main"] + options + ["\(root)/\(name).git"], environment: ["HOME=/nonexistent"])
        guard made.code == 0 else { throw Trouble("git init: \(made)") }
        try Self.own(root, gateway.user)
    }

    /// Runs git as a client does, with OpenSSH.
    func git(_ arguments: [String], in directory: String = "work", key: String = "alice", environment: [String] = [], patience: Duration = RunningProgram.patience) throws -> Outcome {
        try run(["/usr/bin/git"] + place(directory) + arguments, environment: variables(key) + environment, patience: patience)
    }

    func place(_ directory: String) -> [String] { directory.isEmpty ? ["-C", gateway.directory] : ["-C", "\(gateway.directory)/\(directory)"] }

    func variables(_ key: String) -> [String] {
        let ssh = gateway.sshCommand([], key: key).dropLast().filter { $0 != "-l" && $0 != gateway.user.name }.joined(separator: " ")
        return [
            "HOME=\(gateway.directory)", "GIT_SSH_COMMAND=\(ssh)", "GIT_SSH_VARIANT=ssh", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
            "GIT_COMMITTER_EMAIL=a@b", "GIT_TERMINAL_PROMPT=0",
        ]
    }

    func url(_ path: String) -> String { "\(gateway.user.name)@gateway:\(path)" }

    /// A client's repository with one commit, and the remote `origin`.
    func makeWork(_ path: String = "team/app.git", options: [String] = []) throws {
        try succeed(try git(["init", "-q", "-b", "main"] + options + ["work"], in: ""))
        try commit("one")
        try succeed(try git(["remote", "add", "origin", url(path)]))
    }

    func commit(_ text: String, in directory: String = "work") throws {
        try text.write(toFile: "\(gateway.directory)/\(directory)/\(text)", atomically: false, encoding: .utf8)
        try succeed(try git(["add", "."], in: directory))
        try succeed(try git(["commit", "-q", "-m", text], in: directory))
    }

    @discardableResult func succeed(_ outcome: Outcome, _ place: SourceLocation = #_sourceLocation) throws -> String {
        #expect(outcome.code == 0, "\(outcome)", sourceLocation: place)
        return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What git on the server says of a repository.
    func server(_ arguments: [String], _ name: String = "team/app") throws -> String {
        try succeed(try run(["/usr/bin/git", "-c", "safe.directory=*", "-C", "\(root)/\(name).git"] + arguments, environment: ["HOME=/nonexistent"]))
    }

    func isSound(_ name: String = "team/app") throws -> Bool {
        try run(["/usr/bin/git", "-c", "safe.directory=*", "-C", "\(root)/\(name).git", "fsck", "--full"], environment: ["HOME=/nonexistent"]).code == 0
    }
}

@Suite("DESIGN §3.2: git") struct GitTests {
    @Test(arguments: ["0", "1", "2"]) func `pushes, clones and fetches by every version of the protocol`(version: String) throws {
        try GitSite.serving { site in
            try site.makeWork()
            let option = ["-c", "protocol.version=\(version)"]
            try site.succeed(try site.git(option + ["push", "-q", "origin", "main"]))
            try site.succeed(try site.git(["tag", "-a", "v1", "-m", "first"]))
            try site.succeed(try site.git(option + ["push", "-q", "origin", "v1"]))
            for path in ["team/app.git", "team/app", "/team/app.git"] {
                try site.succeed(try site.git(option + ["clone", "-q", site.url(path), "clone-\(path.count)"], in: "", key: "bob"))
            }
            try site.commit("two")
            try site.succeed(try site.git(option + ["push", "-q", "origin", "main"]))
            try site.succeed(try site.git(option + ["pull", "-q"], in: "clone-12", key: "bob"))
            #expect(try site.succeed(try site.git(["rev-parse", "main"], in: "clone-12")) == site.server(["rev-parse", "main"]))
            #expect(try site.server(["tag"]) == "v1")
            #expect(try site.isSound())
        }
    }

    @Test func `clones are shallow or partial where the client wants it, and archives are made`() throws {
        try GitSite.serving { site in
            try site.makeWork()
            for text in ["two", "three"] { try site.commit(text) }
            try site.succeed(try site.git(["push", "-q", "origin", "main"]))
            try site.succeed(try site.git(["clone", "-q", "--depth", "1", site.url("team/app"), "shallow"], in: "", key: "bob"))
            #expect(try site.succeed(try site.git(["rev-list", "--count", "HEAD"], in: "shallow")) == "1")
            try site.succeed(try site.git(["fetch", "-q", "--deepen", "1"], in: "shallow", key: "bob"))
            #expect(try site.succeed(try site.git(["rev-list", "--count", "HEAD"], in: "shallow")) == "2")
            try site.succeed(try site.git(["fetch", "-q", "--unshallow"], in: "shallow", key: "bob"))
            try site.succeed(try site.git(["clone", "-q", "--filter=blob:none", "--no-checkout", site.url("team/app"), "partial"], in: "", key: "bob"))
            #expect(try site.succeed(try site.git(["rev-list", "--objects", "--missing=print", "HEAD"], in: "partial")).contains("?"))
            try site.succeed(try site.git(["checkout", "-q", "main"], in: "partial", key: "bob"))
            let archive = try site.git(["archive", "--remote=\(site.url("team/app"))", "--format=tar", "main"], in: "", key: "bob")
            #expect(archive.code == 0 && archive.output.contains("three"), "\(archive)")
        }
    }

    @Test func `a repository that is missing and one that is forbidden look alike`() throws {
        try GitSite.serving { site in
            func answer(_ path: String) throws -> (code: Int?, text: String) {
                let outcome = try site.gateway.ssh("git-upload-pack '\(path)'", key: "bob")
                let lines = outcome.errors.replacing(path, with: "PATH").split(separator: "\n").filter { !$0.contains("request ") }
                return (outcome.code, lines.joined(separator: "\n"))
            }
            let (missing, forbidden, neither) = (try answer("team/none"), try answer("secret/plan"), try answer("secret/none"))
            #expect(missing == forbidden && forbidden == neither, "\(missing) \(forbidden) \(neither)")
            #expect(missing.code == 126 && missing.text.contains("there is no repository"), "\(missing)")
            #expect(try site.gateway.record("decision") { $0["reason"] == "no-repository" }["verdict"] == "refuse")
        }
    }

    @Test func `a key that may only fetch cannot push`() throws {
        try GitSite.serving { site in
            try site.makeWork()
            let refused = try site.git(["push", "-q", "origin", "main"], key: "bob")
            #expect(refused.code != 0 && refused.errors.contains("you may fetch from \"team/app.git\", not push to it"), "\(refused)")
            #expect(try site.server(["for-each-ref"]) == "")
        }
    }

    @Test func `ssh without a command lists the repositories`() throws {
        try GitSite.serving { site in
            let help = try site.gateway.ssh(key: "bob")
            #expect(help.code == 0 && help.output.contains("git fetch  team/**") && help.output.contains("git fetch  open/*"), "\(help)")
            #expect(try site.gateway.ssh().output.contains("git fetch, push  team/**"))
        }
    }

    // CVE-2017-8386: git-shell passed `--help` on, and the pager it started was a shell.
    @Test(arguments: [
        "git-upload-pack --help", "git-receive-pack '--help'", "git upload-archive --help", "git-upload-pack '--upload-pack=/bin/sh'",
        "git-upload-pack '-u' 'team/app'", "git-upload-pack 'team/-app'", "git-upload-archive '--output=/tmp/x' 'team/app'",
        "git-receive-pack --skip-connectivity-check team/app", "git upload-pack --timeout=1 team/app",
    ]) func `no option gets to git`(line: String) throws {
        try GitSite.serving { site in
            let refused = try site.gateway.ssh(line)
            #expect(refused.code == 126 && refused.output.isEmpty, "\(line): \(refused)")
            #expect(try site.gateway.records("finished").isEmpty)
        }
    }

    @Test(arguments: [
        "../secret/plan", "team/../secret/plan", "team/./app", "~/app", "~git/team/app", "team/~/app", "", "/", "//team/app", "team//app", "team/app/..",
        "team/app.git/objects", ".", "..", ".git", "team/.git",
    ]) func `no path leads out of what the policy names`(path: String) throws {
        try GitSite.serving { site in
            let refused = try site.gateway.ssh("git-upload-pack '\(path)'")
            #expect(refused.code == 126 && refused.errors.contains("cannot be a repository"), "\(path): \(refused)")
        }
    }

    @Test func `a link out of the root is no way, and one that stays beneath is one`() throws {
        try GitSite.serving { site in
            try site.makeWork()
            try site.succeed(try site.git(["push", "-q", "origin", "main"]))
            let manager = FileManager.default
            try manager.createSymbolicLink(atPath: "\(site.root)/team/out.git", withDestinationPath: "\(site.gateway.directory)/work/.git")
            try manager.createSymbolicLink(atPath: "\(site.root)/team/up.git", withDestinationPath: "../../work/.git")
            try manager.createSymbolicLink(atPath: "\(site.root)/team/same.git", withDestinationPath: "app.git")
            for name in ["out", "up"] {
                let refused = try site.gateway.ssh("git-upload-pack 'team/\(name)'", key: "bob")
                #expect(refused.code == 126 && refused.errors.contains("there is no repository"), "\(refused)")
            }
            try site.succeed(try site.git(["clone", "-q", site.url("team/same"), "same"], in: "", key: "bob"))
        }
    }

    @Test func `objects are borrowed from other repositories of the root, and from nowhere else`() throws {
        try GitSite.serving { site in
            try site.makeWork()
            try site.succeed(try site.git(["push", "-q", "origin", "main"]))
            try site.make("team/fork")
            try "\(site.root)/team/app.git/objects\n".write(toFile: "\(site.root)/team/fork.git/objects/info/alternates", atomically: false, encoding: .utf8)
            let commit = try site.server(["rev-parse", "main"])
            try "\(commit)\n".write(toFile: "\(site.root)/team/fork.git/refs/heads/main", atomically: false, encoding: .utf8)
            try site.succeed(try site.git(["clone", "-q", site.url("team/fork"), "fork"], in: "", key: "bob"))
            try "\(site.gateway.directory)/work/.git/objects\n".write(toFile: "\(site.root)/team/fork.git/objects/info/alternates", atomically: false, encoding: .utf8)
            #expect(try site.git(["clone", "-q", site.url("team/fork"), "fork-2"], in: "", key: "bob").code != 0)
        }
    }

    @Test func `a repository's own configuration starts nothing`() throws {
        try GitSite.serving { site in
            try site.makeWork()
            let hook = "\(site.root)/team/app.git/hooks/pre-receive"
            try "#!/bin/sh\necho own hook >&2\nexit 1\n".write(toFile: hook, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
            _ = try site.server(["config", "uploadpack.packObjectsHook", "/bin/false"])
            _ = try site.server(["config", "receive.fsckObjects", "false"])
            try site.succeed(try site.git(["push", "-q", "origin", "main"]))
            try site.succeed(try site.git(["clone", "-q", site.url("team/app"), "clone"], in: "", key: "bob"))
        }
    }

    @Test func `a push makes a repository where the policy says so`() throws {
        try GitSite.serving("create = true") { site in
            try site.makeWork("team/new/tool.git")
            try site.succeed(try site.git(["push", "-q", "origin", "main"]))
            #expect(try site.isSound("team/new/tool"))
            let inside = try site.git(["push", "-q", site.url("team/app/inner"), "main"])
            try site.succeed(inside)
            #expect(try site.gateway.ssh("git-receive-pack 'other/new'").code == 126)
            #expect(try site.gateway.ssh("git-upload-pack 'team/none'").code == 126)
            #expect(!FileManager.default.fileExists(atPath: "\(site.root)/other"))
        }
    }

    @Test func `a thousand refs, and a repository by SHA-256`() throws {
        try GitSite.serving { site in
            try site.makeWork()
            let commit = try site.succeed(try site.git(["rev-parse", "HEAD"]))
            let lines = (1...1000).map { "create refs/heads/topic/\($0) \(commit)\n" }.joined()
            try site.succeed(try run(["/usr/bin/git"] + site.place("work") + ["update-ref", "--stdin"], environment: site.variables("alice"), input: .bytes(Array(lines.utf8))))
            try site.succeed(try site.git(["push", "-q", "origin", "--all"]))
            #expect(try site.server(["for-each-ref"]).split(separator: "\n").count == 1001)
            try site.succeed(try site.git(["clone", "-q", site.url("team/app"), "clone"], in: "", key: "bob"))
            try site.make("team/new", options: ["--object-format=sha256"])
            try site.succeed(try site.git(["init", "-q", "-b", "main", "--object-format=sha256", "long"], in: ""))
            try site.commit("one", in: "long")
            try site.succeed(try site.git(["push", "-q", site.url("team/new"), "main"], in: "long"))
            #expect(try site.isSound("team/new"))
        }
    }
}
