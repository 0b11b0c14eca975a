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
