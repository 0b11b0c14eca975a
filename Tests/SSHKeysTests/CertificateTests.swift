import SSHKeys
import SSHWire
import Sodium
import Testing

/// Made by OpenSSH 9.2: `ssh-keygen -s ca -I alice -n developers,operators -z 77 -V 20200101:20400101
/// -O force-command="release v1" -O source-address=127.0.0.0/8,::1/128 u.pub`
private enum KnownCertificate {
    static let authority = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICNZiWiHsYu+aLSx/g7CGS6XF9V5ci4UGX3aXz8aiiNK ca"
    static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKCQ4sd99H5hFlUX3IRrVrddJD/ddytvYJgF7JkuSpM1 u"
    static let base64 =
        "AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAINv3oEoLtMLMbMTJ3fUnUO6VhJI7CU6+0fAK/MvJLqNWAAAAIKCQ4sd99H5hFlUX3IRrVrddJD/ddytvYJgF7JkuSpM1AAAAAAAAAE0AAAABAAAABWFsaWNlAAAAGwAAAApkZXZlbG9wZXJzAAAACW9wZXJhdG9ycwAAAABeC+EAAAAAAIOqfoAAAABQAAAADWZvcmNlLWNvbW1hbmQAAAAOAAAACnJlbGVhc2UgdjEAAAAOc291cmNlLWFkZHJlc3MAAAAXAAAAEzEyNy4wLjAuMC84LDo6MS8xMjgAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGluZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAICNZiWiHsYu+aLSx/g7CGS6XF9V5ci4UGX3aXz8aiiNKAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEC0rkYzyyEtN7A0VUYGgJazETanhXvpDX9yqqGU+rKQmXN6jH8nfUhFTGabmJJMYwItd9mTerhzQ1o00MvpDBkF"
    static var blob: [UInt8] { Base64.decode(base64) ?? [] }
}

/// A certificate that says whatever a test wants.
private struct Draft {
    var algorithm = "ssh-ed25519-cert-v01@openssh.com"
    var key = Ed25519SigningKey.generate().publicKey
    /// What stands after the key: an application, for a security key's.
    var application: String?
    var kind: UInt32 = 1
    var principals: [String] = ["developers"]
    var options: [(String, [UInt8])] = []
    var signer = Ed25519SigningKey.generate()
    var signerBlob: [UInt8]?
    var more: [UInt8] = []

    var blob: [UInt8] {
        var writer = WireWriter()
        writer.text(algorithm)
        writer.text("nonce")
        writer.string(key)
        if let application { writer.text(application) }
        writer.uint64(5)
        writer.uint32(kind)
        writer.text("alice")
        var list = WireWriter()
        for principal in principals { list.text(principal) }
        writer.string(list.bytes)
        writer.uint64(0)
        writer.uint64(.max)
        var critical = WireWriter()
        for (name, data) in options {
            critical.text(name)
            critical.string(data)
        }
        writer.string(critical.bytes)
        writer.text("")
        writer.text("")
        writer.string(signerBlob ?? PublicKey(ed25519: signer.publicKey).blob)
        var signature = WireWriter()
        signature.text("ssh-ed25519")
        signature.string(signer.sign(writer.bytes))
        writer.string(signature.bytes)
        return writer.bytes + more
    }
}

private func text(_ value: String) -> [UInt8] { blob(Array(value.utf8)) }

@Suite("OpenSSH PROTOCOL.certkeys: certificates") struct CertificateTests {
    @Test func `one of ssh-keygen's is read`() throws {
        let certificate = try Certificate(blob: KnownCertificate.blob)
        #expect(certificate.algorithm == "ssh-ed25519-cert-v01@openssh.com")
        #expect(certificate.kind == .user)
        #expect(certificate.keyID == "alice")
        #expect(certificate.serial == 77)
        #expect(certificate.principals == ["developers", "operators"])
        #expect(certificate.validAfter == 1_577_836_800)
        #expect(certificate.validBefore == 2_208_988_800)
        #expect(certificate.options.forcedCommand == Array("release v1".utf8))
        #expect(certificate.options.sourceAddress == "127.0.0.0/8,::1/128")
        #expect(!certificate.options.requiresVerification)
        #expect(certificate.options.unknown.isEmpty)
        #expect(certificate.key == (try PublicKeyLine(parsing: KnownCertificate.key)?.key))
        #expect(certificate.signer == (try PublicKeyLine(parsing: KnownCertificate.authority)?.key))
        #expect(certificate.blob == KnownCertificate.blob)
    }

    @Test func `no bit of it can be changed, and nothing left out or added`() throws {
        let good = KnownCertificate.blob
        for index in good.indices {
            for bit in 0..<8 {
                var changed = good
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: KeyError.self, "byte \(index), bit \(bit)") { try Certificate(blob: changed) }
            }
        }
        for count in good.indices { #expect(throws: KeyError.self) { try Certificate(blob: Array(good[..<count])) } }
        #expect(throws: KeyError.malformed(.trailing(count: 1))) { try Certificate(blob: good + [0]) }
    }

    @Test func `one for a security key is read, and one signed by a security key's bytes alone is not`() throws {
        let draft = Draft(algorithm: "sk-ssh-ed25519-cert-v01@openssh.com", application: "ssh:")
        let certificate = try Certificate(blob: draft.blob)
        #expect(certificate.key.isSecurityKey)
        let signer = Ed25519SigningKey.generate()
        let token = blob(Array("sk-ssh-ed25519@openssh.com".utf8), signer.publicKey, Array("ssh:".utf8))
        #expect(throws: KeyError.badCertificateSignature) { try Certificate(blob: Draft(signer: signer, signerBlob: token).blob) }
    }

    @Test func `the options that are known, and the names of those that are not`() throws {
        let options = [("a@b", [UInt8]([1, 2])), ("force-command", text("x")), ("verify-required", []), ("zz", [])]
        let certificate = try Certificate(blob: Draft(options: options).blob)
        #expect(certificate.options.unknown == ["a@b", "zz"])
        #expect(certificate.options.forcedCommand == Array("x".utf8))
        #expect(certificate.options.requiresVerification)
    }

    fileprivate static let refused: [(String, Draft, KeyError)] = [
        ("another kind", Draft(kind: 3), .malformed(.badValue("certificate type"))),
        ("kind 0", Draft(kind: 0), .malformed(.badValue("certificate type"))),
        ("options out of order", Draft(options: [("source-address", text("::/0")), ("force-command", text("x"))]), .malformed(.badValue("critical options out of order"))),
        ("an option twice", Draft(options: [("force-command", text("x")), ("force-command", text("y"))]), .malformed(.badValue("critical options out of order"))),
        ("an option's data of another form", Draft(options: [("force-command", Array("x".utf8))]), .malformed(.truncated(needed: 4, remaining: 1))),
        ("an option's data with more", Draft(options: [("force-command", text("x") + [0])]), .malformed(.trailing(count: 1))),
        ("a flag with data", Draft(options: [("verify-required", [1])]), .malformed(.trailing(count: 1))),
        ("too many principals", Draft(principals: Array(repeating: "p", count: 257)), .malformed(.tooLong(length: 257, limit: 256))),
        ("another signer than it names", Draft(signerBlob: PublicKey(ed25519: Ed25519SigningKey.generate().publicKey).blob), .badCertificateSignature),
        ("signed by a certificate", Draft(signerBlob: KnownCertificate.blob), .unsupported(algorithm: "ssh-ed25519-cert-v01@openssh.com")),
        ("signed by an RSA key", Draft(signerBlob: blob(Array("ssh-rsa".utf8), [1], [2])), .unsupported(algorithm: "ssh-rsa")),
        ("of an RSA key", Draft(algorithm: "ssh-rsa-cert-v01@openssh.com"), .unsupported(algorithm: "ssh-rsa-cert-v01@openssh.com")),
        ("a plain key", Draft(algorithm: "ssh-ed25519"), .unsupported(algorithm: "ssh-ed25519")),
        ("a short key", Draft(key: [1, 2, 3]), .wrongLength(.publicKey, bytes: 3, expected: 32)),
        ("bytes left over", Draft(more: [0]), .malformed(.trailing(count: 1))),
    ]

    @Test(arguments: refused.indices) func `is refused for its reason`(index: Int) throws {
        let (name, draft, fault) = Self.refused[index]
        #expect(throws: fault, "\(name)") { try Certificate(blob: draft.blob) }
    }
}

@Suite("OpenSSH PROTOCOL.krl: revocation lists") struct RevocationListTests {
    private static let head = "5353484b524c0a0000000001" + String(repeating: "0", count: 48) + "0000000000000000"
    private static let authority = "SHA256:4dnWhoCxzbYV6qvHGg2nU53HRXTzXAwywLL7EyQEl4A"

    /// `ssh-keygen -k -s ca.pub -z 3 spec u.pub` with the lines `serial: 5`, `10-20`, `30`, `31`, `33`, `100-400` and `id: mallory`.
    static let whole = hex(
        "5353484b524c0a00000000010000000000000003000000006b011c8d000000000000000000000000000000000100000075000000330000000b7373682d65643235"
            + "353139000000202359896887b18bbe68b4b1fe0ec2192e9717d579722e14197dda5f3f1a8a234a0000000022000000100000000000000005000000041600ffe1"
            + "210000001000000000000000640000000000000190230000000b000000076d616c6c6f72790200000037000000330000000b7373682d65643235353139000000"
            + "20a090e2c77df47e61165517dc846b56b75d243fdd772b6f609805ec992e4a9335")

    @Test func `one of ssh-keygen's is read: serials, ranges, bits, key ids and keys`() throws {
        let list = try RevocationList(bytes: Self.whole)
        let certificates = try #require(list.certificates.first)
        #expect(list.certificates.count == 1)
        #expect(certificates.authority.map(PublicKey.fingerprintText) == Self.authority)
        #expect(certificates.serials == [5...5, 10...20, 30...31, 33...33, 100...400])
        #expect(certificates.keyIDs == ["mallory"])
        #expect(list.keys.map(PublicKey.fingerprintText) == ["SHA256:oR0fh5V4mn2qlqHHtBrUBaan3sWumZWKUqoeF8wcqjg"])
    }

    @Test func `fingerprints, and a bitmap of every third serial`() throws {
        let hashes = hex(
            "5353484b524c0a00000000010000000000000000000000006b011c8d00000000000000000000000000000000050000002400000020a11d1f8795789a7daa96a1c7b4"
                + "1ad405a6a7dec5ae99958a52aa1e17cc1caa38")
        #expect(try RevocationList(bytes: hashes).keys.map(PublicKey.fingerprintText) == ["SHA256:oR0fh5V4mn2qlqHHtBrUBaan3sWumZWKUqoeF8wcqjg"])
        let thirds = hex(
            "5353484b524c0a00000000010000000000000000000000006b011c8d000000000000000000000000000000000100000059000000330000000b7373682d65643235353139"
                + "000000202359896887b18bbe68b4b1fe0ec2192e9717d579722e14197dda5f3f1a8a234a00000000220000001900000000000003e80000000d09249249249249249249249249")
        #expect(try RevocationList(bytes: thirds).certificates.first?.serials == stride(from: UInt64(1000), to: 1100, by: 3).map { $0...$0 })
    }

    /// What stands behind the head of a list, and why it is refused.
    static let refused: [(String, String, KeyError)] = [
        ("SHA-1 fingerprints", "0300000018000000" + "14" + String(repeating: "ab", count: 20), .unknownRevocation("SHA-1 fingerprints")),
        ("an unknown section", "0600000000", .unknownRevocation("section 6")),
        ("a critical extension", "ff0000000600000001" + "7801", .unknownRevocation("extension x")),
        ("an unknown kind of certificate section", "010000000d" + "00000000" + "00000000" + "2400000000", .unknownRevocation("certificate section 36")),
        ("serial 0", "0100000015" + "00000000" + "00000000" + "2000000008" + "0000000000000000", .malformed(.badValue("serial"))),
        ("a range that ends before it begins", "010000001d" + "00000000" + "00000000" + "2100000010" + "0000000000000002" + "0000000000000001", .malformed(.badValue("serial"))),
        ("a bitmap beyond the last serial", "010000001a" + "00000000" + "00000000" + "220000000d" + "ffffffffffffffff" + "0000000102", .malformed(.badValue("serial"))),
        ("a short fingerprint", "0500000006" + "000000020102", .malformed(.badValue("SHA-256 fingerprint"))),
        ("bytes left over", "02000000", .malformed(.truncated(needed: 4, remaining: 3))),
    ]

    @Test(arguments: refused) func `is refused for its reason`(name: String, sections: String, fault: KeyError) throws {
        #expect(throws: fault, "\(name)") { try RevocationList(bytes: hex(Self.head + sections)) }
    }

    @Test func `what may be passed over is: signatures, and extensions that are not critical`() throws {
        let list = try RevocationList(bytes: hex(Self.head + "ff00000006000000017800" + "04000000020102000000020304"))
        #expect(list.keys.isEmpty && list.certificates.isEmpty)
        #expect(try RevocationList(bytes: hex(Self.head)).keys.isEmpty)
        #expect(!RevocationList.isList(Array("SHA256:abc".utf8)))
        #expect(throws: KeyError.unknownRevocation("format version 2")) { try RevocationList(bytes: hex("5353484b524c0a0000000002")) }
    }

    @Test func `the last serials are`() throws {
        let range = "010000001d" + "00000000" + "00000000" + "2100000010" + "0000000000000001" + "ffffffffffffffff"
        #expect(try RevocationList(bytes: hex(Self.head + range)).certificates.first?.serials == [1 ... .max])
        let bits = "010000001a" + "00000000" + "00000000" + "220000000d" + "fffffffffffffff8" + "0000000100"
        #expect(throws: KeyError.self) { try RevocationList(bytes: hex(Self.head + bits)) }
    }

    @Test func `no list cut off is read, nor a byte of its structure lost`() {
        for count in Self.whole.indices.dropFirst(8) {
            let cut = Array(Self.whole[..<count])
            // Between two sections a list may end.
            if let list = try? RevocationList(bytes: cut) { #expect(list.keys.isEmpty, "\(count) bytes") }
        }
    }

    @Test func `lines of revoked keys may be of any type, and fingerprints`() throws {
        let hash = try PublicKeyLine.fingerprint(revokedBy: "SHA256:oR0fh5V4mn2qlqHHtBrUBaan3sWumZWKUqoeF8wcqjg")
        #expect(try PublicKeyLine.fingerprint(revokedBy: KnownCertificate.key) == hash)
        let rsa = Base64.encode(blob(Array("ssh-rsa".utf8), [1], [2]))
        #expect(try PublicKeyLine.fingerprint(revokedBy: "ssh-rsa \(rsa) old").count == 32)
        let refused: [(String, KeyError)] = [
            ("SHA256:abc", .badFingerprint), ("SHA256:oR0fh5V4mn2qlqHHtBrUBaan3sWumZWKUqoeF8wcqjg x", .badFingerprint), ("MD5:aa", .notAKey),
            ("restrict \(KnownCertificate.key)", .hasOptions), ("ssh-ed25519", .missingKey(type: "ssh-ed25519")), ("ssh-ed25519 ??", .badBase64),
            ("ssh-ed25519 \(rsa)", .typeMismatch(line: "ssh-ed25519", key: "ssh-rsa")),
            ("ssh-ed25519-cert-v01@openssh.com \(KnownCertificate.base64)", .unsupported(algorithm: "ssh-ed25519-cert-v01@openssh.com")),
        ]
        for (line, fault) in refused { #expect(throws: fault, "\(line)") { try PublicKeyLine.fingerprint(revokedBy: line) } }
    }
}
