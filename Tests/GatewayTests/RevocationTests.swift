import Foundation
import Testing

@Suite("DESIGN §3.1: what is revoked") struct RevocationTests {
    /// The policy of the certificates' tests, with a listed security key, and a file of what is revoked.
    private static func policy(_ entries: String) -> TestPolicy {
        var policy = Staff.policy
        policy.keys.append(.init(name: "dave", lines: "may = ['sh']"))
        policy.more += "[revoked]\nkeys = [\(entries)]\n"
        return policy
    }

    /// Makes the file that the policy names.
    private func revoke(_ gateway: Gateway, _ specification: String, _ options: [String] = []) throws {
        let directory = gateway.directory
        try specification.replacing("$DIRECTORY", with: directory).write(toFile: "\(directory)/specification", atomically: false, encoding: .utf8)
        let made = try run(["/usr/bin/ssh-keygen", "-q", "-k", "-f", "\(directory)/revoked"] + options + ["\(directory)/specification"])
        guard made.code == 0 else { throw Trouble("ssh-keygen -k: \(made)") }
        try gateway.apply(Self.policy("'revoked'"))
    }

    /// Lines of `ssh-keygen -k`, and what becomes of certificates with serial 7 of "carol", and of the listed keys.
    static let cases: [(specification: String, isOfAuthority: Bool, reason: String?)] = [
        ("serial: 7", true, "certificate: revoked"), ("serial: 1-100", true, "certificate: revoked"),
        ("serial: 1\nserial: 3\nserial: 7\nserial: 9", true, "certificate: revoked"), ("serial: 1-6\nserial: 8-18446744073709551615", true, nil),
        ("id: carol", true, "certificate: revoked"), ("id: carola\nid: caro", true, nil), ("key: $KEY(carol)", false, "revoked key"),
        ("sha256: $KEY(carol)", false, "revoked key"), ("key: $KEY(dave)", false, nil), ("key: $KEY(ca)", false, "certificate: revoked authority"),
        ("sha256: $KEY(ca)", false, "certificate: revoked authority"),
    ]

    @Test func `lists of ssh-keygen revoke certificates by serial, range, key id, key and fingerprint`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            let directory = gateway.directory
            try Gateway.makeKey("\(directory)/dave")
            try gateway.certify("carol", ["-n", "developers", "-z", "7"])
            for (specification, isOfAuthority, reason) in Self.cases {
                var text = specification
                for name in ["carol", "dave", "ca"] { text = text.replacing("$KEY(\(name))", with: try Self.publicKey("\(directory)/\(name).pub")) }
                try revoke(gateway, text + "\n", isOfAuthority ? ["-s", "\(directory)/ca.pub"] : [])
                let outcome = try gateway.ssh(Gateway.line("echo in"), key: "carol")
                let record = try gateway.certificateRecord()
                #expect(outcome.output == (reason == nil ? "in\n" : ""), "\(specification): \(outcome)")
                #expect(record["reason"] == reason ?? "", "\(specification)")
            }
            // Another authority's serials are others.
            try revoke(gateway, "serial: 7\nid: carol\n", ["-s", "\(directory)/rogue.pub"])
            #expect(try gateway.ssh(Gateway.line("echo in"), key: "carol").output == "in\n")
        }
    }

    @Test func `a list made from a certificate revokes it, and a list can name listed keys`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            let directory = gateway.directory
            try Gateway.makeKey("\(directory)/dave")
            try gateway.certify("carol", ["-n", "developers", "-z", "9"])
            let made = try run(["/usr/bin/ssh-keygen", "-q", "-k", "-f", "\(directory)/revoked", "\(directory)/carol-cert.pub", "\(directory)/alice.pub"])
            #expect(made.code == 0)
            try gateway.apply(Self.policy("'revoked'"))
            #expect(try gateway.ssh(Gateway.line("true"), key: "carol").code == 255)
            #expect(try gateway.certificateRecord()["reason"] == "certificate: revoked")
            #expect(try gateway.ssh(Gateway.line("true"), key: "alice").code == 255)
            #expect(try gateway.records("authentication").last?["reason"] == "revoked key")
            #expect(try gateway.ssh(Gateway.line("echo in"), key: "dave").output == "in\n")
            // The same key with another certificate is another one.
            try gateway.certify("carol", ["-n", "developers", "-z", "10"])
            #expect(try gateway.ssh(Gateway.line("echo in"), key: "carol").output == "in\n")
        }
    }

    @Test func `lines of keys and fingerprints revoke, and an open connection starts nothing more`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            let directory = gateway.directory
            try Gateway.makeKey("\(directory)/dave")
            try gateway.withMaster { options in
                #expect(try gateway.ssh(Gateway.line("echo one"), options: options).output == "one\n")
                let fingerprint = try run(["/usr/bin/ssh-keygen", "-l", "-f", "\(directory)/alice.pub"]).output.split(separator: " ")[1]
                try gateway.apply(Self.policy("'\(fingerprint)', '\(try Self.publicKey("\(directory)/dave.pub"))'"))
                let refused = try gateway.ssh(Gateway.line("echo two"), options: options)
                #expect(refused.code == 126 && refused.output.isEmpty)
                #expect(try gateway.record("decision") { $0["verdict"] == "refuse" }["reason"] == "revoked key")
            }
            for key in ["alice", "dave"] { #expect(try gateway.ssh(Gateway.line("true"), key: key).code == 255) }
        }
    }

    @Test func `a list that cannot be understood never goes live`() throws {
        try Gateway.serving(Staff.policy) { gateway in
            let directory = gateway.directory
            try Gateway.makeKey("\(directory)/dave")
            try "".write(toFile: "\(directory)/specification", atomically: false, encoding: .utf8)
            #expect(throws: Trouble.self) { try revoke(gateway, "sha1: \(try Self.publicKey("\(directory)/alice.pub"))\n") }
            #expect(try gateway.script("echo in").output == "in\n")
        }
    }

    private static func publicKey(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
