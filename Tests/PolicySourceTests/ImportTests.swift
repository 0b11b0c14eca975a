import Policy
import PolicySource
import Testing

@Suite("sshd(8): an authorized_keys file becomes a policy") struct ImportTests {
    private func imported(_ text: String, _ options: AuthorizedKeysImport.Options = .init(user: "deploy")) -> AuthorizedKeysImport {
        AuthorizedKeysImport(
            SourceFile(name: "keys", bytes: Array(text.utf8)), options, publicKey: World(files: [:]).surroundings.publicKey,
            // A zone two hours east of Greenwich.
            localTime: { time in
                var time = time
                time.hour -= 2
                return time.hour < 0 ? nil : Self.seconds[time.hour]
            })
    }

    private static let seconds: [Int: Int64] = [10: 1_798_797_600]

    /// The policy, which must be sound and whose tests must hold.
    private func policy(_ result: AuthorizedKeysImport) throws -> Policy {
        let text = try #require(result.policy)
        let loaded = LoadedPolicy.read("policy.toml", World(files: ["policy.toml": .init(text: text)]).surroundings)
        return try #require(loaded.policy, "\(text)\n\(loaded.text)")
    }

    /// The options of a line, and the argv that its key may run.
    static let commands: [(String, [String])] = [
        (#"command="/usr/bin/id""#, ["/usr/bin/id"]),
        (#"command="/usr/bin/id -u",restrict"#, ["/usr/bin/id", "-u"]),
        (#"restrict,command="/usr/bin/id -u""#, ["/usr/bin/id", "-u"]),
        (#"COMMAND="/usr/bin/id",No-Pty,NO-PORT-FORWARDING"#, ["/usr/bin/id"]),
        (#"no-agent-forwarding,no-X11-forwarding,no-user-rc,command="/usr/bin/id  a   b""#, ["/usr/bin/id", "a", "b"]),
        (#"command="/usr/bin/id \"a b\" 'c d' e\ f""#, ["/usr/bin/id", "a b", "c d", "e f"]),
        (#"command="/usr/bin/id 'say \"hello\"'""#, ["/usr/bin/id", #"say "hello""#]),
        (#"command="/usr/bin/id \\"a\\"""#, ["/usr/bin/id", #""a""#]),
        (#"command="/usr/bin/id \\\"a\\\"""#, ["/usr/bin/id", #"\a\"#]),
        (#"command="/usr/bin/id --a=b ü ''""#, ["/usr/bin/id", "--a=b", "ü", ""]),
        (#"command="/usr//bin/id""#, ["/usr/bin/id"]),
    ]

    @Test(arguments: commands) func `a forced command becomes an argv`(options: String, argv: [String]) throws {
        let result = imported("\(options) ssh-ed25519 AAAA1 alice\n")
        #expect(result.refused.map(\.description) == [])
        let policy = try policy(result)
        let command = try #require(policy.commands.first)
        #expect(command.run == argv.map { RunWord([.literal($0)]) })
        #expect(command.usage?.description == command.name)
        #expect(command.account.name == "deploy")
    }

    /// What stands before the key, what is said, and which column it points at.
    static let refused: [(String, String, Int)] = [
        ("", "the key has no command: it opens a shell, and there is none here", 1),
        ("restrict ", "the key has no command: it opens a shell, and there is none here", 10),
        (#"command="/bin/a",pty "#, "\"pty\" cannot be taken over: there are no terminals here", 18),
        (#"command="/bin/a",permitopen="h:1" "#, "\"permitopen\" cannot be taken over: there is no forwarding here", 18),
        (#"tunnel="0",command="/bin/a" "#, "\"tunnel\" cannot be taken over: there are no tunnels here", 1),
        (#"cert-authority,from="192.0.2.1",command="/bin/a" "#, "an authority has no \"from\" here", 16),
        (#"expiry-time="20300101Z",cert-authority,command="/bin/a" "#, "an authority has no \"expiry-time\" here", 1),
        (#"cert-authority,verify-required,command="/bin/a" "#, "an authority has no \"verify-required\" here", 16),
        (#"cert-authority,principals="",command="/bin/a" "#, "\"principals\" names nobody", 16),
        (#"cert-authority,principals="a b",command="/bin/a" "#, "\"a b\" cannot be a principal", 16),
        (#"cert-authority,principals="a",principals="b",command="/bin/a" "#, "there is a second \"principals\"", 31),
        (#"cert-authority="yes",command="/bin/a" "#, "\"cert-authority\" takes no value", 1),
        (#"cert-authority,principals="a" "#, "the key has no command: it opens a shell, and there is none here", 31),
        (#"principals="a",command="/bin/a" "#, "\"principals\" cannot be taken over: it is for a line with \"cert-authority\"", 1),
        (#"verify-required="x",command="/bin/a" "#, "\"verify-required\" takes no value", 1),
        (#"verify-required,command="/bin/a" "#, "this key is no security key, and has an option for one", 34),
        (#"command="/bin/a",no-touch-required "#, "this key is no security key, and has an option for one", 36),
        (#"command="/bin/a",frobnicate "#, "option \"frobnicate\" is not known, so the line is not taken over", 18),
        (#"command="/bin/a",x="y" "#, "option \"x\" is not known, so the line is not taken over", 18),
        (#"command="/bin/a",command="/bin/b" "#, "there is a second command", 18),
        (#"command "#, "\"command\" has no value", 1),
        (#"restrict="yes",command="/bin/a" "#, "\"restrict\" takes no value", 1),
        (#"command=/bin/a "#, "the value must stand in double quotes", 9),
        (#"command="/bin/a "#, "this quote is never closed", 9),
        (#"command="/bin/a"x "#, "a comma or a blank must come before this", 17),
        (#"command="/bin/a",, "#, "here an option should begin", 18),
        (#"command="/bin/a", "#, "here an option should begin", 18),
        (#"command="id" "#, "the program \"id\" is not named from the root", 1),
        (#"command="internal-sftp" "#, "the program \"internal-sftp\" is not named from the root", 1),
        (#"command="/bin/../a" "#, "the program's path goes through \".\" or \"..\"", 1),
        (#"command="" "#, "the command is not plain words: there is no command in the line", 1),
        (#"command="/bin/a; /bin/b" "#, "the command is not plain words: \";\" would start another command", 16),
        (#"command="/bin/a $SSH_ORIGINAL_COMMAND" "#, "the command is not plain words: \"$\" would be replaced by a shell", 17),
        (#"command="/bin/a \"$X\"" "#, "the command is not plain words: \"$\" would be replaced by a shell", 19),
        (#"command="/bin/a *.txt" "#, "the command is not plain words: \"*\" would match file names", 17),
        (#"command="/bin/a >b" "#, "the command is not plain words: \">\" would redirect", 17),
        (#"command="X=1 /bin/a" "#, "the command is not plain words: \"X=\" would set a variable", 11),
        (#"command="/bin/a {b,c}" "#, "some shells would make several words of braces", 17),
        (#"command="/bin/a '<tag>'" "#, "the word \"<tag>\" has a meaning of its own in \"run\"", 1),
        (#"command="/bin/a '[x]'" "#, "the word \"[x]\" has a meaning of its own in \"run\"", 1),
        (#"from="*.example.org",command="/bin/a" "#, "\"*.example.org\" in \"from\" is neither an address nor a network", 1),
        (#"from="192.0.2.7/24",command="/bin/a" "#, "\"192.0.2.7/24\" in \"from\" is neither an address nor a network", 1),
        (#"from="!192.0.2.7",command="/bin/a" "#, "\"from\" only excludes: it admits nobody", 1),
        (#"expiry-time="soon",command="/bin/a" "#, "\"soon\" is not a time", 1),
        (#"expiry-time="20270230Z",command="/bin/a" "#, "\"20270230Z\" is not a time", 1),
        (#"expiry-time="2027010112Z",command="/bin/a" "#, "\"2027010112Z\" is not a time", 1),
        (#"environment="A",command="/bin/a" "#, "\"A\" sets no variable", 1),
        (#"environment="SSH_X=1",command="/bin/a" "#, "\"SSH_X\" is set by the gateway", 1),
    ]

    @Test(arguments: refused) func `a line that cannot be had is refused`(options: String, reason: String, column: Int) {
        let result = imported("# remark\n\(options)ssh-ed25519 AAAA1 alice\n")
        #expect(result.policy == nil)
        #expect(result.accepted.isEmpty && result.notes.isEmpty)
        #expect(result.refused.map(\.message) == [reason])
        #expect(result.refused.first?.position == SourcePosition(file: "keys", line: 2, column: column))
    }

    static let types = ["ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "sk-ecdsa-sha2-nistp256@openssh.com"]

    @Test(arguments: types) func `another type of key is refused with what to do`(type: String) throws {
        let result = imported("command=\"/bin/a\" \(type) AAAA1 alice\n")
        #expect(result.policy == nil)
        let hint = try #require(result.refused.first?.hint)
        #expect(hint.contains("ssh-keygen -t ed25519\(type.hasPrefix("sk-") ? "-sk" : ""),"))
    }

    @Test(arguments: [("", true, false), ("no-touch-required,", false, false), ("verify-required,", true, true), ("verify-required,no-touch-required,", false, true)])
    func `a security key is touched, and asks for a PIN, as it was under sshd`(options: String, touch: Bool, pin: Bool) throws {
        let result = imported("\(options)command=\"/usr/bin/id\" sk-ssh-ed25519@openssh.com AAAA1 alice\n")
        let key = try #require(try policy(result).keys.first)
        #expect(key.requiresTouch == touch && key.requiresPIN == pin)
    }

    static let times: [(String, Int64)] = [
        ("20270101Z", 1_798_761_600), ("202701011000Z", 1_798_797_600), ("20270101100030Z", 1_798_797_630), ("202701011200", 1_798_797_600),
    ]

    @Test(arguments: times) func `expiry-time is in UTC, or of this machine's zone`(text: String, expires: Int64) throws {
        let policy = try policy(imported("expiry-time=\"\(text)\",command=\"/usr/bin/id\" ssh-ed25519 AAAA1 alice\n"))
        #expect(policy.keys.first?.expires == expires)
    }

    @Test func `the earliest of several times counts, and of several values of a variable the first`() throws {
        let options = #"expiry-time="20280101Z",environment="A=1",expiry-time="20270101Z",environment="A=2",environment="B=\"x\"""#
        let policy = try policy(imported("\(options),command=\"/usr/bin/id\" ssh-ed25519 AAAA1 alice\n"))
        #expect(policy.keys.first?.expires == 1_798_761_600)
        #expect(policy.commands.first?.environment == [.init(name: "A", value: "1"), .init(name: "B", value: "\"x\"")])
    }

    @Test func `from is kept`() throws {
        let policy = try policy(imported("from=\"192.0.2.0/24,!192.0.2.7,2001:db8::1\",command=\"/usr/bin/id\" ssh-ed25519 AAAA1 a\n"))
        #expect(policy.keys.first?.from.map(\.description) == ["192.0.2.0/24", "!192.0.2.7", "2001:db8::1"])
    }

    @Test func `equal commands are one, other ones have other names`() throws {
        let result = imported(
            """
            restrict,command="/usr/bin/id" ssh-ed25519 AAAA1 alice
            restrict,command="/usr/bin/id" ssh-ed25519 AAAA2 bob
            restrict,command="/usr/bin/id -u" ssh-ed25519 AAAA3 carol
            restrict,command="/usr/bin/id",environment="A=b" ssh-ed25519 AAAA4 dave
            restrict,command="/usr/local/bin/help" ssh-ed25519 AAAA5 eve
            """)
        let policy = try policy(result)
        #expect(policy.commands.map(\.name) == ["id", "id-2", "id-3", "help-2"])
        #expect(policy.keys.map(\.may) == [[0], [0], [1], [2], [3]])
        #expect(result.notes.allSatisfy { !$0.contains("restrict") })
    }

    @Test func `a line with cert-authority becomes an authority`() throws {
        let result = imported(
            """
            cert-authority,principals="developers,operators",command="/usr/bin/id" ssh-ed25519 AAAA1 Staff CA
            command="/usr/bin/id",restrict,cert-authority,principals="admins,operators" ssh-ed25519 AAAA1 Staff CA
            command="/usr/bin/id -u",restrict,cert-authority,principals="root" ssh-ed25519 AAAA1 Staff CA
            cert-authority,command="/usr/bin/id" ssh-ed25519 AAAA2
            command="/usr/bin/id" ssh-ed25519 AAAA3 alice
            cert-authority,principals="admins",command="/usr/bin/id" ssh-ed25519 AAAA1 again
            command="/usr/bin/tar" ssh-ed25519 AAAA1 as-a-key
            cert-authority,command="/usr/bin/tar" ssh-ed25519 AAAA3 as-an-authority
            """)
        let policy = try policy(result)
        #expect(policy.keys.map(\.name) == ["alice"])
        #expect(policy.authorities.map(\.name) == ["staff-ca", "authority-4"])
        let first = try #require(policy.authorities.first)
        #expect(first.principals == [.init(name: "developers", may: [0]), .init(name: "operators", may: [0]), .init(name: "admins", may: [0])])
        #expect(policy.authorities.last?.principals == [.init(name: "deploy", may: [0])], "sshd wants the user's name where no principal is named")
        #expect(result.accepted.prefix(2) == [
            "keys:1: certificates of authority \"staff-ca\", from \"Staff CA\", with the principal \"developers\", \"operators\" may run command \"id\"",
            "keys:2: certificates of authority \"staff-ca\", from \"Staff CA\", with the principal \"admins\" may run command \"id\"",
        ])
        #expect(result.refused.map(\.message) == [
            "line 1 has another command for certificates of this authority", "line 1 is for these certificates already",
            "this public key is in line 1 already", "this public key is in line 5 already",
        ])
        #expect(result.notes.contains("sshd took a certificate without principals for anybody's; here it opens nothing, and its key id must be a name"))
    }

    static let names: [(String, String)] = [
        ("alice", "alice"), ("Alice@Laptop.example", "alice-laptop.example"), ("", "key-1"), ("Zoë B.", "zo-b"), ("--- x ---", "x"),
        ("日本", "key-1"), ("a b\tc", "a-b-c"), (String(repeating: "x", count: 90), String(repeating: "x", count: 56)),
    ]

    @Test(arguments: names) func `a comment becomes a name`(comment: String, name: String) throws {
        let policy = try policy(imported("command=\"/usr/bin/id\" ssh-ed25519 AAAA1 \(comment)\n"))
        #expect(policy.keys.map(\.name) == [name])
    }

    @Test func `names are unique, and a key that is there twice is refused`() throws {
        let line = { (key: String) in "restrict,command=\"/usr/bin/id\" ssh-ed25519 \(key) me@home\n" }
        let result = imported(line("AAAA1") + line("AAAA2") + line("AAAA1"))
        #expect(try policy(result).keys.map(\.name) == ["me-home", "me-home-2"])
        #expect(result.accepted == [
            "keys:1: key \"me-home\", from \"me@home\", may run command \"id\"",
            "keys:2: key \"me-home-2\", from \"me@home\", may run command \"id\"",
        ])
        #expect(result.refused.map(\.message) == ["this public key is in line 1 already"])
    }

    @Test func `a login name and any line are as asked for`() throws {
        let result = imported(
            "command=\"/usr/bin/id\" ssh-ed25519 AAAA1 alice\r\n", .init(user: "deploy", login: "backup", takesAnyLine: true))
        let command = try #require(try policy(result).commands.first)
        #expect(command.login == "backup" && command.account.name == "deploy")
        #expect(command.usage?.acceptsAnyLine == true)
    }

    @Test func `what stands in a file is quoted in the policy`() throws {
        let result = imported("command=\"/usr/bin/id 'a\\\"b' 'c\\d' '\u{202e}'\" ssh-ed25519 AAAA1 alice \"quoted\" \\\\ \u{200b}\n")
        let policy = try policy(result)
        #expect(policy.commands.first?.run.dropFirst().map(\.pieces) == [[.literal("a\"b")], [.literal("c\\d")], [.literal("\u{202e}")]])
        #expect(result.policy?.unicodeScalars.contains("\u{202e}") == false)
    }

    @Test func `no bytes make it trap, and what it writes is sound`() {
        var random = SystemRandomNumberGenerator()
        let pieces = ["command=\"", "/usr/bin/id", "\"", ",", " ", "\\", "\n", "from=\"", "192.0.2.1", "ssh-ed25519 ", "AAAA", "1", "=", "é", "\u{0}", "restrict", "cert-authority,", "principals=\"a\","]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 1...24, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let result = imported(text)
            guard let policy = result.policy else { continue }
            let loaded = LoadedPolicy.read("policy.toml", World(files: ["policy.toml": .init(text: policy)]).surroundings)
            #expect(loaded.policy != nil, "\(text)\n\(policy)\n\(loaded.text)")
        }
    }
}
