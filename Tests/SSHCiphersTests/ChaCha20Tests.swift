import Sodium
import Testing

@Suite("RFC 8439: ChaCha20 and Poly1305") struct ChaCha20Tests {
    let key = ChaCha20Key(SecretBytes(copying: Array(0..<32)))
    let plain = Array(
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
            .utf8)
    let cipher = hex(
        "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b357"
            + "1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
            + "5af90bbf74a35be6b40b8eedf2785e42874d")
    /// RFC 8439 §2.4.2's nonce without its first word, which is zero and belongs to the block number here.
    let nonce: UInt64 = 0x4a_0000_0000

    @Test func `encrypts as §2.4.2 says, in place and only in the range`() {
        var bytes = [0xaa] + plain + [0xbb]
        key.apply(to: &bytes, in: 1..<1 + plain.count, nonce: nonce, block: 1)
        #expect(bytes == [0xaa] + cipher + [0xbb])
        key.apply(to: &bytes, in: 1..<1 + plain.count, nonce: nonce, block: 1)
        #expect(bytes == [0xaa] + plain + [0xbb])
        key.apply(to: &bytes, in: 5..<5, nonce: nonce, block: 1)
        #expect(bytes == [0xaa] + plain + [0xbb])
    }

    @Test func `takes the key at its offset`() {
        let second = ChaCha20Key(SecretBytes(copying: [UInt8](repeating: 9, count: 32) + Array(0..<32)), at: 32)
        var bytes = plain
        second.apply(to: &bytes, in: bytes.indices, nonce: nonce, block: 1)
        #expect(bytes == cipher)
    }

    @Test func `the first word is the key stream's`() {
        var bytes: [UInt8] = [0, 0, 0, 0]
        key.apply(to: &bytes, in: 0..<4, nonce: 7, block: 0)
        let word = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        #expect(key.firstWord(nonce: 7) == word)
    }

    @Test func `authenticates as §2.5.2 says`() {
        let oneTimeKey = SecretBytes(
            copying: hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"))
        let message = Array("-Cryptographic Forum Research Group-".utf8)
        let tag = hex("a8061dc1305136c6c22b8baf0c0127a9")
        let range = 1..<message.count - 1
        #expect(Poly1305.tag(of: message, in: range, key: oneTimeKey) == tag)
        #expect(Poly1305.isValid(tag, of: message, in: range, key: oneTimeKey))
        #expect(!Poly1305.isValid(tag, of: message, in: message.indices, key: oneTimeKey))
        #expect(!Poly1305.isValid(Array(tag.dropLast()), of: message, in: range, key: oneTimeKey))
        for bit in 0..<128 {
            var spoiled = tag
            spoiled[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Poly1305.isValid(spoiled, of: message, in: range, key: oneTimeKey))
        }
    }
}
