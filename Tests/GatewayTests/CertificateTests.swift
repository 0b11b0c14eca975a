import Foundation
import Testing

/// An authority whose certificates open what the tests need.
enum Staff {
    static let table = """
        [authority.staff]
        public = "$KEY(ca)"
        principals = { developers = ["sh"], operators = ["other", "sh"], elsewhere = ["afar"] }

        """
    static let commands =
        TestPolicy.shell + TestPolicy.command("other", run: ["/bin/echo", "other"]) + TestPolicy.command("afar", run: ["/bin/true"], lines: "login = 'afar'")
    static let policy = TestPolicy(commands: commands, signers: ["ca", "rogue"], more: table)
}

extension Gateway {
    /// Makes a certificate for the key called `user` beside it, as `ssh-keygen -s` does with these options.
    func certify(_ user: String, by authority: String = "ca", id: String = "carol", _ options: [String]) throws {
        if !FileManager.default.fileExists(atPath: "\(directory)/\(user)") { try Self.makeKey("\(directory)/\(user)") }
        let made = try run(["/usr/bin/ssh-keygen", "-q", "-s", "\(directory)/\(authority)", "-I", id] + options + ["\(directory)/\(user).pub"])
        guard made.code == 0 else { throw Trouble("ssh-keygen -s: \(made)") }
    }

    /// What the last connection's certificate was answered with.
    func certificateRecord() throws -> AuditRecord {
        let connection = try #require(try records("connect").last).connection
        let found = try records("authentication").filter { $0.connection == connection && ($0["algorithm"].contains("-cert-") || $0["result"] == "granted") }
        return try #require(found.first)
    }
}

@Suite("DESIGN §3.1: certificates") struct CertificateTests {
    /// How a certificate is made, and why it is refused; nil: it opens.
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var authority = "ca"
        var id = "carol"
        let options: [String]
        let reason: String?
    }

    static let cases: [Case] = [
        Case(testDescription: "one principal", options: ["-n", "developers"], reason: nil),
        Case(testDescription: "several principals, one of them known", options: ["-n", "guests,operators,root"], reason: nil),
        Case(testDescription: "valid now", options: ["-n", "developers", "-V", "-1h:+1h"], reason: nil),
        Case(testDescription: "valid always", options: ["-n", "developers", "-V", "always:forever", "-z", "18446744073709551615"], reason: nil),
        Case(testDescription: "from here", options: ["-n", "developers", "-O", "source-address=192.0.2.0/24,127.0.0.0/8"], reason: nil),
        Case(testDescription: "extensions, known and not", options: ["-n", "developers", "-O", "clear", "-O", "extension:x@example.com=y"], reason: nil),
        Case(testDescription: "no principals", options: [], reason: "certificate: no principals"),
        Case(testDescription: "unknown principals", options: ["-n", "guests,root,Developers"], reason: "certificate: no principal that the authority may name"),
        Case(testDescription: "a principal of another login", options: ["-n", "elsewhere"], reason: "no command under this login"),
        Case(testDescription: "expired", options: ["-n", "developers", "-V", "20200101:20210101"], reason: "expired"),
        Case(testDescription: "not yet valid", options: ["-n", "developers", "-V", "20900101:20990101"], reason: "not yet valid"),
        Case(testDescription: "from elsewhere", options: ["-n", "developers", "-O", "source-address=192.0.2.0/24,2001:db8::/32"], reason: "wrong address"),
        Case(testDescription: "another authority", authority: "rogue", options: ["-n", "developers"], reason: "certificate: unknown authority"),
        Case(testDescription: "signed by the key of a user", authority: "alice", options: ["-n", "developers"], reason: "certificate: unknown authority"),
        Case(
            testDescription: "an unknown critical option", options: ["-n", "developers", "-O", "critical:x@example.com=y"],
            reason: #"certificate: unknown critical option "x@example.com""#),
        Case(testDescription: "verify-required, of a plain key", options: ["-n", "developers", "-O", "verify-required"], reason: "certificate: verify-required is for security keys"),
        Case(testDescription: "a key id that is a path", id: "../git", options: ["-n", "developers"], reason: #"certificate: the key id "../git" cannot be a name"#),
        Case(testDescription: "a key id in capitals", id: "Carol", options: ["-n", "developers"], reason: #"certificate: the key id "Carol" cannot be a name"#),
    ]

    @Test func `open what their principals may, or are refused for their reason`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            for one in Self.cases {
                try gateway.certify("carol", by: one.authority, id: one.id, one.options)
                let outcome = try gateway.ssh(Gateway.line("echo $POSTERN_KEY"), key: "carol")
                let record = try gateway.certificateRecord()
                #expect(outcome.output == (one.reason == nil ? "carol\n" : ""), "\(one.testDescription): \(outcome)")
                #expect(outcome.code == (one.reason == nil ? 0 : 255), "\(one.testDescription): \(outcome)")
                #expect(record["reason"] == one.reason ?? "", "\(one.testDescription)")
            }
        }
    }

    @Test func `the record says who signed, and the key it is for`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            try gateway.certify("carol", ["-n", "operators", "-z", "42"])
            let outcome = try gateway.ssh("other", key: "carol")
            #expect(outcome.output == "other\n", "\(outcome)")
            let record = try gateway.certificateRecord()
            let fingerprint = try run(["/usr/bin/ssh-keygen", "-l", "-f", "\(gateway.directory)/carol.pub"]).output.split(separator: " ")[1]
            #expect(record["key"] == "carol" && record["authority"] == "staff" && record["serial"] == "42")
            #expect(record["fingerprint"] == String(fingerprint))
            let refused = try gateway.ssh("other", key: "alice")
            #expect(refused.code == 126, "alice is no operator")
        }
    }

    @Test func `a key id that is the name of a listed key opens nothing, but for that key`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            try gateway.certify("carol", id: "alice", ["-n", "developers"])
            #expect(try gateway.ssh(Gateway.line("true"), key: "carol").code == 255)
            #expect(try gateway.certificateRecord()["reason"] == #"certificate: the key id "alice" is the name of a listed key"#)
            try gateway.certify("alice", id: "alice", ["-n", "operators"])
            let outcome = try gateway.ssh("other", key: "alice", options: ["-o", "PubkeyAcceptedAlgorithms=ssh-ed25519-cert-v01@openssh.com"])
            #expect(outcome.output == "other\n", "alice herself, as an operator: \(outcome)")
            // With her key her name goes, and is free; on an open connection it is taken again.
            try gateway.certify("carol", id: "alice", ["-n", "developers"])
            var without = Staff.policy
            without.keys = [.init(name: "ca", lines: "may = ['sh']")]
            without.more = Staff.table.replacing("$KEY(ca)", with: "$KEY(rogue)")
            without.signers = ["rogue"]
            try gateway.apply(without)
            try gateway.certify("carol", by: "rogue", id: "alice", ["-n", "developers"])
            try gateway.withMaster(key: "carol") { options in
                #expect(try gateway.ssh(Gateway.line("echo $POSTERN_KEY"), key: "carol", options: options).output == "alice\n")
                without.keys.append(.init(name: "alice", lines: "may = ['sh']"))
                try gateway.apply(without)
                let refused = try gateway.ssh(Gateway.line("true"), key: "carol", options: options)
                #expect(refused.code == 126 && refused.output.isEmpty, "\(refused)")
            }
        }
    }

    @Test func `force-command is the only line that may be asked for`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            try gateway.certify("carol", ["-n", "operators", "-O", "force-command=sh 'echo forced'"])
            #expect(try gateway.ssh("sh 'echo forced'", key: "carol").output == "forced\n")
            for line in [["other"], ["sh 'echo free'"], ["sh  'echo forced'"], ["help"], []] {
                let outcome = try run(gateway.sshCommand(line, key: "carol"))
                #expect(outcome.code == 126, "\(line): \(outcome)")
                #expect(outcome.output.isEmpty)
                #expect(outcome.errors.hasPrefix(#"postern: your certificate is for "sh 'echo forced'" only"#), "\(outcome)")
            }
            #expect(try gateway.records("decision").map { $0["reason"] }.filter { !$0.isEmpty } == Array(repeating: "other-than-forced", count: 5))
            // It runs what the policy has for it and nothing more.
            try gateway.certify("carol", ["-n", "developers", "-O", "force-command=other"])
            let outcome = try gateway.ssh("other", key: "carol")
            #expect(outcome.code == 126 && outcome.output.isEmpty)
        }
    }

    @Test func `of security keys want the touch, and with verify-required the PIN`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            try SoftwareSecurityKey.makeKey("\(gateway.directory)/carol")
            func enter(_ flags: UInt8) throws -> String {
                let outcome = try gateway.ssh(
                    Gateway.line("echo in"), key: "carol", options: try SoftwareSecurityKey.options, environment: SoftwareSecurityKey.saying(flags))
                return outcome.output.isEmpty ? try gateway.certificateRecord()["reason"] : outcome.output
            }
            try gateway.certify("carol", ["-n", "developers"])
            #expect(try enter(1) == "in\n")
            #expect(try enter(0) == "the security key was not touched")
            try gateway.certify("carol", ["-n", "developers", "-O", "no-touch-required"])
            #expect(try enter(0) == "the security key was not touched", "an extension grants nothing here")
            try gateway.certify("carol", ["-n", "developers", "-O", "verify-required"])
            #expect(try enter(5) == "in\n")
            #expect(try enter(1) == "the security key did not verify its user")
        }
    }

    @Test func `a plain key that an authority has certified is no listed key, and a listed one needs no certificate`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            try gateway.certify("carol", ["-n", "developers"])
            let plain = try gateway.ssh(Gateway.line("true"), key: "carol", options: ["-o", "PubkeyAcceptedAlgorithms=ssh-ed25519"])
            #expect(plain.code == 255)
            try gateway.certify("alice", by: "rogue", ["-n", "developers"])
            #expect(try gateway.script("echo in").output == "in\n")
        }
    }

    @Test func `an authority that goes starts nothing on an open connection`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            try gateway.certify("carol", ["-n", "developers"])
            try gateway.withMaster(key: "carol") { options in
                #expect(try gateway.ssh(Gateway.line("echo one"), key: "carol", options: options).output == "one\n")
                var without = Staff.policy
                without.more = ""
                try gateway.apply(without)
                let refused = try gateway.ssh(Gateway.line("echo two"), key: "carol", options: options)
                #expect(refused.code == 126 && refused.output.isEmpty)
                #expect(try gateway.record("decision") { $0["verdict"] == "refuse" }["reason"] == "certificate: unknown authority")
            }
        }
    }
}
