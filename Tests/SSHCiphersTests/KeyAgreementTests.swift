@testable import SSHCiphers
import SSHKeys
import SSHWire
import Sodium
import Testing

/// Gives the secrets it was made with, one after the other.
struct ScriptedRandom: RandomSource {
    var secrets: [[UInt8]]

    mutating func bytes(count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    mutating func secret(count: Int) -> SecretBytes { SecretBytes(copying: secrets.removeFirst()) }
}

@Suite("RFC 8731: curve25519-sha256") struct KeyAgreementTests {
    @Test(arguments: [KeyExchangeMethod.curve25519, .curve25519LibSSH])
    func `both sides get one secret, as an mpint`(method: KeyExchangeMethod) throws {
        // The key pairs of RFC 7748 §6.1.
        var random = ScriptedRandom(secrets: [
            hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
            hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
        ])
        let client = ClientKeyShare(method, random: &random)
        let server = try method.respond(to: client.share, random: &random)
        #expect(client.share == hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        #expect(server.share == hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
        let expected = hex("000000204a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        #expect(server.secret.disclosed() == expected)
        #expect(try client.sharedSecret(serverShare: server.share).disclosed() == expected)
        #expect(method.hash == .sha256)
    }

    @Test func `the methods are named as in a KEXINIT`() {
        #expect(
            KeyExchangeMethod.allCases.map(\.rawValue) == [
                "mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256",
                "curve25519-sha256@libssh.org",
            ])
    }

    @Test(arguments: [0, 31, 33, 64]) func `a share of another length is refused by both`(count: Int) {
        var random = SystemRandom()
        let share = [UInt8](repeating: 9, count: count)
        let fault = KeyAgreementError.wrongLength(bytes: count, expected: 32)
        #expect(throws: fault) { try KeyExchangeMethod.curve25519.respond(to: share, random: &random) }
        let client = ClientKeyShare(.curve25519, random: &random)
        #expect(throws: fault) { try client.sharedSecret(serverShare: share) }
    }

    @Test(arguments: X25519Tests.smallOrder) func `a point of small order is refused by both`(point: String) {
        var random = SystemRandom()
        #expect(throws: KeyAgreementError.smallOrder) {
            try KeyExchangeMethod.curve25519.respond(to: hex(point), random: &random)
        }
        let client = ClientKeyShare(.curve25519, random: &random)
        #expect(throws: KeyAgreementError.smallOrder) { try client.sharedSecret(serverShare: hex(point)) }
    }

    @Test(arguments: ["", "00", "0000", "01", "7f", "80", "ff00", "0080", "00007f", "000080", "0001ff"])
    func `an mpint is encoded as the wire format does`(digits: String) {
        var writer = WireWriter()
        writer.unsignedInteger(hex(digits))
        #expect(SecretBytes(integer: SecretBytes(copying: hex(digits))).disclosed() == writer.bytes)
    }
}

@Suite("RFC 9941: hybrid key agreement") struct HybridKeyAgreementTests {
    static let methods = KeyExchangeMethod.allCases.filter { $0.kem != nil }

    @Test(arguments: methods) func `both sides get one secret: the hash of both secrets, as a string`(method: KeyExchangeMethod) throws {
        let kem = try #require(method.kem)
        var random = KnownAnswerRandom(seed: Array(0..<48))
        let client = ClientKeyShare(method, random: &random)
        #expect(client.share.count == kem.publicKeyBytes + 32)
        var serverRandom = KnownAnswerRandom(seed: Array(1..<49))
        let server = try method.respond(to: client.share, random: &serverRandom)
        #expect(server.share.count == kem.ciphertextBytes + 32)
        let secret = try client.sharedSecret(serverShare: server.share)
        #expect(secret.equals(server.secret))
        // The same draws again, one after the other.
        var again = KnownAnswerRandom(seed: Array(1..<49))
        let pair = X25519KeyPair(secret: again.secret(count: 32))
        let (ciphertext, kemSecret) = try kem.encapsulate(to: Array(client.share[..<kem.publicKeyBytes]), random: &again)
        #expect(server.share == ciphertext + pair.publicKey)
        let curveSecret = try #require(pair.sharedSecret(with: Array(client.share[kem.publicKeyBytes...])))
        let digest = method.hash.hash([.secret(kemSecret), .secret(curveSecret)])
        #expect(secret.disclosed() == [0, 0, 0, UInt8(digest.count)] + digest)
    }

    @Test(arguments: methods) func `a share of another length is refused by both`(method: KeyExchangeMethod) throws {
        let kem = try #require(method.kem)
        var random = SystemRandom()
        let client = ClientKeyShare(method, random: &random)
        for difference in [-1, 1, -32] {
            let share = [UInt8](repeating: 9, count: kem.publicKeyBytes + 32 + difference)
            #expect(throws: KeyAgreementError.wrongLength(bytes: share.count, expected: kem.publicKeyBytes + 32)) {
                try method.respond(to: share, random: &random)
            }
            let answer = [UInt8](repeating: 9, count: kem.ciphertextBytes + 32 + difference)
            #expect(throws: KeyAgreementError.wrongLength(bytes: answer.count, expected: kem.ciphertextBytes + 32)) {
                try client.sharedSecret(serverShare: answer)
            }
        }
    }

    @Test(arguments: methods) func `a point of small order is refused by both`(method: KeyExchangeMethod) throws {
        let kem = try #require(method.kem)
        var random = SystemRandom()
        let client = ClientKeyShare(method, random: &random)
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(throws: KeyAgreementError.smallOrder) {
            try method.respond(to: client.share.dropLast(32) + zero, random: &random)
        }
        #expect(throws: KeyAgreementError.smallOrder) {
            try client.sharedSecret(serverShare: [UInt8](repeating: 1, count: kem.ciphertextBytes) + zero)
        }
    }
}
