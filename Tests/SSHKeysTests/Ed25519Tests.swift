import Foundation
import Sodium
import Testing

/// RFC 8032 §7.1, TEST 1 to 3.
struct Ed25519Case: Sendable {
    let seed, publicKey, message, signature: [UInt8]

    init(_ seed: String, _ publicKey: String, _ message: String, _ signature: String) {
        self.seed = hex(seed)
        self.publicKey = hex(publicKey)
        self.message = hex(message)
        self.signature = hex(signature)
    }

    static let all = [
        Ed25519Case(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                + "d25bf5f0595bbe24655141438e7a100b"),
        Ed25519Case(
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
                + "387b2eaeb4302aeeb00d291612bb0c00"),
        Ed25519Case(
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
                + "4a7c15e9716ed28dc027beceea1ec40a"),
    ]
}

@Suite("RFC 8032: Ed25519") struct Ed25519Tests {
    @Test(arguments: Ed25519Case.all) func `signs and verifies as the standard says`(known: Ed25519Case) {
        let key = Ed25519SigningKey(seed: SecretBytes(copying: known.seed))
        #expect(key.publicKey == known.publicKey)
        #expect(key.sign(known.message) == known.signature)
        #expect(Ed25519.isValid(signature: known.signature, message: known.message, publicKey: known.publicKey))
    }

    @Test func `a flipped bit anywhere makes a signature invalid`() {
        let known = Ed25519Case.all[2]
        for bit in 0..<512 {
            var signature = known.signature
            signature[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Ed25519.isValid(signature: signature, message: known.message, publicKey: known.publicKey))
        }
        for bit in 0..<256 {
            var publicKey = known.publicKey
            publicKey[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Ed25519.isValid(signature: known.signature, message: known.message, publicKey: publicKey))
        }
        #expect(!Ed25519.isValid(signature: known.signature, message: [0xaf, 0x83], publicKey: known.publicKey))
    }

    @Test func `an S above the group's order is refused`() {
        // TEST 2 with S + L, computed with Python's integers: a second encoding of the same signature.
        let signature = hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69daf52db7415978abc61b2c2eb6aeebfca0"
                + "387b2eaeb4302aeeb00d291612bb0c10")
        let known = Ed25519Case.all[1]
        #expect(!Ed25519.isValid(signature: signature, message: known.message, publicKey: known.publicKey))
    }

    /// The encodings of points of small order, and two that are not canonical (Wycheproof; cr.yp.to/ecdh.html in Edwards form).
    static let smallOrder = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]

    @Test(arguments: smallOrder) func `a key of small order has no valid signature`(key: String) {
        // With S = 0 and R of small order the equation holds for one message in at most eight.
        let signature = hex(Self.smallOrder[0]) + [UInt8](repeating: 0, count: 32)
        for message in UInt8(0)..<64 {
            #expect(!Ed25519.isValid(signature: signature, message: [message], publicKey: hex(key)))
        }
    }

    @Test func `an R of small order is refused`() {
        // For TEST 1's key: R is the neutral point and S = H(R, A, M) a, computed in Python; OpenSSL 3 accepts it.
        let signature = hex(
            "0100000000000000000000000000000000000000000000000000000000000000756cf9b1d6f0d7a979b9d2af3dc2bc12"
                + "94ec7cb6daa20eaff534c024fc57920f")
        let known = Ed25519Case.all[0]
        #expect(!Ed25519.isValid(signature: signature, message: known.message, publicKey: known.publicKey))
    }

    @Test(arguments: [0, 1, 32, 63, 65, 128]) func `a signature of another length is refused`(count: Int) {
        let known = Ed25519Case.all[0]
        let signature = Array((known.signature + known.signature).prefix(count))
        #expect(!Ed25519.isValid(signature: signature, message: known.message, publicKey: known.publicKey))
    }

    @Test(arguments: [0, 31, 33]) func `a key of another length is refused`(count: Int) {
        let known = Ed25519Case.all[0]
        let publicKey = Array((known.publicKey + known.publicKey).prefix(count))
        #expect(!Ed25519.isValid(signature: known.signature, message: known.message, publicKey: publicKey))
    }

    @Test func `Wycheproof's vectors are judged rightly`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/ed25519.txt")
        let cases = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(cases.count == 151)
        for line in cases {
            let fields = line.split(separator: " ").map { $0 == "-" ? "" : String($0) }
            let isValid = Ed25519.isValid(signature: hex(fields[4]), message: hex(fields[3]), publicKey: hex(fields[2]))
            #expect(isValid == (fields[1] == "valid"), "vector \(fields[0])")
        }
    }

    @Test func `two generated keys differ`() {
        #expect(Ed25519SigningKey.generate().publicKey != Ed25519SigningKey.generate().publicKey)
    }
}
