import Policy
import Testing

@Suite("DESIGN §3.2: repositories and refs") struct GitPolicyTests {
    static func service(_ patterns: [String], _ access: GitService.Access = .read) throws -> GitService {
        GitService(root: "/srv/git", repositories: try patterns.map { try #require(RepositoryPattern($0)) }, access: access)
    }

    static func command(_ name: String, _ service: GitService) -> Command {
        var command = Command(
            name: name, account: Sample.deploy, login: "git", usage: nil, run: [RunWord([.literal(GitService.program)])], sandbox: 0,
            position: SourcePosition(file: "p", line: 1, column: 1))
        command.git = service
        return command
    }

    private func verdict(_ line: String, _ commands: [Command]) -> Verdict {
        let key = Key(name: "alice", fingerprint: [UInt8](repeating: 1, count: 32), may: [0], position: SourcePosition(file: "p", line: 1, column: 1))
        let session = Session(
            key: key, login: "git", peer: .init(host: "192.0.2.1", port: 5), local: .init(host: "192.0.2.2", port: 22), now: 0, requestID: "r",
            fingerprintText: "SHA256:x")
        return Decision.decide(.exec(Array(line.utf8)), environment: [], in: session, commands: commands)
    }

    @Test(arguments: [
        ("team/app", "team/app"), ("team/app.git", "team/app"), ("/team/app.git", "team/app"), ("team/app.git/", "team/app"), ("a", "a"),
        (".github", ".github"), ("team/.github.git", "team/.github"), ("übung", "übung"),
    ]) func `names a repository in every spelling`(path: String, name: String) throws {
        #expect(RepositoryName(path)?.description == name)
    }

    @Test(arguments: [
        "", "/", "//a", "a//b", ".", "..", "a/..", "../a", "a/./b", "-a", "a/-b", "~a", "a/~/b", "a~", ".git", "a/.git", "a.git/b", "a\u{0}", "a\nb", "a\u{7f}",
        String(repeating: "a", count: 251), String(repeating: "a/", count: 600) + "a",
    ]) func `refuses what can name none`(path: String) {
        #expect(RepositoryName(path) == nil)
    }

    @Test(arguments: [
        ("team/**", "team/app", true), ("team/**", "team/a/b", true), ("team/**", "team", false), ("team/**", "teams/app", false), ("team/*", "team/app", true),
        ("team/*", "team/a/b", false), ("**", "a/b/c", true), ("*", "a", true), ("*", "a/b", false), ("a/**/z", "a/b/c/z", true), ("a/**/z", "a/z", false),
        ("team/app", "team/app", true), ("team/app", "team/app2", false), ("*-docs", "x-docs", true), ("*-docs", "-docs", true), ("team/app.git", "team/app", true),
    ]) func `a pattern matches whole names`(pattern: String, name: String, matches: Bool) throws {
        // `-docs` is no name, so that one is compared as a pattern only.
        guard let name = RepositoryName(name) else { return }
        #expect(try #require(RepositoryPattern(pattern)).matches(name) == matches)
    }

    @Test(arguments: ["", "/team", "../x", "a**", "**b", "team/~", "-x"]) func `is no pattern`(text: String) {
        #expect(RepositoryPattern(text) == nil)
    }

    @Test(arguments: ["git-upload-pack 'team/app.git'", "git upload-pack team/app", "git-upload-archive '/team/app'", "git-receive-pack \"team/app\""])
    func `runs git in both spellings, on the directory it is in`(line: String) throws {
        guard case .run(let launch) = verdict(line, [Self.command("w", try Self.service(["team/**"], .write))]) else {
            Issue.record("\(line) is refused")
            return
        }
        #expect(launch.argv[0] == "/usr/bin/git" && launch.argv.last == "." && launch.target?.name == RepositoryName("team/app"))
        let environment = Dictionary(uniqueKeysWithValues: launch.environment.map { ($0.name, $0.value) })
        let count = try #require(environment["GIT_CONFIG_COUNT"].flatMap { Int($0) })
        let keys = (0..<count).compactMap { environment["GIT_CONFIG_KEY_\($0)"] }
        #expect(keys.count == count && Set(["safe.directory", "receive.fsckObjects", "gc.auto", "protocol.ext.allow"]).isSubset(of: keys))
    }

    @Test(arguments: [
        ("git-upload-pack 'other/app'", "no-repository"), ("git-receive-pack 'team/app'", "read-only-repository"), ("git-receive-pack 'other/app'", "no-repository"),
        ("git-upload-pack '../app'", "bad-repository"), ("git-upload-pack --help", "bad-repository"), ("git-upload-pack", "not-a-command"),
        ("git-upload-pack --strict team/app", "not-a-command"), ("git-shell team/app", "not-a-command"), ("git daemon team/app", "not-a-command"),
        ("git-upload-pack 'team/app'; id", "syntax"), ("git -c team/app", "not-a-command"),
    ]) func `refuses what it does not serve`(line: String, reason: String) throws {
        guard case .refuse(let refusal) = verdict(line, [Self.command("r", try Self.service(["team/**"]))]) else {
            Issue.record("\(line) is run")
            return
        }
        #expect("\(refusal.reason)" == reason)
    }

    @Test func `the first command that has the repository with enough access is run`() throws {
        let commands = [Self.command("r", try Self.service(["**"])), Self.command("w", try Self.service(["team/*"], .write))]
        for (line, name) in [("git-upload-pack team/app", "r"), ("git-receive-pack team/app", "w")] {
            guard case .run(let launch) = verdict(line, commands) else {
                Issue.record("\(line) is refused")
                continue
            }
            #expect(launch.command.name == name)
        }
    }

    static let rules = [
        RefRule(match: "refs/heads/main", answers: [.push: false]), RefRule(match: "refs/heads/wip/*", answers: [.force: true]),
        RefRule(match: "refs/tags/*", answers: [.change: false, .delete: false]), RefRule(match: "**", answers: [.force: false]),
    ]

    @Test(arguments: [
        (RefRule.Act.push, "refs/heads/main", false), (.push, "refs/heads/main2", true), (.force, "refs/heads/x", false), (.force, "refs/heads/wip/a/b", true),
        (.change, "refs/tags/v1", false), (.change, "refs/tags/a/b", false), (.delete, "refs/tags/v1", false), (.create, "refs/tags/v1", true),
        (.delete, "refs/heads/x", true), (.force, "refs/tags/v1", false), (.push, "refs/notes/commits", true),
    ]) func `the first rule that answers decides`(act: RefRule.Act, ref: String, isAllowed: Bool) {
        #expect(RefRule.allows(act, on: ref, Self.rules) == isAllowed)
    }

    @Test func `rules and tasks are the same after a way through the environment`() throws {
        #expect(RefRule.rules(in: RefRule.text(of: Self.rules)) == Self.rules)
        #expect(RefRule.rules(in: "") == [])
        for text in ["main push=0", "refs/x push", "refs/x push=2", "refs/x fly=1"] { #expect(RefRule.rules(in: text) == nil) }
        let task = GitTask(
            root: "/srv/git", name: try #require(RepositoryName("team/app")), opening: .create, argv: ["/usr/bin/git", "receive-pack", "."],
            paths: [PathRule(path: "/usr", access: .execute, isRequired: false)], hook: "/usr/libexec/postern/postern-git-hook")
        let variables = Dictionary(uniqueKeysWithValues: task.environment.map { ($0.name, $0.value) })
        #expect(GitTask { variables[$0] } == task)
        for name in variables.keys { #expect(GitTask { $0 == name ? nil : variables[$0] } == nil) }
    }
}

@Suite("DESIGN §3.2: the repositories in the help") struct GitHelpTests {
    private static func command(_ name: String, _ root: String, _ patterns: [String], _ access: GitService.Access) throws -> Command {
        var command = try Sample.command(name, nil, login: "git")
        command.git = GitService(root: root, repositories: try patterns.map { try #require(RepositoryPattern($0)) }, access: access)
        return command
    }

    private static func page(_ commands: [Command]) throws -> HelpPage {
        let session = Sample.session(login: "git")
        guard case .help(let page) = Decision.decide(.shell, environment: [], in: session, commands: commands) else {
            throw CompiledPolicyError.notAPolicy
        }
        return page
    }

    @Test func `are what the first fitting command reaches`() throws {
        let page = try Self.page([
            try Self.command("one", "/a", ["team/*"], .read), try Self.command("two", "/b", ["team/*", "open/*"], .write),
            try Self.command("three", "/a", ["other"], .write),
        ])
        #expect(page.sources.map(\.name) == ["one", "two"])
        #expect(page.task(of: page.sources[0]).patterns.map(\.description) == ["team/*", "other"])
        let found = [HelpPage.Found(output: Array("team/x\nteam/y\nother\nsecret\n.\n".utf8)), HelpPage.Found(output: Array("team/x\nteam/z\nopen/w\n.\n".utf8))]
        let text = page.text(found)
        // A fetch of team/z is looked for in /a, and is not there; a push to team/y in /b.
        #expect(text.hasSuffix("your repositories:\n  R W  open/w\n  R W  other\n  R W  team/x\n  R    team/y\n"), "\(text)")
    }

    /// What a process of the user may write, and how the list ends then.
    static let outputs: [(output: String, end: String)] = [
        ("team/x\n.\n", "  R    team/x\n"), ("team/x\n", "  R    team/x\n  and maybe more\n"), ("team/x\n..\n", "  R    team/x\n  and maybe more\n"),
        ("", "  they could not be looked up\n"), (".\n", "  none yet\n"), ("../x\n-x\nx/\u{1b}[2J\nelsewhere\n.\n", "  none yet\n"),
    ]

    @Test(arguments: outputs) func `are only such names as may be`(given: (output: String, end: String)) throws {
        let page = try Self.page([try Self.command("one", "/a", ["team/*"], .read)])
        #expect(page.text([HelpPage.Found(output: Array(given.output.utf8))]).hasSuffix("your repositories:\n\(given.end)"))
    }

    @Test func `fit one message, however many`() throws {
        let page = try Self.page([try Self.command("one", "/a", ["**"], .read)])
        let names = (0..<1000).map { "\(String(repeating: "\u{202e}", count: 60))\($0)" }
        let text = page.text([HelpPage.Found(output: Array((names + ["."]).map { $0 + "\n" }.joined().utf8))])
        #expect(text.utf8.count < 96 * 1024 && text.hasSuffix("  and maybe more\n"))
    }
}
