import Foundation
import Testing

@Suite("OpenSSH PROTOCOL §3.1: hostbound user authentication") struct HostboundTests {
    @Test func `OpenSSH's client binds its signature to the host key`() throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.ssh(Gateway.line("echo in"), options: ["-o", "LogLevel=DEBUG3"])
            #expect(outcome.output == "in\n")
            #expect(outcome.errors.contains("publickey-hostbound@openssh.com=<0>"), "\(outcome)")
            #expect(outcome.errors.contains("publickey-hostbound-v00@openssh.com"), "\(outcome)")
            let algorithms = "ssh-ed25519,sk-ssh-ed25519@openssh.com,ssh-ed25519-cert-v01@openssh.com,sk-ssh-ed25519-cert-v01@openssh.com"
            #expect(outcome.errors.contains("server-sig-algs=<\(algorithms)>"))
        }
    }

    @Test func `one that does not is served too`() throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.ssh(Gateway.line("echo in"), options: ["-o", "PubkeyAuthentication=unbound", "-o", "LogLevel=DEBUG3"])
            #expect(outcome.output == "in\n")
            #expect(!outcome.errors.contains("publickey-hostbound-v00@openssh.com"), "\(outcome)")
        }
    }
}

@Suite("DESIGN §2: host keys and their certificates") struct HostKeyTests {
    private static func knownHosts(_ gateway: Gateway) throws -> [String] {
        try String(contentsOfFile: "\(gateway.directory)/known_hosts", encoding: .utf8).split(separator: "\n").map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
    }

    private static func publicKey(_ gateway: Gateway, _ name: String) throws -> String {
        try String(contentsOfFile: "\(gateway.directory)/\(name).pub", encoding: .utf8).split(separator: " ").prefix(2).joined(separator: " ")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Makes a certificate for the host key called `host`, beside it.
    private static func certify(_ directory: String, _ options: [String], key: String = "host") throws {
        let made = try run(["/usr/bin/ssh-keygen", "-q", "-s", "\(directory)/ca", "-I", "gateway"] + options + ["\(directory)/\(key).pub"])
        guard made.code == 0 else { throw Trouble("ssh-keygen -s: \(made)") }
    }

    @Test func `OpenSSH's client learns the other keys, and drops the one that has gone`() throws {
        try Gateway.serving(TestPolicy(hostKeys: ["host", "next", "last"])) { gateway in
            let file = "\(gateway.directory)/known_hosts"
            try Gateway.makeKey("\(gateway.directory)/old")
            let old = "[127.0.0.1]:\(gateway.port) \(try Self.publicKey(gateway, "old"))\n"
            try (try String(contentsOfFile: file, encoding: .utf8) + old).write(toFile: file, atomically: false, encoding: .utf8)
            let outcome = try gateway.ssh(Gateway.line("sleep 1; echo in"), options: ["-o", "UpdateHostKeys=yes", "-o", "LogLevel=DEBUG1", "-o", "HashKnownHosts=no"])
            #expect(outcome.output == "in\n", "\(outcome)")
            #expect(Set(try Self.knownHosts(gateway)) == Set(try ["host", "next", "last"].map { try Self.publicKey(gateway, $0) }), "\(outcome)")
            // Each was proven: the next may be the first.
            #expect(try gateway.script("echo again").output == "again\n")
        }
    }

    @Test func `a client that knows only the authority of hosts takes a certificate`() throws {
        let policy = TestPolicy(prepare: { try Self.certify($0, ["-h", "-n", "127.0.0.1,gateway.example"]) }, signers: ["ca"])
        try Gateway.serving(policy) { gateway in
            let file = "\(gateway.directory)/known_hosts"
            let plain = try String(contentsOfFile: file, encoding: .utf8)
            try "@cert-authority * \(try Self.publicKey(gateway, "ca"))\n".write(toFile: file, atomically: false, encoding: .utf8)
            let outcome = try gateway.ssh(Gateway.line("echo in"), options: ["-o", "LogLevel=DEBUG1"])
            #expect(outcome.output == "in\n", "\(outcome)")
            #expect(outcome.errors.contains("host key algorithm: ssh-ed25519-cert-v01@openssh.com"))
            // New keys are exchanged under the same certificate.
            let rekeyed = try gateway.ssh(Gateway.line("head -c 3000000 /dev/zero | wc -c; head -c 3000000 /dev/zero"), options: ["-o", "RekeyLimit=1M"])
            #expect(rekeyed.outputBytes.count > 3_000_000, "\(rekeyed.errors)")
            // Another name is not in it.
            let other = try gateway.ssh(Gateway.line("true"), options: ["-o", "HostKeyAlias=other.example"])
            #expect(other.code == 255)
            // A client that knows the key needs no certificate.
            try plain.write(toFile: file, atomically: false, encoding: .utf8)
            let known = try gateway.ssh(Gateway.line("echo in"), options: ["-o", "LogLevel=DEBUG1", "-o", "HostKeyAlgorithms=ssh-ed25519"])
            #expect(known.output == "in\n" && known.errors.contains("host key algorithm: ssh-ed25519\r\n"), "\(known)")
        }
    }

    @Test func `one that has expired is not offered, and the log says so`() throws {
        let policy = TestPolicy(prepare: { try Self.certify($0, ["-h", "-V", "20200101:20210101"]) }, signers: ["ca"])
        try Gateway.serving(policy) { gateway in
            #expect(gateway.log.contains("host-cert.pub\" is not offered: it has expired"), "\(gateway.log)")
            let outcome = try gateway.ssh(Gateway.line("echo in"), options: ["-o", "LogLevel=DEBUG1"])
            #expect(outcome.output == "in\n" && outcome.errors.contains("host key algorithm: ssh-ed25519\r\n"), "\(outcome)")
        }
    }

    /// What is wrong with the host keys, and what is said of it.
    static let wrong: [(name: String, make: @Sendable (String) throws -> [String], text: String)] = [
        ("a user's certificate", { try certify($0, ["-n", "x"]); return ["host"] }, "is a user's"),
        (
            "another key's certificate",
            { directory in
                try Gateway.makeKey("\(directory)/other")
                try certify(directory, ["-h"], key: "other")
                try FileManager.default.moveItem(atPath: "\(directory)/other-cert.pub", toPath: "\(directory)/host-cert.pub")
                return ["host"]
            }, "is for another key"
        ),
        ("no certificate", { try "nothing".write(toFile: "\($0)/host-cert.pub", atomically: false, encoding: .utf8); return ["host"] }, "this is no public key"),
        ("a key twice", { _ in ["host", "host"] }, "is there twice"), ("seventeen keys", { _ in Array(repeating: "host", count: 17) }, "more than 16 host keys"),
    ]

    @Test(arguments: wrong.indices) func `what cannot be right keeps the gateway from starting`(index: Int) throws {
        try Gateway.serving(TestPolicy(signers: ["ca"])) { gateway in
            let keys = try Self.wrong[index].make(gateway.directory)
            let outcome = try run(try Gateway.command(gateway.directory, keys) + ["--listen", "127.0.0.1:0"])
            #expect(outcome.code == 100 && outcome.errors.contains(Self.wrong[index].text), "\(Self.wrong[index].name): \(outcome)")
            try? FileManager.default.removeItem(atPath: "\(gateway.directory)/host-cert.pub")
        }
    }
}
