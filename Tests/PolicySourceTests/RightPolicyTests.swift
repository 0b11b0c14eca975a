import Foundation
import Policy
import PolicySource
import Testing

@Suite("DESIGN §3: what a right policy becomes") struct RightPolicyTests {
    private func policy(_ text: String, files: [String: World.File] = [:], uid: UInt32 = 0) throws -> Policy {
        var files = files
        files["policy.toml"] = World.File(text: text)
        let loaded = LoadedPolicy.read("policy.toml", World(files: files, uid: uid).surroundings)
        #expect(loaded.text == "")
        return try #require(loaded.policy)
    }

    static let deploy = #"""
        version = 1

        [key.ci]
        public     = "ssh-ed25519 AAAA1"
        may        = ["release"]
        from       = ["192.0.2.0/24", "!192.0.2.13", "2001:db8::/32"]
        not_before = 2026-01-01T00:00:00Z
        expires    = 2027-01-01T00:00:00Z

        [command.release]
        as      = "deploy"                   # the unix user it runs as; never root
        login   = "deploy"                   # the name the client logs in with; default: as
        summary = "deploy a tagged release"
        usage   = "release <tag> [--dry-run]"
        args    = { tag = { match = 'v[0-9]+\.[0-9]+\.[0-9]+' } }
        run     = ["/srv/app/bin/release", "<tag>", "[--dry-run]"]
        stdin   = "none"                     # none | stream (default)
        env     = { LANG = "C.UTF-8" }
        accept_env = { DEPLOY_NOTE = '[\w .-]{0,80}' }
        signals = ["TERM", "INT"]
        directory = "/srv/app"
        timeout = "10m"
        on_disconnect = "kill"
        sandbox = "deploy"

        [sandbox.deploy]
        base      = "tool"
        read      = ["/srv/app"]
        write     = ["/srv/app/releases"]
        execute   = ["/usr/bin", "/srv/app/bin"]
        network   = "none"
        syscalls  = { allow = ["@ipc"], deny = ["ptrace"] }
        processes = 64
        memory    = "512MiB"
        cpu       = "60s"
        open_files = 256
        file_size = "1GiB"

        [[test]]
        key = "ci"
        login = "deploy"
        command = "release v1.2.3"
        expect  = "allow"
        argv    = ["/srv/app/bin/release", "v1.2.3"]
        """#

    @Test func `of a key's public keys one may be revoked, and tests ask as another`() throws {
        let rotated = """
            version = 1
            [key.ci]
            public = ["ssh-ed25519 AAAA1", "ssh-ed25519 AAAA2"]
            may = ["id"]
            [revoked]
            keys = ["SHA256:AAAA1"]
            [command.id]
            as = "deploy"
            usage = "id"
            run = ["/usr/bin/id"]
            [[test]]
            key = "ci"
            login = "deploy"
            command = "id"
            expect = "allow"
            """
        #expect(try policy(rotated).keys.count == 2)
        let none = LoadedPolicy.read("policy.toml", World(files: ["policy.toml": .init(text: rotated.replacing("AAAA1\"]\n[command", with: "AAAA1\", \"SHA256:AAAA2\"]\n[command"))]).surroundings)
        #expect(none.policy == nil && none.text.contains("the test fails: the key is revoked"), "\(none.text)")
    }

    @Test func `the deploy example`() throws {
        let policy = try policy(Self.deploy)
        let key = try #require(policy.keys.first)
        #expect(key.name == "ci")
        #expect(key.may == [0])
        #expect(key.from.map(\.description) == ["192.0.2.0/24", "!192.0.2.13", "2001:db8::/32"])
        #expect(key.notBefore == 1_767_225_600)
        #expect(key.expires == 1_798_761_600)
        #expect(key.position == SourcePosition(file: "policy.toml", line: 3, column: 6))

        let command = try #require(policy.commands.first)
        #expect(command.account.uid == 1001)
        #expect(command.usage?.description == "release <tag> [--dry-run]")
        #expect(
            command.run == [RunWord([.literal("/srv/app/bin/release")]), RunWord([.value("tag")]), RunWord([.flag("--dry-run")])])
        #expect(!command.takesInput)
        #expect(command.environment == [EnvironmentEntry(name: "LANG", value: "C.UTF-8")])
        #expect(command.acceptEnvironment["DEPLOY_NOTE"]?.matches("on a Friday") == true)
        #expect(command.signals == ["TERM", "INT"])
        #expect(command.directory == "/srv/app")
        #expect(command.timeout == .seconds(600))
        #expect(!command.survivesDisconnect)

        let sandbox = try #require(policy.sandboxes.first)
        #expect(sandbox.name == "deploy")
        #expect(sandbox.paths.map(\.path) == ["/srv/app", "/srv/app/releases", "/usr/bin", "/srv/app/bin", "/srv/app/bin/release"])
        #expect(sandbox.paths.map(\.access) == [.read, .write, .execute, .execute, .execute])
        #expect(sandbox.limits.memory == 512 << 20)
        #expect(sandbox.limits.cpu == .seconds(60))
        #expect(sandbox.limits.fileSize == 1 << 30)
        #expect(sandbox.allowedCalls == ["@ipc"])
        #expect(sandbox.filter.program == Array("filter of deploy".utf8))
    }

    static let small = """
        version = 1

        [command.id]
        as    = "deploy"
        usage = "id"
        run   = ["/usr/bin/id"]

        """

    @Test func `a key may have several public keys`() throws {
        let policy = try policy(Self.small + "[key.alice]\npublic = ['ssh-ed25519 AAAA1 x', 'ssh-ed25519 AAAA2']\nmay = ['id']\n")
        #expect(policy.keys.map(\.name) == ["alice", "alice"])
        #expect(Set(policy.keys.map(\.fingerprint)).count == 2)
    }

    @Test func `a security key is touched unless the policy says otherwise`() throws {
        let keys = """
            [key.alice]
            public = "sk-ssh-ed25519@openssh.com AAAA1"
            may = ["id"]
            [key.robot]
            public = ["sk-ssh-ed25519@openssh.com AAAA2", "ssh-ed25519 AAAA3"]
            may = ["id"]
            touch = false
            [key.careful]
            public = "sk-ssh-ed25519@openssh.com AAAA4"
            may = ["id"]
            pin = true
            """
        let policy = try policy(Self.small + keys)
        #expect(policy.keys.map(\.requiresTouch) == [true, false, false, true])
        #expect(policy.keys.map(\.requiresPIN) == [false, false, false, true])
    }

    static let staff = small + """
        [authority.staff]
        public = "ssh-ed25519 AAAA9 ca"
        principals = { developers = ["id"], "ops@example.com" = [] }

        """

    @Test func `an authority's principals open commands`() throws {
        let policy = try policy(Self.staff)
        let authority = try #require(policy.authorities.first)
        #expect(authority.name == "staff")
        #expect(authority.principals == [.init(name: "developers", may: [0]), .init(name: "ops@example.com", may: [])])
        #expect(authority.position == SourcePosition(file: "policy.toml", line: 7, column: 12))
        #expect(policy.keys.isEmpty)
        #expect(policy.revoked.isEmpty)
    }

    @Test func `an authority may have several keys, as when one follows another`() throws {
        let policy = try policy(Self.staff.replacing("public = \"ssh-ed25519 AAAA9 ca\"", with: "public = ['ssh-ed25519 AAAA9', 'sk-ssh-ed25519@openssh.com AAAA8']"))
        #expect(policy.authorities.map(\.name) == ["staff", "staff"])
        #expect(Set(policy.authorities.map(\.fingerprint)).count == 2)
    }

    @Test func `keys, fingerprints, files of them and lists are revoked`() throws {
        let revoked = "[revoked]\nkeys = ['ssh-ed25519 AAAA1', 'SHA256:AAAA2', 'keys/revoked', '/etc/krl']\n"
        let files = ["keys/revoked": World.File(text: "# gone\nssh-ed25519 AAAA3 old\n\n  SHA256:AAAA4\nssh-ed25519 AAAA1\n"), "/etc/krl": World.File(text: "KRL\n")]
        let policy = try policy(Self.staff + revoked, files: files)
        // Four keys, one of the list, and a key id.
        #expect(policy.revoked.digests.count == 6)
        #expect(policy.revoked.serials == [.init(authority: 0, range: 1...1), .init(authority: 0, range: 5...9)])
    }

    @Test func `every file of a directory may revoke`() throws {
        let files = [
            "p/1.toml": World.File(text: Self.staff + "[revoked]\nkeys = 'SHA256:AAAA1'\n"),
            "p/2.toml": World.File(text: "version = 1\n[revoked]\nkeys = ['SHA256:AAAA2']\n"),
        ]
        let loaded = LoadedPolicy.read("p", World(files: files).surroundings)
        #expect(loaded.text == "")
        #expect(loaded.policy?.revoked.digests.count == 2)
    }

    @Test func `a command without sandbox is in the tool sandbox, and one plan serves all with its program`() throws {
        let more =
            "[command.also]\nas = 'git'\nusage = 'also'\nrun = ['/usr/bin/id', '-u']\n[key.alice]\npublic = 'ssh-ed25519 AAAA1'\nmay = ['id', 'also']\n"
        let policy = try policy(Self.small + more)
        #expect(policy.sandboxes.map(\.name) == ["tool"])
        #expect(policy.commands.map(\.sandbox) == [0, 0])
        #expect(policy.commands.map(\.login) == ["deploy", "git"])
    }

    @Test func `lists add to the base, scalars replace it`() throws {
        let sandboxes = """
            [sandbox.a]
            read = ["/srv/app"]
            memory = "1MiB"
            cpu = "5s"
            [sandbox.b]
            base = "a"
            read = ["/srv/data"]
            memory = "2MiB"
            [key.alice]
            public = "ssh-ed25519 AAAA1"
            may = ["id"]
            """
        let policy = try policy(Self.small + "sandbox = 'b'\n" + sandboxes)
        let plan = try #require(policy.sandboxes.first)
        #expect(plan.paths.map(\.path) == ["/srv/app", "/srv/data", "/usr/bin/id"])
        #expect(plan.limits.memory == 2 << 20)
        #expect(plan.limits.cpu == .seconds(5))
    }

    @Test func `a subsystem is asked for by name`() throws {
        let policy = try policy(
            """
            version = 1
            [key.alice]
            public = "ssh-ed25519 AAAA1"
            may = ["sftp-admin"]
            [command.sftp-admin]
            as        = "files"
            subsystem = "sftp"
            run       = ["/usr/lib/openssh/sftp-server"]
            [[test]]
            key = "alice"
            login = "files"
            subsystem = "sftp"
            expect = "allow"
            [[test]]
            key = "alice"
            login = "files"
            command = "sftp"
            expect = "refuse"
            reason = "not-a-command"
            """)
        #expect(policy.commands.first?.subsystem == "sftp")
        #expect(policy.commands.first?.usage == nil)
    }

    static let group = Self.small + "[group.partners]\nkeys = 'keys/partners.pub'\nmay = ['id']\n"

    @Test(arguments: [UInt32(0), 1001]) func `a group's file may be root's or the user's who runs its commands`(owner: UInt32)
        throws
    {
        let keys = World.File(text: "ssh-ed25519 AAAA1 acme\n# old\n\n\tssh-ed25519 AAAA2 beta.corp\r\n", owner: owner)
        let policy = try policy(Self.group, files: ["keys/partners.pub": keys])
        #expect(policy.keys.map(\.name) == ["acme", "beta.corp"])
        #expect(policy.keys.map(\.position.line) == [1, 4])
        #expect(policy.keys.allSatisfy { $0.may == [0] })
    }

    @Test func `a directory is read in name order`() throws {
        let files = [
            "p/20-keys.toml": World.File(text: "version = 1\n[key.bob]\npublic = 'ssh-ed25519 AAAA2'\nmay = ['id']\n"),
            "p/10-keys.toml": World.File(text: "version = 1\n[key.alice]\npublic = 'ssh-ed25519 AAAA1'\nmay = ['id']\n"),
            "p/30-commands.toml": World.File(text: Self.small),
        ]
        let loaded = LoadedPolicy.read("p", World(files: files).surroundings)
        #expect(loaded.text == "")
        #expect(loaded.policy?.keys.map(\.name) == ["alice", "bob"])
    }

    @Test func `warnings are silenced where they stand`() throws {
        _ = try policy(
            """
            version = 1
            [key.alice]
            public = "ssh-ed25519 AAAA1"
            may = ["all"]
            expires = 2020-01-01T00:00:00Z
            allow_warnings = ["expired-key"]
            [command.all]
            as    = "deploy"
            usage = "*"
            run   = ["/srv/open/tool"]
            sandbox = "wide"
            allow_warnings = ["any-line", "writable-program"]
            [sandbox.wide]
            base = "service"
            network = "unix"
            read = ["/nowhere"]
            allow_warnings = ["wide-network", "missing-path"]
            """)
    }

    @Test func `a normal user is told what the gateway cannot run`() {
        let files = [
            "policy.toml": World.File(
                text: Self.small.replacing("[command.id]", with: "[command.id]\nallow_warnings = ['unused-command']"), owner: 1002)
        ]
        let loaded = LoadedPolicy.read("policy.toml", World(files: files, uid: 1002).surroundings)
        #expect(loaded.diagnostics.map(\.name) == ["foreign-user"])
    }

    @Test func `tests are decided at a time and from a place where the key may enter`() throws {
        let text = Self.deploy.replacing("2027-01-01", with: "2026-02-01")
        let loaded = LoadedPolicy.read("policy.toml", World(files: ["policy.toml": .init(text: text)]).surroundings)
        #expect(loaded.diagnostics.map(\.name) == ["expired-key"])
    }

    @Test func `the policy to start from is sound, and has tests`() throws {
        let text = StarterPolicy.text(user: "deploy", publicKey: "ssh-ed25519 AAAA1", directory: "/srv/a \"b\"\\c")
        var surroundings = World(files: ["policy.toml": .init(text: text)]).surroundings
        surroundings.exists = { _ in true }
        surroundings.program = { path, _ in World.programs[path == "/usr/bin/git" ? "/bin/echo" : path] ?? .missing }
        let loaded = LoadedPolicy.read("policy.toml", surroundings)
        #expect(loaded.text == "")
        #expect(loaded.policy?.commands.map(\.name) == ["greet", "date", "repositories", "inbox"])
        #expect(loaded.policy?.commands.compactMap { $0.git?.root ?? $0.drop?.root } == ["/srv/a \"b\"\\c/git", "/srv/a \"b\"\\c/drop/<key>"])
        #expect(loaded.testCount == 7)
        #expect(loaded.examples.first.map { [$0.key, $0.login, $0.command] } == ["me", "deploy", "greet world"])
    }

    @Test func `the policies that come with Postern are sound`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../policies").standardized
        var files: [String: World.File] = [:]
        for case let file as URL in try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)) {
            guard ["toml", "pub"].contains(file.pathExtension) else { continue }
            files[String(file.path().dropFirst(folder.path().count).drop { $0 == "/" })] = World.File(
                text: try String(contentsOf: file, encoding: .utf8))
        }
        let policies = files.keys.filter { $0.hasSuffix(".toml") }
        #expect(policies.contains("deploy.toml"))
        for path in policies {
            // They name users and programs of the machines they are for.
            var surroundings = World(files: files).surroundings
            surroundings.account = { name in Account(unresolved: name) }
            let loaded = LoadedPolicy.read(path, surroundings)
            #expect(loaded.diagnostics.filter { $0.severity == .error }.map(\.description) == [])
            #expect(loaded.testCount > 0)
        }
    }
}

@Suite("limits") struct LimitTests {
    @Test func `a key file of many lines is read quickly`() {
        let lines = (0..<20_000).map { "ssh-ed25519 AAAA\($0) k\($0)\n" }.joined()
        let files = ["policy.toml": World.File(text: RightPolicyTests.group), "keys/partners.pub": World.File(text: lines)]
        let loaded = LoadedPolicy.read("policy.toml", World(files: files).surroundings)
        #expect(loaded.policy?.keys.count == 20_000)
    }

    @Test func `faults beyond the limit are counted`() {
        let lines = (0..<1000).map { "ssh-ed25519 AAAA\($0)\n" }.joined()
        let files = ["policy.toml": World.File(text: RightPolicyTests.group), "keys/partners.pub": World.File(text: lines)]
        let loaded = LoadedPolicy.read("policy.toml", World(files: files).surroundings)
        #expect(loaded.diagnostics.count == 200)
        #expect(loaded.unlisted == 800)
        #expect(loaded.text.hasSuffix("and 800 more\n"))
    }

    @Test(
        arguments: [
            [0x61, 0x00], [0x61, 0xFF, 0x20], [0x22, 0xC3],
            Array("a = [".utf8) + Array(repeating: UInt8(ascii: "["), count: 100_000),
            Array("a".utf8) + Array(repeating: UInt8(ascii: "."), count: 100_000),
        ] as [[UInt8]])
    func `bytes that are no policy are refused`(bytes: [UInt8]) {
        var surroundings = World(files: ["policy.toml": .init(text: "")]).surroundings
        surroundings.read = { _, _, _ throws(Objection) in bytes }
        let loaded = LoadedPolicy.read("policy.toml", surroundings)
        #expect(loaded.policy == nil)
        #expect(loaded.diagnostics.count == 1)
    }
}
