import Policy
import PolicySource
import Testing

@Suite("postern diff: what a change newly allows and refuses") struct PolicyDifferenceTests {
    /// A policy of one key and one command, `tag` being its argument.
    static let plain = #"""
        version = 1
        [key.ci]
        public = "ssh-ed25519 AAAA1"
        may    = ["release"]
        [command.release]
        as      = "deploy"
        usage   = "release <tag>"
        args    = { tag = { integer = [1, 9] } }
        run     = ["/srv/app/bin/release", "<tag>"]
        timeout = "10m"
        sandbox = "s"
        [sandbox.s]
        read    = ["/srv/app"]
        memory  = "1GiB"
        syscalls = { allow = ["@ipc"] }
        """#

    private func policy(_ text: String) throws -> Policy {
        let loaded = LoadedPolicy.read("policy.toml", World(files: ["policy.toml": .init(text: text)]).surroundings)
        return try #require(loaded.policy, "\(loaded.text)")
    }

    private func difference(_ old: String, _ new: String) throws -> PolicyDifference {
        let groups = ["@ipc": ["shmget", "msgget"]]
        return PolicyDifference(from: try policy(old), to: try policy(new)) { groups[$0] }
    }

    /// What is replaced in the policy by what, what is then said to differ, and how.
    static let cases: [(String, String, String, Shift)] = [
        ("integer = [1, 9]", "integer = [1, 8]", "<tag>", .narrower),
        ("integer = [1, 9]", "integer = [0, 9]", "<tag>", .wider),
        ("integer = [1, 9]", "integer = [2, 10]", "<tag>", .other),
        ("integer = [1, 9]", "match = '[0-9]'", "<tag>", .wider),
        ("integer = [1, 9]", "type = 'word'", "<tag>", .wider),
        ("usage   = \"release <tag>\"", "usage = \"release [<tag>]\"", "usage", .wider),
        ("usage   = \"release <tag>\"", "usage = \"deploy <tag>\"", "usage", .other),
        ("bin/release\", ", "bin/release\", \"--\", ", "run", .other),
        ("as      = \"deploy\"", "as = \"git\"\nlogin = \"deploy\"", "as", .other),
        ("timeout = \"10m\"", "timeout = \"11m\"", "timeout", .wider),
        ("timeout = \"10m\"", "timeout = \"9m\"", "timeout", .narrower),
        ("timeout = \"10m\"", "", "timeout", .wider),
        ("timeout = \"10m\"", "timeout = \"10m\"\noutput_limit = \"1MiB\"", "output_limit", .narrower),
        ("timeout = \"10m\"", "timeout = \"10m\"\nstdin = \"none\"", "stdin", .narrower),
        ("timeout = \"10m\"", "timeout = \"10m\"\non_disconnect = \"finish\"", "on_disconnect", .wider),
        ("timeout = \"10m\"", "timeout = \"10m\"\nsignals = [\"TERM\"]", "signals", .wider),
        ("timeout = \"10m\"", "timeout = \"10m\"\nenv = { A = \"b\" }", "env", .other),
        ("timeout = \"10m\"", "timeout = \"10m\"\naccept_env = { A = 'b' }", "accept_env A", .wider),
        ("timeout = \"10m\"", "timeout = \"10m\"\ndirectory = \"/\"", "directory", .other),
        ("timeout = \"10m\"", "timeout = \"10m\"\nsummary = \"releases\"", "summary", .none),
        ("\"/srv/app\"]", "\"/srv/app\", \"/srv/data\"]", "sandbox read", .wider),
        ("\"/srv/app\"]", "\"/srv/app/bin\"]", "sandbox read", .narrower),
        ("memory  = \"1GiB\"", "memory = \"2GiB\"", "sandbox memory", .wider),
        ("memory  = \"1GiB\"", "memory = \"1GiB\"\nprocesses = 5", "sandbox processes", .narrower),
        ("memory  = \"1GiB\"", "memory = \"1GiB\"\nnetwork = [\"tcp:443\"]", "sandbox network", .wider),
        ("allow = [\"@ipc\"]", "allow = [\"@ipc\", \"mlock\"]", "sandbox system call", .wider),
        ("allow = [\"@ipc\"]", "allow = [\"@ipc\"], deny = [\"shmget\"]", "sandbox system call", .narrower),
        ("allow = [\"@ipc\"]", "allow = [\"msgget\"]", "sandbox system call", .narrower),
        ("may    = [\"release\"]", "may = [\"release\"]\nfrom = [\"192.0.2.0/24\"]", "from", .narrower),
        ("may    = [\"release\"]", "may = [\"release\"]\nexpires = 2099-01-01T00:00:00Z", "expires", .narrower),
        ("may    = [\"release\"]", "may = [\"release\"]\nnot_before = 2020-01-01T00:00:00Z", "not_before", .narrower),
        ("may    = [\"release\"]", "may = []", "may", .narrower),
        ("[key.ci]", "[key.robot]", "name", .other),
        ("version = 1", "version = 1\n[gateway]\nbanner = \"hello\"", "banner", .none),
    ]

    @Test(arguments: cases) func `there is one change`(old: String, new: String, what: String, shift: Shift) throws {
        let changed = Self.plain.replacing(old, with: new)
        #expect(changed != Self.plain)
        let forth = try difference(Self.plain, changed)
        #expect(forth.changes.map(\.what) == [what])
        #expect(forth.shift == shift)
        let back = try difference(changed, Self.plain)
        #expect(back.shift == Shift(allows: shift.refuses, refuses: shift.allows))
    }

    @Test func `a command that is told the client's line is not the same as one that is not`() throws {
        let told = Self.plain.replacing("\"release <tag>\"", with: "\"*\"").replacing("args    = { tag = { integer = [1, 9] } }\n", with: "")
            .replacing(", \"<tag>\"]", with: "]")
        #expect(try difference(told, told.replacing("\"*\"", with: "\"release\"")).changes.map(\.shift) == [.other])
    }

    @Test func `a path is where its symbolic links lead`() throws {
        let (old, new) = (try policy(Self.plain), try policy(Self.plain.replacing("[\"/srv/app\"]", with: "[\"/srv/app/bin\"]")))
        let leads = { (path: String) in path == "/srv/app/bin" ? "/usr/bin" : path }
        let difference = PolicyDifference(from: old, to: new, destination: leads) { _ in nil }
        #expect(difference.changes.map(\.new) == [nil, "/srv/app/bin"])
        #expect(difference.shift == .other)
    }

    @Test func `a filter that the rules do not explain may allow anything`() throws {
        let old = try policy(Self.plain)
        var new = try policy(Self.plain.replacing("\"10m\"", with: "\"9m\""))
        for index in new.sandboxes.indices { new.sandboxes[index].filter.program += [0] }
        let difference = PolicyDifference(from: old, to: new) { _ in nil }
        #expect(difference.changes.map(\.what) == ["timeout", "sandbox filter"])
        #expect(difference.shift.allows)
    }

    @Test func `of two commands for a subsystem the first is run`() throws {
        let sftp = Self.plain.replacing("[\"release\"]", with: "[\"one\", \"two\"]") + """

            [command.one]
            as = "files"
            subsystem = "sftp"
            run = ["/usr/lib/openssh/sftp-server"]
            [command.two]
            as = "files"
            subsystem = "sftp"
            run = ["/usr/bin/id"]
            """
        let swapped = try difference(sftp, sftp.replacing("[\"one\", \"two\"]", with: "[\"two\", \"one\"]"))
        #expect(swapped.changes.map(\.what) == ["order", "order"])
        #expect(swapped.shift == .other)
        #expect(try policy(sftp).commands.count == 3)
        #expect(Reach(of: try policy(sftp), at: 0).rows.map(\.obstacle) == [nil, .hidden(by: "one")])
    }

    static let dropping = plain.replacing("[\"release\"]", with: "[\"any\", \"inbox\"]") + """

        [command.any]
        as = "drop"
        usage = "*"
        run = ["/usr/bin/id"]
        [command.inbox]
        as = "drop"
        drop = { root = "/srv/drop/<key>" }
        verify = ["/usr/bin/id", "<path>"]
        sandbox = "v"
        [sandbox.v]
        base = "tool"
        """

    @Test func `what programs run in that look at files is compared`() throws {
        let wider = try difference(Self.dropping, Self.dropping + "\nnetwork = \"any\"")
        #expect(wider.changes.map(\.what) == ["verify sandbox network"] && wider.shift == .wider)
        let other = try difference(Self.dropping, Self.dropping.replacing("sandbox = \"v\"", with: "sandbox = \"service\""))
        #expect(other.changes.contains { $0.what == "verify sandbox network" && $0.shift == .wider })
    }

    @Test func `scp's lines are a drop account's, or those of a command before it`() throws {
        let swapped = try difference(Self.dropping, Self.dropping.replacing("[\"any\", \"inbox\"]", with: "[\"inbox\", \"any\"]"))
        #expect(swapped.changes.map(\.what) == ["order", "order"])
        let apart = Self.dropping.replacing("usage = \"*\"", with: "usage = \"rsync <a>\"")
        #expect(try difference(apart, apart.replacing("[\"any\", \"inbox\"]", with: "[\"inbox\", \"any\"]")).changes.isEmpty)
    }

    /// To Swift the KELVIN SIGN is a K.
    @Test func `texts of other bytes are other texts`() throws {
        let kelvin = Self.plain.replacing("bin/release\", ", with: "bin/release\", \"K\", ")
        let changes = try difference(kelvin, kelvin.replacing("\"K\"", with: "\"\u{212A}\"")).changes
        #expect(changes.map(\.what) == ["run"] && changes.map(\.shift) == [.other])
    }

    @Test func `a security key that need not be touched, or asks for no PIN, is less guarded`() throws {
        let key = Self.plain.replacing("ssh-ed25519 AAAA1", with: "sk-ssh-ed25519@openssh.com AAAA1")
        let untouched = try difference(key, key.replacing("may    =", with: "touch = false\nmay    ="))
        #expect(untouched.changes.map(\.what) == ["touch"] && untouched.shift == .wider)
        let known = try difference(key, key.replacing("may    =", with: "pin = true\nmay    ="))
        #expect(known.changes.map(\.what) == ["pin"] && known.shift == .narrower)
    }

    @Test func `the same policy, written otherwise, is the same`() throws {
        let other = "# a comment\n\n" + Self.plain.replacing("\"1GiB\"", with: "\"1024MiB\"").replacing("[\"/srv/app\"]", with: "[\"/srv/app/\"]")
        #expect(try difference(Self.plain, other).changes.isEmpty)
        #expect(try difference(Self.plain, Self.plain).shift == .none)
    }

    @Test func `another public key is another key`() throws {
        let changes = try difference(Self.plain, Self.plain.replacing("AAAA1", with: "AAAA2")).changes
        #expect(changes.map(\.what) == ["key", "may", "key", "may"])
        #expect(changes.map(\.shift) == [.none, .narrower, .none, .wider])
    }

    @Test func `what no key may run plays no part`() throws {
        let more = Self.plain + "\n[command.other]\nas = \"deploy\"\nusage = \"*\"\nrun = [\"/bin/sh\"]\nsandbox = \"service\"\n"
        #expect(try difference(Self.plain, more).changes.isEmpty)
    }

    static let two = plain.replacing("[\"release\"]", with: "[\"release\", \"any\"]") + """

        [command.any]
        as    = "deploy"
        usage = "*"
        run   = ["/usr/bin/id"]
        """

    @Test func `lines that a command took before another may now be the other's`() throws {
        let swapped = Self.two.replacing("[\"release\", \"any\"]", with: "[\"any\", \"release\"]")
        let changes = try difference(Self.two, swapped).changes
        #expect(changes.map(\.what) == ["order", "order"])
        #expect(changes.map(\.shift) == [.narrower, .wider])

        let narrower = try difference(Self.two, Self.two.replacing("[1, 9]", with: "[1, 8]"))
        #expect(narrower.changes.map(\.what) == ["order", "<tag>"])
        #expect(narrower.shift.allows)
    }

    @Test func `the order of commands that share no line means nothing`() throws {
        let apart = Self.two.replacing("usage = \"*\"", with: "usage = \"id\"")
        let swapped = apart.replacing("[\"release\", \"any\"]", with: "[\"any\", \"release\"]")
        #expect(try difference(apart, swapped).changes.isEmpty)
    }

    @Test func `a command for git shares lines only with one whose lines may begin with git`() throws {
        let git = Self.two.replacing("usage = \"*\"\nrun   = [\"/usr/bin/id\"]", with: "git = { root = \"/srv/git\", access = \"read\", repositories = [\"**\"] }")
        let swapped = git.replacing("[\"release\", \"any\"]", with: "[\"any\", \"release\"]")
        #expect(git != Self.two && swapped != git)
        #expect(try difference(git, swapped).changes.isEmpty)
        let unparsed = { (text: String) in text.replacing("\"release <tag>\"", with: "\"<word> <tag>\"") }
        #expect(unparsed(git) != git)
        #expect(try difference(unparsed(git), unparsed(swapped)).changes.map(\.what) == ["order", "order"])
    }

    @Test func `an account that nobody looked up is known by its name`() throws {
        let here = try policy(Self.plain)
        var elsewhere = here
        elsewhere.commands[0].account = Account(unresolved: "deploy")
        #expect(PolicyDifference(from: here, to: elsewhere) { _ in nil }.changes.isEmpty)
        elsewhere.commands[0].account = Account(unresolved: "git")
        #expect(PolicyDifference(from: here, to: elsewhere) { _ in nil }.changes.map(\.what) == ["as"])
        var moved = here
        moved.commands[0].account.uid = 77
        moved.commands[0].account.groups.append(33)
        #expect(PolicyDifference(from: here, to: moved) { _ in nil }.changes.map(\.what) == ["uid", "group"])
    }
}
