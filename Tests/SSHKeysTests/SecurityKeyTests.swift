import SSHKeys
import SSHWire
import Sodium
import Testing

/// Made by OpenSSH 9.2: `ssh-keygen -t ed25519-sk` and `ssh-keygen -Y sign -n test`, with a device made of software.
private enum KnownToken {
    static let line =
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIO0g0Um66SsEsx/XzMvJW9B69bmUyhIDblPXrdVo/TbpAAAABHNzaDo="
    static let fingerprint = "SHA256:m6TrZL75Q3T9vjwosFnohHwF7Mds7ZD4TMWZmg7xPn4"
    static let signature = hex(
        "0000001a736b2d7373682d65643235353139406f70656e7373682e636f6d000000400e8d94d69f5e8c12a4bc055d3ae14653f0504961dc1c44e2f976f2ff8b7c"
            + "fd846f9a9b67437d9077548310b1beebd66a2f4ed70d074b708a814fe5a642b9a40e0100000007")
    /// What PROTOCOL.sshsig has signed for the message "what is signed".
    static var message: [UInt8] {
        var writer = WireWriter()
        writer.raw("SSHSIG".utf8)
        for field in ["test", "", "sha512"] { writer.text(field) }
        writer.string(SHA512.hash(Array("what is signed".utf8)))
        return writer.bytes
    }
}

@Suite("OpenSSH PROTOCOL.u2f: security keys") struct SecurityKeyTests {
    let name = Array("sk-ssh-ed25519@openssh.com".utf8)

    @Test func `a key is parsed, printed and fingerprinted as ssh-keygen does`() throws {
        let key = try #require(try PublicKeyLine(parsing: KnownToken.line)).key
        #expect(key.isSecurityKey)
        #expect(key.algorithm == "sk-ssh-ed25519@openssh.com")
        #expect(key.fingerprintText == KnownToken.fingerprint)
        #expect(key.line(comment: "") == KnownToken.line)
        #expect(try PublicKey(blob: key.blob) == key)
    }

    @Test func `a signature of OpenSSH's is valid, and says how it was made`() throws {
        let key = try #require(try PublicKeyLine(parsing: KnownToken.line)).key
        let signature = try SignatureBlob(blob: KnownToken.signature)
        #expect(signature.encoded == KnownToken.signature)
        #expect(key.isValid(signature, over: KnownToken.message))
        let use = try #require(signature.use)
        #expect(use.flags == 1 && use.counter == 7 && use.isUserPresent && !use.isUserVerified)
    }

    /// Flags and counter stand at the end of the blob: whoever changes them changes what was signed.
    @Test func `no bit of the signature, its flags or its counter can be changed`() throws {
        let key = try #require(try PublicKeyLine(parsing: KnownToken.line)).key
        for index in KnownToken.signature.count - 69..<KnownToken.signature.count {
            for bit in 0..<8 {
                var changed = KnownToken.signature
                changed[index] ^= 1 << UInt8(bit)
                #expect(!key.isValid(try SignatureBlob(blob: changed), over: KnownToken.message), "byte \(index), bit \(bit)")
            }
        }
        #expect(!key.isValid(try SignatureBlob(blob: KnownToken.signature), over: KnownToken.message + [0]))
    }

    @Test func `a signature is for one application, and for its own kind of key`() throws {
        let signer = Ed25519SigningKey.generate()
        let here = try PublicKey(blob: blob(name, signer.publicKey, Array("ssh:".utf8)))
        let there = try PublicKey(blob: blob(name, signer.publicKey, Array("ssh:other".utf8)))
        let message = Array("m".utf8)
        let signed = SHA256.hash(Array("ssh:".utf8)) + [1, 0, 0, 0, 9] + SHA256.hash(message)
        let signature = try SignatureBlob(blob: blob(name, signer.sign(signed)) + [1, 0, 0, 0, 9])
        #expect(here.isValid(signature, over: message))
        #expect(!there.isValid(signature, over: message))
        #expect(!PublicKey(ed25519: signer.publicKey).isValid(signature, over: message))
        let plain = try SignatureBlob(blob: blob(Array("ssh-ed25519".utf8), signer.sign(message)))
        #expect(plain.use == nil)
        #expect(!here.isValid(plain, over: message))
    }

    @Test func `wrong lengths and bytes left over are refused`() throws {
        let key = [UInt8](repeating: 1, count: 32)
        let application = Array("ssh:".utf8)
        let keys: [([UInt8], KeyError)] = [
            (blob(name, key), .malformed(.truncated(needed: 4, remaining: 0))),
            (blob(name, Array(key.dropLast()), application), .wrongLength(.publicKey, bytes: 31, expected: 32)),
            (blob(name, key, application) + [0], .malformed(.trailing(count: 1))),
            (blob(name, key, [UInt8](repeating: 1, count: 257)), .malformed(.tooLong(length: 257, limit: 256))),
        ]
        for (bytes, fault) in keys { #expect(throws: fault) { try PublicKey(blob: bytes) } }
        let signature = [UInt8](repeating: 2, count: 64)
        let signatures: [([UInt8], KeyError)] = [
            (blob(name, signature), .malformed(.truncated(needed: 1, remaining: 0))),
            (blob(name, signature) + [1, 0, 0, 0], .malformed(.truncated(needed: 4, remaining: 3))),
            (blob(name, signature) + [1, 0, 0, 0, 1, 0], .malformed(.trailing(count: 1))),
            (blob(name, signature + [0]) + [1, 0, 0, 0, 1], .wrongLength(.signature, bytes: 65, expected: 64)),
        ]
        for (bytes, fault) in signatures { #expect(throws: fault) { try SignatureBlob(blob: bytes) } }
    }
}
