import Policy
import PolicySource
import Testing

@Suite("postern diff: certificates and what is revoked") struct CertificateDifferenceTests {
    /// A policy of one listed key, and an authority with two principals.
    static let plain = #"""
        version = 1
        [key.ci]
        public = "ssh-ed25519 AAAA1"
        may    = ["release"]
        [authority.staff]
        public     = "ssh-ed25519 AAAA9"
        principals = { developers = ["release"], operators = ["stop"] }
        [revoked]
        keys = ["SHA256:AAAA5", "list"]
        [command.release]
        as    = "deploy"
        usage = "release"
        run   = ["/usr/bin/id"]
        [command.stop]
        as    = "deploy"
        usage = "stop"
        run   = ["/usr/bin/id"]
        [command.any]
        as    = "deploy"
        usage = "*"
        run   = ["/usr/bin/id"]
        """#

    private func policy(_ text: String) throws -> Policy {
        let loaded = LoadedPolicy.read("policy.toml", World(files: ["policy.toml": .init(text: text), "list": .init(text: "KRL1")]).surroundings)
        return try #require(loaded.policy, "\(loaded.text)")
    }

    private func difference(_ old: String, _ new: String) throws -> PolicyDifference {
        PolicyDifference(from: try policy(old), to: try policy(new)) { _ in nil }
    }

    /// What is replaced in the policy by what, what is then said to differ, and how.
    static let cases: [(String, String, [String], Shift)] = [
        ("developers = [\"release\"]", "developers = [\"release\", \"stop\"]", ["may"], .wider),
        ("developers = [\"release\"]", "developers = []", ["may"], .narrower),
        ("developers = [\"release\"]", "developers = [\"stop\"]", ["may", "may"], .other),
        ("{ developers", "{ guests = [\"stop\"], developers", ["may"], .wider),
        (", operators = [\"stop\"]", "", ["may"], .narrower),
        ("operators =", "admins =", ["may", "may"], .other),
        ("[authority.staff]", "[authority.people]", ["name"], .none),
        ("\"ssh-ed25519 AAAA9\"", "[\"ssh-ed25519 AAAA9\", \"ssh-ed25519 AAAA8\"]", ["authority", "may", "may"], .wider),
        ("\"SHA256:AAAA5\", ", "\"SHA256:AAAA5\", \"SHA256:AAAA6\", ", ["revoked"], .narrower),
        ("\"SHA256:AAAA5\", ", "", ["revoked"], .wider),
        ("\"SHA256:AAAA5\", ", "\"SHA256:AAAA5\", \"SHA256:AAAA1\", ", ["revoked"], .narrower),
        ("\"SHA256:AAAA5\", ", "\"SHA256:AAAA5\", \"SHA256:AAAA9\", ", ["revoked"], .narrower),
        (", \"list\"", "", ["revoked serials", "revoked"], .wider),
        ("[key.ci]", "[key.robot]", ["name", "key id", "key id"], .other),
        ("version = 1", "version = 1\n[gateway]\nproxy = { from = [\"127.0.0.1\"] }", ["proxy"], .other),
    ]

    @Test(arguments: cases) func `it is told`(old: String, new: String, what: [String], shift: Shift) throws {
        let changed = Self.plain.replacing(old, with: new)
        #expect(changed != Self.plain)
        let forth = try difference(Self.plain, changed)
        #expect(forth.changes.map(\.what) == what)
        #expect(forth.shift == shift)
        let back = try difference(changed, Self.plain)
        #expect(back.shift == Shift(allows: shift.refuses, refuses: shift.allows))
    }

    @Test func `another key of the authority is another authority`() throws {
        let changes = try difference(Self.plain, Self.plain.replacing("AAAA9", with: "AAAA8")).changes
        // The list's serials and key ids are those of the first.
        #expect(changes.map(\.what) == ["authority", "may", "may", "authority", "may", "may", "revoked"])
        #expect(changes.map(\.shift) == [.none, .narrower, .narrower, .none, .wider, .wider, .wider])
    }

    @Test func `a certificate may have several principals, whose commands are tried in order`() throws {
        let two = Self.plain.replacing("operators = [\"stop\"]", with: "operators = [\"any\"]")
        let swapped = two.replacing("{ developers = [\"release\"], operators = [\"any\"] }", with: "{ operators = [\"any\"], developers = [\"release\"] }")
        let changes = try difference(two, swapped).changes
        #expect(changes.map(\.what) == ["order", "order"])
        #expect(changes.map(\.shift) == [.narrower, .wider])
    }

    @Test func `what only certificates reach is compared too`() throws {
        let changes = try difference(Self.plain, Self.plain.replacing("usage = \"stop\"", with: "usage = \"stop [now]\"")).changes
        #expect(changes.map(\.subject) == [.command(name: "stop", keys: ["staff/operators"])])
        #expect(changes.map(\.shift) == [.wider])
    }

    @Test func `with the key of a name that goes, certificates of that name count`() throws {
        let key = "[key.ci]\npublic = \"ssh-ed25519 AAAA1\"\nmay    = [\"release\"]\n"
        let changes = try difference(Self.plain, Self.plain.replacing(key, with: "")).changes
        #expect(changes.map(\.what) == ["key", "may", "key id"])
        #expect(changes.map(\.shift) == [.none, .narrower, .wider])
    }

    @Test func `what is revoked is no access that grows or shrinks`() throws {
        let revoked = Self.plain.replacing("AAAA5", with: "AAAA1")
        let key = "[key.ci]\npublic = \"ssh-ed25519 AAAA1\"\nmay    = [\"release\"]\n"
        let removed = try difference(revoked, revoked.replacing(key, with: ""))
        #expect(removed.changes.map(\.shift) == [.none, .none, .wider])
        let alone = "version = 1\n[revoked]\nkeys = [\"SHA256:AAAA1\"]\n"
        #expect(try difference(alone, alone.replacing("AAAA1", with: "AAAA2")).shift == .none, "without keys and authorities it touches nobody")
    }

    static let ranges: [([ClosedRange<UInt64>], [ClosedRange<UInt64>], String)] = [
        ([1...9], [], "1-9"), ([1...9], [1...9], ""), ([1...9], [3...4], "1-2, 5-9"), ([1...9], [0...0, 5...20], "1-4"), ([1...2, 8...9], [2...8], "1, 9"),
        ([1...1, 3...3, 5...5, 7...7, 9...9, 11...11, 13...14], [], "1, 3, 5, 7, 9 and 2 more"), ([0...UInt64.max], [0...0, UInt64.max...UInt64.max], "1-18446744073709551614"),
        ([3...4, 6...7], [1...3, 5...6], "4, 7"),
    ]

    @Test(arguments: ranges) func `serials are told as ranges`(ranges: [ClosedRange<UInt64>], others: [ClosedRange<UInt64>], text: String) {
        let without = { (ranges: [ClosedRange<UInt64>]) in
            var policy = Policy()
            policy.authorities = [CertificateAuthority(name: "a", fingerprint: [1], principals: [], position: SourcePosition(file: "", line: 1, column: 1))]
            policy.revoked = Revocations(serials: ranges.map { .init(authority: 0, range: $0) })
            return policy
        }
        let changes = PolicyDifference(from: without(others), to: without(ranges)) { _ in nil }.changes.filter { $0.shift == .narrower }
        #expect(changes.map(\.new) == (text.isEmpty ? [] : [text]))
    }
}
