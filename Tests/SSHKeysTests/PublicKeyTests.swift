import SSHKeys
import SSHWire
import Sodium
import Testing

/// A throw-away key made by `ssh-keygen -t ed25519 -C 'postern test key'` of OpenSSH 9.2.
enum Known {
    static let line =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEo/oexNE3haDzUNHpR1idJP1+AB3iwD+jmJq2dE84Dr postern test key"
    static let base64 = "AAAAC3NzaC1lZDI1NTE5AAAAIEo/oexNE3haDzUNHpR1idJP1+AB3iwD+jmJq2dE84Dr"
    static let fingerprint = "SHA256:dElhXt5LVgs8CxzA9kyARj76oa2wDYEY9+FFbo/2ZEA"
    static let raw = hex("4a3fa1ec4d13785a0f350d1e947589d24fd7e001de2c03fa3989ab6744f380eb")
    static let privateKey = """
        -----BEGIN OPENSSH PRIVATE KEY-----
        b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
        QyNTUxOQAAACBKP6HsTRN4Wg81DR6UdYnST9fgAd4sA/o5iatnRPOA6wAAAJh3R8KZd0fC
        mQAAAAtzc2gtZWQyNTUxOQAAACBKP6HsTRN4Wg81DR6UdYnST9fgAd4sA/o5iatnRPOA6w
        AAAEAr32ymeMYab7tIWtg8wKyB0m0lmr+43g+kDe5kd3v0qUo/oexNE3haDzUNHpR1idJP
        1+AB3iwD+jmJq2dE84DrAAAAEHBvc3Rlcm4gdGVzdCBrZXkBAgMEBQ==
        -----END OPENSSH PRIVATE KEY-----

        """

    static var blob: [UInt8] { PublicKey(ed25519: raw).blob }
}

/// A blob of the fields given, each as a string.
func blob(_ fields: [UInt8]...) -> [UInt8] {
    var writer = WireWriter()
    for field in fields { writer.string(field) }
    return writer.bytes
}

@Suite("RFC 8709 §4: public keys") struct PublicKeyTests {
    let name = Array("ssh-ed25519".utf8)

    @Test func `a blob is parsed, printed and fingerprinted as ssh-keygen does`() throws {
        let key = try PublicKey(blob: Known.blob)
        #expect(key == PublicKey(ed25519: Known.raw))
        #expect(key.algorithm == "ssh-ed25519")
        #expect(key.blob == Known.blob)
        #expect(Base64.encode(key.blob) == Known.base64)
        #expect(key.line(comment: "postern test key") == Known.line)
        #expect(key.line(comment: "") == "ssh-ed25519 " + Known.base64)
        #expect(key.fingerprintText == Known.fingerprint)
        #expect(PublicKey.fingerprintText(PublicKey.fingerprint(ofBlob: Known.blob)) == Known.fingerprint)
        #expect(key.fingerprint.count == 32)
    }

    @Test(arguments: [
        "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-ed25519-cert-v01@openssh.com",
    ]) func `another algorithm is named`(algorithm: String) {
        #expect(throws: KeyError.unsupported(algorithm: algorithm)) {
            try PublicKey(blob: blob(Array(algorithm.utf8), Known.raw))
        }
    }

    @Test func `wrong lengths and bytes left over are refused`() {
        let refused: [([UInt8], KeyError)] = [
            (blob(name, Array(Known.raw.dropLast())), .wrongLength(.publicKey, bytes: 31, expected: 32)),
            (blob(name, Known.raw + [0]), .wrongLength(.publicKey, bytes: 33, expected: 32)),
            (blob(name, []), .wrongLength(.publicKey, bytes: 0, expected: 32)),
            (Known.blob + [0], .malformed(.trailing(count: 1))),
            (Array(Known.blob.dropLast()), .malformed(.truncated(needed: 32, remaining: 31))),
            (blob(name), .malformed(.truncated(needed: 4, remaining: 0))),
            ([], .malformed(.truncated(needed: 4, remaining: 0))),
            (blob([], Known.raw), .malformed(.badValue("algorithm name"))),
            (blob(Array("ssh\n".utf8), Known.raw), .malformed(.badValue("algorithm name"))),
            (blob([UInt8](repeating: 0x61, count: 65), Known.raw), .malformed(.tooLong(length: 65, limit: 64))),
        ]
        for (bytes, fault) in refused {
            #expect(throws: fault) { try PublicKey(blob: bytes) }
        }
    }
}

@Suite("RFC 8709 §6: signatures") struct SignatureTests {
    let key = Ed25519SigningKey.generate()
    let message = Array("what is signed".utf8)

    @Test func `a host key's signature is valid for its public key and message only`() throws {
        let hostKey = HostKey(key)
        let encoded = hostKey.sign(message)
        let signature = try SignatureBlob(blob: encoded)
        #expect(signature.encoded == encoded)
        #expect(signature.algorithm == "ssh-ed25519")
        #expect(signature.signature.count == 64)
        #expect(hostKey.blob == PublicKey(ed25519: key.publicKey).blob)
        #expect(hostKey.publicKey.isValid(signature, over: message))
        #expect(!hostKey.publicKey.isValid(signature, over: message + [0]))
        #expect(!PublicKey(ed25519: Known.raw).isValid(signature, over: message))
    }

    @Test func `another algorithm, another length and bytes left over are refused`() {
        let name = Array("ssh-ed25519".utf8)
        let bytes = key.sign(message)
        let refused: [([UInt8], KeyError)] = [
            (blob(Array("rsa-sha2-512".utf8), bytes), .unsupported(algorithm: "rsa-sha2-512")),
            (blob(name, Array(bytes.dropLast())), .wrongLength(.signature, bytes: 63, expected: 64)),
            (blob(name, bytes + bytes), .wrongLength(.signature, bytes: 128, expected: 64)),
            (blob(name, bytes) + [1], .malformed(.trailing(count: 1))),
            ([], .malformed(.truncated(needed: 4, remaining: 0))),
        ]
        for (encoded, fault) in refused {
            #expect(throws: fault) { try SignatureBlob(blob: encoded) }
        }
    }
}
