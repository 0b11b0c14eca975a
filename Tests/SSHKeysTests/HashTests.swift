import Sodium
import Testing

@Suite("FIPS 180-4: SHA-2") struct HashTests {
    /// The hash of "abc", from FIPS 180-4's examples.
    static let abc256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    static let abc512 =
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    let abc = Array("abc".utf8)

    @Test func `hashes as the standard says`() {
        #expect(SHA256.hash(abc) == hex(Self.abc256))
        #expect(SHA512.hash(abc) == hex(Self.abc512))
        #expect(SHA256.hash([]) == hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
    }

    @Test func `hashes parts as the whole`() {
        var stream = SHA256.Stream()
        var long = SHA512.Stream()
        for byte in abc {
            stream.update([byte])
            long.update(abc, in: 0..<0)
            long.update([byte])
        }
        #expect(stream.finish() == hex(Self.abc256))
        #expect(long.finish() == hex(Self.abc512))
        stream.update(Array("xabcx".utf8), in: 1..<4)
        #expect(stream.finish() == hex(Self.abc256))
    }

    @Test(arguments: [(HashFunction.sha256, abc256), (.sha512, abc512)])
    func `hashes secrets among bytes`(function: HashFunction, expected: String) {
        let pieces: [HashPiece] = [.bytes([0x61]), .secret(SecretBytes(copying: [0x62])), .bytes([]), .bytes([0x63])]
        #expect(function.hash(pieces) == hex(expected))
        #expect(function.secretHash(pieces).disclosed() == hex(expected))
        #expect(function.count == hex(expected).count)
    }
}
