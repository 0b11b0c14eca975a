import Gcrypt
import SSHCiphers
import Sodium
import Testing

@Suite("NIST SP 800-38D: AES-GCM") struct AESGCMKeyTests {
    /// A message of the GCM specification (McGrew and Viega, test cases 4 and 16), and one of CAVP's gcmEncryptExtIV256.rsp:
    /// key, nonce, header, message, and the encrypted message with its tag.
    static let vectors: [(key: String, nonce: String, header: String, message: String, sealed: String)] = [
        (
            "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
                + "5bc94fbc3221a5db94fae95ae7121a47"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b"
        ),
        (
            "83688deb4af8007f9b713b47cfa6c73e35ea7a3aa4ecdb414dded03bf7a0fd3a", "0b459724904e010a46901cf3",
            "794a14ccd178c8ebfd1379dc704c5e208f9d8424", "33d893a2114ce06fc15d55e454cf90c3",
            "cc66bee423e3fcd4c0865715e95866960fb291bd3dba94a1dfd8b286cfb97ac5"
        ),
    ]

    @Test(arguments: vectors.indices) func `encrypts and decrypts as others do, in place`(index: Int) {
        let vector = Self.vectors[index]
        let header = hex(vector.header)
        let message = hex(vector.message)
        let key = AESGCMKey(hex(vector.key).span)
        let number = hex(vector.nonce).reduce((UInt32(0), UInt64(0))) { number, byte in
            (number.0 << 8 | UInt32(number.1 >> 56), number.1 << 8 | UInt64(byte))
        }
        let nonce = (fixed: number.0, counter: number.1)
        var buffer = [0xaa] + header + message + [UInt8](repeating: 0, count: 16) + [0xbb]
        let start = 1 + header.count
        let range = start..<start + message.count
        key.seal(&buffer, header: 1..<start, message: range, nonce: nonce)
        #expect(buffer == [0xaa] + header + hex(vector.sealed) + [0xbb])
        var spoiled = buffer
        spoiled[range.lowerBound] ^= 1
        #expect(!key.open(&spoiled, header: 1..<start, message: range, nonce: nonce))
        #expect(spoiled[range].allSatisfy { $0 == 0 })
        #expect(key.open(&buffer, header: 1..<start, message: range, nonce: nonce))
        #expect(Array(buffer[range]) == message)
    }
}

@Suite("RFC 5647: packets with AES-GCM") struct AESGCMPacketTests {
    /// Four packets one after the other, computed in Python with `cryptography` 48 (OpenSSL's AES-GCM): the key is 0, 1, …, a packet
    /// a length and bytes 7i + 3, the nonce counts from the IV. What is given is the SHA-256 of each sealed packet.
    struct Series: Sendable {
        let cipher: CipherName
        let iv: String
        let hashes: [String]
    }

    static let lengths = [16, 32, 1040, 32784]
    static let series = [
        Series(
            cipher: .aes256GCM, iv: "000102030405060708090a0b",
            hashes: [
                "ba3d47b052ca568c526a104c47fab55917ebfc48cb02bb46bd5460ca30a98373",
                "b25f6263223e1cfa0dce4725aad20f2287a2758a2d9bf754422c53acb64b15e9",
                "04164e3d44e409867d4c5425cb549136b868fe5107acc3d0b86931f6a59cc7ba",
                "ab51694e9a4f65828f50373bac4330931a5ba9ea34883b623a9ae5e32f867a73",
            ]),
        // The counter goes on from zero, and the first four bytes stay.
        Series(
            cipher: .aes256GCM, iv: "ffffffffffffffffffffffff",
            hashes: [
                "159b5c17d04416fbc6f8d82a68832ceda2782f414f36cbc68e41164de41660e2",
                "d5d99a0047ff6aba94a41bd5a573cbd3a5c8055a3b6999a97f3dadf377e4fdcb",
                "d0c9de9964dab72e91c71aea122530419a4eb47a626c32a469e2cc382104a3c3",
                "7301e5de2beb08d0d36cd364b07cffc2016218ea7147ca2cba5937361a363997",
            ]),
        // The counter has 64 bits.
        Series(
            cipher: .aes128GCM, iv: "0000000000000000fffffffe",
            hashes: [
                "554dd8cf3b24638967471b48a3a3aa02b7194429503a927aadfe6f6926769680",
                "6219124ecc9eaf4fb3c28548dbc6df3ccd01d2ec5c2461d5d5f98e0c1f186759",
                "fcb49b32beac31fa6336d90cd5d90c2bf05f32f4f194a00ff3fdb3eca2409a91",
                "5332715cd322d84e589a32087f45af708b683682aea9879eaae156b19c82336a",
            ]),
    ]

    static func plain(_ length: Int) -> [UInt8] {
        [0, 0, UInt8(length >> 8), UInt8(length & 255)] + (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }
    }

    static func key(_ cipher: CipherName) -> SecretBytes { SecretBytes(copying: Array(0..<UInt8(cipher.keyBytes))) }

    @Test(arguments: series.indices) func `are sealed as another implementation seals them, and opened again`(index: Int) throws {
        let series = Self.series[index]
        var sealer = PacketSealer(series.cipher, key: Self.key(series.cipher), iv: SecretBytes(copying: hex(series.iv)))
        var opener = PacketOpener(series.cipher, key: Self.key(series.cipher), iv: SecretBytes(copying: hex(series.iv)))
        for (length, hash) in zip(Self.lengths, series.hashes) {
            let plain = Self.plain(length)
            var buffer = [0xaa] + plain + [UInt8](repeating: 0, count: 16) + [0xbb]
            let range = 1..<1 + plain.count
            sealer.seal(&buffer, packet: range, sequence: 77)
            #expect(SHA256.hash(Array(buffer.dropFirst().dropLast())) == hex(hash))
            #expect((buffer.first, buffer.last) == (0xaa, 0xbb))
            #expect(opener.length(ofPacketAt: 1, in: buffer, sequence: 5) == UInt32(length))
            try opener.open(&buffer, packet: range, sequence: 5)
            #expect(Array(buffer[range]) == plain)
        }
    }

    @Test(arguments: [CipherName.aes256GCM, .aes128GCM]) func `a flipped bit anywhere is noticed, and nothing is decrypted`(cipher: CipherName) {
        let plain = Self.plain(32)
        let iv = SecretBytes(count: 12)
        var sealer = PacketSealer(cipher, key: Self.key(cipher), iv: iv)
        var good = plain + [UInt8](repeating: 0, count: 16)
        sealer.seal(&good, packet: plain.indices, sequence: 0)
        for bit in 0..<good.count * 8 {
            var buffer = good
            buffer[bit / 8] ^= 1 << UInt8(bit % 8)
            var opener = PacketOpener(cipher, key: Self.key(cipher), iv: iv)
            #expect(throws: CipherError.badTag(sequence: 9)) { try opener.open(&buffer, packet: plain.indices, sequence: 9) }
            #expect(buffer[4..<plain.count].allSatisfy { $0 == 0 })
        }
    }

    @Test func `a packet twice, another key and another IV are noticed`() throws {
        let plain = Self.plain(32)
        let iv = SecretBytes(count: 12)
        var sealer = PacketSealer(.aes256GCM, key: Self.key(.aes256GCM), iv: iv)
        var good = plain + [UInt8](repeating: 0, count: 16)
        sealer.seal(&good, packet: plain.indices, sequence: 0)
        var opener = PacketOpener(.aes256GCM, key: Self.key(.aes256GCM), iv: iv)
        var buffer = good
        try opener.open(&buffer, packet: plain.indices, sequence: 0)
        buffer = good
        #expect(throws: CipherError.badTag(sequence: 0)) { try opener.open(&buffer, packet: plain.indices, sequence: 0) }
        for (key, iv) in [(SecretBytes(count: 32), iv), (Self.key(.aes256GCM), SecretBytes(copying: [UInt8](repeating: 1, count: 12)))] {
            var other = PacketOpener(.aes256GCM, key: key, iv: iv)
            buffer = good
            #expect(throws: CipherError.badTag(sequence: 0)) { try other.open(&buffer, packet: plain.indices, sequence: 0) }
        }
    }

    @Test(arguments: [CipherName.aes256GCM, .aes128GCM]) func `are padded to sixteen bytes, their length left out`(cipher: CipherName) {
        let shape = PacketSealer(cipher, key: Self.key(cipher), iv: SecretBytes(count: 12)).shape
        #expect((shape.blockSize, shape.tagBytes, shape.lengthIsEncrypted) == (16, 16, false))
        for count in 0..<100 {
            let padding = shape.paddingBytes(forPayload: count)
            #expect(4...19 ~= padding)
            #expect((1 + count + padding).isMultiple(of: 16))
        }
    }
}
