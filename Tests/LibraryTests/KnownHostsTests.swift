import SSHClient
import Testing

@Suite("M2: known_hosts") struct KnownHostsTests {
    private static let key = SSHPrivateKey.generate().publicKey
    private static let other = SSHPrivateKey.generate().publicKey

    struct Case: Sendable {
        let lines: [String]
        var host = "example.org"
        var port = 22
        let verdict: KnownHosts.Verdict
        init(_ lines: [String], host: String = "example.org", port: Int = 22, _ verdict: KnownHosts.Verdict) {
            (self.lines, self.host, self.port, self.verdict) = (lines, host, port, verdict)
        }
    }

    static let cases = [
        Case([], .unknown),
        Case(["# example.org \(key.line())"], .unknown),
        Case(["example.org \(key.line())"], .trusted),
        Case(["Example.ORG,192.0.2.1 \(key.line(comment: "a comment"))"], .trusted),
        Case(["example.org \(other.line())"], .changed),
        Case(["example.org \(other.line())", "example.org \(key.line())"], .trusted),
        Case(["*.org \(key.line())"], .trusted),
        Case(["exampl?.org \(key.line())"], .trusted),
        Case(["*.org,!example.org \(key.line())"], .unknown),
        Case(["example.com \(key.line())"], .unknown),
        Case(["[example.org]:2222 \(key.line())"], .unknown),
        Case(["[example.org]:2222 \(key.line())"], port: 2222, .trusted),
        Case(["[example.org]:2222 \(other.line())", "example.org \(key.line())"], port: 2222, .changed),
        Case(["example.org \(key.line())"], port: 2222, .trusted),
        Case(["example.org ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ=="], .unknown),
        Case(["@revoked * \(key.line())", "example.org \(key.line())"], .revoked),
        Case(["@cert-authority *.org \(key.line())"], .unknown),
        Case(["@other example.org \(key.line())"], .unknown),
        Case(["example.org ssh-ed25519"], .unknown),
        // Made by "ssh-keygen -H" of OpenSSH 9.2.
        Case(["|1|lDw4WkR0fzDT1Ix3/StKNFCWvZE=|9nEIM1fkTa09x9+gtXmKvg+/4ow= \(key.line())"], .trusted),
        Case(["|1|39Ua1JyNiGTgYZkXBkhA4u1242U=|hxjThqZ7TWO24nbf+awtOd99AmI= \(key.line())"], port: 2222, .trusted),
        Case(["|1|39Ua1JyNiGTgYZkXBkhA4u1242U=|hxjThqZ7TWO24nbf+awtOd99AmI= \(key.line())"], .unknown),
    ]

    @Test(arguments: cases) func `say what is known of a server`(one: Case) {
        let known = KnownHosts(text: one.lines.joined(separator: "\n"))
        #expect(known.judge(ServerHostKey(host: one.host, port: one.port, key: Self.key)) == one.verdict, "\(one.lines)")
    }
}
