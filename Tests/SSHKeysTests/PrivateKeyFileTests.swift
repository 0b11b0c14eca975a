import SSHKeys
import SSHWire
import Sodium
import Testing

/// Draws the same byte again and again.
struct FixedRandom: RandomSource {
    let byte: UInt8

    mutating func bytes(count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }
    mutating func secret(count: Int) -> SecretBytes { SecretBytes(copying: bytes(count: count)) }
}

/// The text of a key file with these bytes in it.
func keyFile(_ blob: [UInt8]) -> [UInt8] {
    Array("-----BEGIN OPENSSH PRIVATE KEY-----\n\(Base64.encode(blob))\n-----END OPENSSH PRIVATE KEY-----\n".utf8)
}

/// The fields of a key file, each of which a test can spoil.
struct KeyFileFields {
    var magic = Array("openssh-key-v1\0".utf8)
    var cipher = "none"
    var derivation = "none"
    var options: [UInt8] = []
    var count: UInt32 = 1
    var publicBlob = Known.blob
    var checks: (UInt32, UInt32) = (7, 7)
    var algorithm = "ssh-ed25519"
    var publicKey = Known.raw
    var secretKey = hex("2bdf6ca678c61a6fbb485ad83cc0ac81d26d259abfb8de0fa40dee64777bf4a9") + Known.raw
    var comment: [UInt8] = Array("postern test key".utf8)
    var padding: [UInt8] = [1, 2, 3, 4, 5]
    var after: [UInt8] = []

    var text: [UInt8] {
        var section = WireWriter()
        section.uint32(checks.0)
        section.uint32(checks.1)
        section.text(algorithm)
        section.string(publicKey)
        section.string(secretKey)
        section.string(comment)
        section.raw(padding)
        var writer = WireWriter()
        writer.raw(magic)
        writer.text(cipher)
        writer.text(derivation)
        writer.string(options)
        writer.uint32(count)
        writer.string(publicBlob)
        writer.string(section.bytes)
        writer.raw(after)
        return keyFile(writer.bytes)
    }

    static func with(_ change: (inout KeyFileFields) -> Void) -> [UInt8] {
        var fields = KeyFileFields()
        change(&fields)
        return fields.text
    }
}

@Suite("OpenSSH PROTOCOL.key: private key files") struct PrivateKeyFileTests {
    @Test func `a file of ssh-keygen is read`() throws {
        let file = try PrivateKeyFile(text: Array(Known.privateKey.utf8))
        #expect(file.publicKey.line(comment: file.comment) == Known.line)
        let crlf = Array(Known.privateKey.utf8).flatMap { $0 == 10 ? [13, 10] : [$0] }
        #expect(try PrivateKeyFile(text: crlf).publicKey == file.publicKey)
        #expect(try PrivateKeyFile(text: KeyFileFields().text).publicKey == file.publicKey)
    }

    @Test func `is written byte for byte as ssh-keygen writes it`() throws {
        struct Check: RandomSource {
            mutating func bytes(count: Int) -> [UInt8] { [0x77, 0x47, 0xc2, 0x99] }
            mutating func secret(count: Int) -> SecretBytes { SecretBytes(count: count) }
        }
        var random = Check()
        let file = try PrivateKeyFile(text: Array(Known.privateKey.utf8))
        #expect(String(decoding: file.text(random: &random), as: UTF8.self) == Known.privateKey)
    }

    @Test(arguments: 0..<20) func `what is written is read again, whatever the comment's length`(count: Int) throws {
        var random = FixedRandom(byte: 9)
        let key = Ed25519SigningKey(seed: .random(count: 32))
        let comment = String(repeating: "c", count: count)
        let file = try PrivateKeyFile(text: PrivateKeyFile(key: key, comment: comment).text(random: &random))
        #expect(file.key.secretKey.equals(key.secretKey))
        #expect(file.comment == comment)
    }

    @Test func `an encrypted key says so`() {
        // The beginning of a file made by `ssh-keygen -N pw`; nothing after the cipher's name is looked at.
        let text = KeyFileFields.with {
            $0.cipher = "aes256-ctr"
            $0.derivation = "bcrypt"
            $0.options = [UInt8](repeating: 0, count: 24)
        }
        #expect(throws: KeyError.encrypted(cipher: "aes256-ctr")) { try PrivateKeyFile(text: text) }
    }

    @Test func `every fault is refused for its reason`() {
        let refused: [([UInt8], KeyError)] = [
            (KeyFileFields.with { $0.magic = Array("openssh-key-v2\0".utf8) }, .notAPrivateKeyFile),
            (KeyFileFields.with { $0.derivation = "bcrypt" }, .malformed(.badValue("key derivation"))),
            (KeyFileFields.with { $0.options = [1] }, .malformed(.badValue("key derivation"))),
            (KeyFileFields.with { $0.count = 2 }, .keyCount(2)),
            (KeyFileFields.with { $0.count = 0 }, .keyCount(0)),
            (KeyFileFields.with { $0.checks = (7, 8) }, .checkNumbersDiffer),
            (KeyFileFields.with { $0.padding = [1, 2, 3, 4, 6] }, .badPadding),
            (KeyFileFields.with { $0.padding = [1, 2, 3, 4] }, .badPadding),
            (KeyFileFields.with { $0.padding = Array(1...13) }, .badPadding),
            (KeyFileFields.with { $0.after = [0] }, .malformed(.trailing(count: 1))),
            (
                KeyFileFields.with {
                    $0.publicBlob = blob(Array("ssh-rsa".utf8), [1], [1])
                }, .unsupported(algorithm: "ssh-rsa")
            ),
            // Both are padded to a block again, so that only the name and the length are wrong.
            (
                KeyFileFields.with {
                    $0.algorithm = "ssh-rsa"
                    $0.padding = [1]
                }, .unsupported(algorithm: "ssh-rsa")
            ),
            (
                KeyFileFields.with {
                    $0.secretKey.removeLast(32)
                }, .wrongLength(.privateKey, bytes: 32, expected: 64)
            ),
            (KeyFileFields.with { $0.publicKey[0] ^= 1 }, .halvesDiffer),
            (KeyFileFields.with { $0.secretKey[63] ^= 1 }, .halvesDiffer),
            (KeyFileFields.with { $0.secretKey[0] ^= 1 }, .halvesDiffer),
            (KeyFileFields.with { $0.publicBlob = PublicKey(ed25519: Array(0..<32)).blob }, .halvesDiffer),
            (KeyFileFields.with { $0.comment[0] = 0xff }, .malformed(.notUTF8)),
            ([], .notAPrivateKeyFile),
            (Array("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n".utf8), .notAPrivateKeyFile),
            (Array("-----BEGIN OPENSSH PRIVATE KEY-----\n".utf8), .notAPrivateKeyFile),
            (Array(Known.line.utf8), .notAPrivateKeyFile),
            (keyFile([]), .notAPrivateKeyFile),
            (Array(Known.privateKey.replacing("b3Bl", with: "b3B!").utf8), .badBase64),
            ([UInt8](repeating: 0x41, count: 8193), .malformed(.tooLong(length: 8193, limit: 8192))),
        ]
        for (text, fault) in refused {
            #expect(throws: fault) { try PrivateKeyFile(text: text) }
        }
    }

    @Test func `a spoiled byte anywhere but in the comment is noticed`() throws {
        let known = try #require(Base64.decode(Known.privateKey.split(separator: "\n").dropFirst().dropLast().joined()))
        let comment = 0xe5..<0xf5
        for index in known.indices where !comment.contains(index) {
            var spoiled = known
            spoiled[index] ^= 0x10
            #expect(throws: KeyError.self, "byte \(index)") { try PrivateKeyFile(text: keyFile(spoiled)) }
        }
    }

    @Test func `a file cut short anywhere is refused`() throws {
        let known = try #require(Base64.decode(Known.privateKey.split(separator: "\n").dropFirst().dropLast().joined()))
        for count in known.indices {
            #expect(throws: KeyError.self) { try PrivateKeyFile(text: keyFile(Array(known.prefix(count)))) }
        }
    }
}
