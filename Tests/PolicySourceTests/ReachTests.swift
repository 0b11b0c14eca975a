import PolicySource
import Testing

@Suite("postern matrix: which keys reach which commands") struct ReachTests {
    static let text = #"""
        version = 1
        [key.alice]
        public = ["ssh-ed25519 AAAA1", "ssh-ed25519 AAAA2"]
        may    = ["small", "large", "small-again", "other-login", "sftp"]
        [key.ci]
        public = "ssh-ed25519 AAAA3"
        may    = ["small"]
        from   = ["192.0.2.0/24"]
        expires = 2027-01-01T00:00:00Z
        [key.later]
        public = "ssh-ed25519 AAAA4"
        may    = ["small"]
        not_before = 2027-01-01T00:00:00Z
        [key.idle]
        public = "ssh-ed25519 AAAA5"
        may    = []
        [command.small]
        as = "deploy"
        usage = "do <what>"
        args = { what = { one_of = ["this"] } }
        run = ["/bin/echo", "<what>"]
        [command.large]
        as = "deploy"
        usage = "do <what> [<more>]"
        run = ["/bin/echo", "<what>", "[<more>]"]
        [command.small-again]
        as = "deploy"
        usage = "do <what>"
        args = { what = { integer = [1, 9] } }
        run = ["/bin/echo", "<what>"]
        [command.other-login]
        as = "deploy"
        login = "other"
        usage = "do <what>"
        run = ["/bin/echo", "<what>"]
        [command.sftp]
        as = "files"
        subsystem = "sftp"
        run = ["/usr/lib/openssh/sftp-server"]
        [command.nobodys]
        as = "deploy"
        usage = "nobodys"
        run = ["/usr/bin/id"]
        """#

    /// 2026-07-01 and 2027-07-01.
    static let (summer, nextSummer): (Int64, Int64) = (1_782_864_000, 1_814_400_000)

    private func reach(at now: Int64, from address: String? = nil) throws -> Reach {
        let loaded = LoadedPolicy.read("policy.toml", World(files: ["policy.toml": .init(text: Self.text)]).surroundings)
        return Reach(of: try #require(loaded.policy), at: now, from: address)
    }

    private func obstacles(_ reach: Reach, _ key: String) -> [Reach.Obstacle?] {
        reach.rows.filter { $0.key.name == key }.map(\.obstacle)
    }

    @Test func `a command is hidden by one that takes all its lines under the same login`() throws {
        let reach = try reach(at: Self.summer)
        #expect(obstacles(reach, "alice") == [nil, nil, .hidden(by: "large"), nil, nil])
        #expect(reach.rows.first?.fingerprints.count == 2)
        #expect(reach.idleKeys == ["idle"])
        #expect(reach.unusedCommands.map(\.name) == ["nobodys"])
    }

    @Test func `principals reach commands as keys do, and what is revoked reaches none`() throws {
        let text =
            RightPolicyTests.staff.replacing("= []", with: "= ['id']")
            + "[key.alice]\npublic = 'ssh-ed25519 AAAA1'\nmay = ['id']\n[revoked]\nkeys = ['SHA256:AAAA1']\n"
        let loaded = LoadedPolicy.read("policy.toml", World(files: ["policy.toml": .init(text: text)]).surroundings)
        let reach = Reach(of: try #require(loaded.policy, "\(loaded.text)"), at: Self.summer)
        #expect(obstacles(reach, "alice") == [.revoked])
        #expect(obstacles(reach, "staff/developers") == [nil] && obstacles(reach, "staff/ops@example.com") == [nil])
        #expect(reach.unusedCommands.isEmpty)
    }

    @Test func `a key is bound to its time`() throws {
        #expect(obstacles(try reach(at: Self.summer), "ci") == [nil])
        #expect(obstacles(try reach(at: Self.nextSummer), "ci") == [.expired(1_798_761_600)])
        #expect(obstacles(try reach(at: Self.summer), "later") == [.notYetValid(1_798_761_600)])
        #expect(obstacles(try reach(at: Self.nextSummer), "later") == [nil])
    }

    @Test func `a key is bound to its addresses`() throws {
        #expect(obstacles(try reach(at: Self.summer, from: "192.0.2.7"), "ci") == [nil])
        #expect(obstacles(try reach(at: Self.summer, from: "198.51.100.7"), "ci") == [.wrongAddress])
        #expect(obstacles(try reach(at: Self.summer, from: "198.51.100.7"), "later") == [.notYetValid(1_798_761_600)])
    }

    static let times: [(Int64, String)] = [
        (0, "1970-01-01T00:00:00Z"), (1_798_761_599, "2026-12-31T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
    ]

    @Test(arguments: times) func `a time is written as in a policy`(seconds: Int64, text: String) {
        #expect(Moment.text(seconds) == text)
    }
}
