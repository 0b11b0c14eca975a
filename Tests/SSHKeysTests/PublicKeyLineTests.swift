import SSHKeys
import Testing

@Suite("sshd(8): lines of an authorized_keys file") struct PublicKeyLineTests {
    @Test(arguments: [
        (Known.line, "postern test key"),
        (Known.line + "\n", "postern test key"),
        (Known.line + " \r\n", "postern test key"),
        ("\t ssh-ed25519  \(Known.base64)\t alice@laptop", "alice@laptop"),
        ("ssh-ed25519 \(Known.base64)", ""),
        ("ssh-ed25519 \(Known.base64) zoë  # two", "zoë  # two"),
    ]) func `a key and its comment are read`(line: String, comment: String) throws {
        let parsed = try #require(try PublicKeyLine(parsing: line))
        #expect(parsed.key == PublicKey(ed25519: Known.raw))
        #expect(parsed.comment == comment)
    }

    @Test(arguments: ["", " ", "\t\r\n", "# ssh-ed25519 \(Known.base64)", "  #"])
    func `an empty line and a remark hold no key`(line: String) throws {
        #expect(try PublicKeyLine(parsing: line) == nil)
    }

    @Test(arguments: [
        "restrict \(Known.line)",
        "command=\"echo \\\"a b\\\"\",restrict \(Known.line)",
        "cert-authority \(Known.line)",
        "from=\"10.0.0.0/8\" ssh-rsa AAAA",
        "environment=\"A=ssh-rsa B\" \(Known.line)",
        "no-pty sk-ssh-ed25519@openssh.com AAAA",
    ]) func `options are refused, not ignored`(line: String) {
        #expect(throws: KeyError.hasOptions) { try PublicKeyLine(parsing: line) }
    }

    static let refused: [(String, KeyError)] = [
        ("hello", .notAKey),
        ("hello world", .notAKey),
        ("2048 65537 1234567890 old", .notAKey),
        ("command=\"ssh-ed25519 \(Known.base64)", .notAKey),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", .notAKey),
        ("ssh-ed25519", .missingKey(type: "ssh-ed25519")),
        ("ssh-ed25519 !", .badBase64),
        ("ssh-ed25519 \(Known.base64.dropLast())", .badBase64),
        ("ssh-ed25519 \(Known.base64.dropLast(4))", .malformed(.truncated(needed: 32, remaining: 29))),
        ("ssh-rsa \(Known.base64)", .typeMismatch(line: "ssh-rsa", key: "ssh-ed25519")),
        ("ssh-ed25519 AAAAB3NzaC1yc2E=", .typeMismatch(line: "ssh-ed25519", key: "ssh-rsa")),
        ("ssh-rsa AAAAB3NzaC1yc2E=", .unsupported(algorithm: "ssh-rsa")),
        (
            "ssh-ed25519 " + String(repeating: "A", count: 8192),
            .malformed(.tooLong(length: 8204, limit: 8192))
        ),
    ]

    @Test(arguments: refused) func `every other line is refused for its reason`(line: String, fault: KeyError) {
        #expect(throws: fault) { try PublicKeyLine(parsing: line) }
    }

    @Test func `faults are told in lower case, without a full stop`() {
        for (_, fault) in Self.refused {
            let text = "\(fault)"
            #expect(!text.hasSuffix("."))
            #expect(text.first?.isUppercase == false)
        }
    }
}
