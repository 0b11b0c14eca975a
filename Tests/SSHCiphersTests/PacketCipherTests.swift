import SSHCiphers
import Sodium
import Testing

/// Sealed packets computed in Python with `cryptography` 48's ChaCha20 and Poly1305 (OpenSSL's), not with libsodium:
/// the key is 0…63, the packet a length and bytes 7i + 3, the nonce struct.pack('>Q', sequence).
struct SealedPacket: Sendable {
    let sequence: UInt32
    let length: Int
    /// The first bytes, the last bytes, and the SHA-256 of all.
    let begins, ends, hash: [UInt8]

    init(_ sequence: UInt32, _ length: Int, begins: String, ends: String, hash: String) {
        self.sequence = sequence
        self.length = length
        self.begins = hex(begins)
        self.ends = hex(ends)
        self.hash = hex(hash)
    }

    static let all = [
        SealedPacket(
            0, 8, begins: "94450e511bb25329b2c08be5", ends: "5247eec68639b15849ef847cdd8bf9bb",
            hash: "47741294dd72b1442b347974d017a5ac8d9d7b988d049105f1c68704c27902da"),
        SealedPacket(
            7, 24, begins: "a39afcb22b4c045b51a5076a572ff2a080d1b64047c8b1bef175a027",
            ends: "3f81ff8c0a0415e69331037f36225a8b", hash: "e9e4ad81ad94940ac5a701ef4fd771921086c7b6efb40816c6d88d2b6491b82b"),
        SealedPacket(
            0xffff_fffe, 152, begins: "69a6145034704d84",
            ends: "3ea728fcc7b6cd22f3e2be6b0f1c09109569a340bc930c437a2090475a4974b6",
            hash: "ff2eb94233363485fa04b573f6c95da95c4d87260257ae057e9ae90cfd0c0190"),
    ]

    /// The packet in the clear: its length and what that counts.
    var plain: [UInt8] {
        [0, 0, 0, UInt8(length)] + (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }
    }
}

@Suite("OpenSSH PROTOCOL.chacha20poly1305: packets") struct PacketCipherTests {
    let key = SecretBytes(copying: Array(0..<64))

    var sealer: PacketSealer { PacketSealer(.chacha20Poly1305, key: key, iv: SecretBytes(count: 0)) }
    var opener: PacketOpener { PacketOpener(.chacha20Poly1305, key: key, iv: SecretBytes(count: 0)) }

    /// The packet sealed behind two bytes of another one, with two bytes of a next one after its tag.
    func sealed(_ packet: SealedPacket) -> (buffer: [UInt8], range: Range<Int>) {
        let range = 2..<2 + packet.plain.count
        var buffer = [0xaa, 0xaa] + packet.plain + [UInt8](repeating: 0, count: 16) + [0xbb, 0xbb]
        var sealer = sealer
        sealer.seal(&buffer, packet: range, sequence: packet.sequence)
        return (buffer, range)
    }

    @Test(arguments: SealedPacket.all) func `are sealed as another implementation seals them`(packet: SealedPacket) {
        let (buffer, _) = sealed(packet)
        let onTheWire = Array(buffer.dropFirst(2).dropLast(2))
        #expect(onTheWire.starts(with: packet.begins))
        #expect(Array(onTheWire.suffix(packet.ends.count)) == packet.ends)
        #expect(SHA256.hash(onTheWire) == packet.hash)
        #expect(buffer.starts(with: [0xaa, 0xaa]))
        #expect(Array(buffer.suffix(2)) == [0xbb, 0xbb])
    }

    @Test(arguments: SealedPacket.all) func `are opened where they stand`(packet: SealedPacket) throws {
        var (buffer, range) = sealed(packet)
        let before = buffer
        var opener = opener
        #expect(opener.length(ofPacketAt: 2, in: buffer, sequence: packet.sequence) == UInt32(packet.length))
        #expect(buffer == before)
        try opener.open(&buffer, packet: range, sequence: packet.sequence)
        #expect(Array(buffer[range]) == packet.plain)
    }

    @Test func `a flipped bit anywhere is noticed, and nothing is decrypted`() {
        let packet = SealedPacket.all[1]
        let (good, range) = sealed(packet)
        for bit in range.lowerBound * 8..<(range.upperBound + 16) * 8 {
            var buffer = good
            buffer[bit / 8] ^= 1 << UInt8(bit % 8)
            let spoiled = buffer
            var opener = opener
            #expect(throws: CipherError.badTag(sequence: 7)) {
                try opener.open(&buffer, packet: range, sequence: packet.sequence)
            }
            #expect(buffer == spoiled)
        }
    }

    @Test func `another sequence number, another key and another length are noticed`() {
        let packet = SealedPacket.all[1]
        let (good, range) = sealed(packet)
        var opener = opener
        var buffer = good
        #expect(throws: CipherError.badTag(sequence: 8)) { try opener.open(&buffer, packet: range, sequence: 8) }
        #expect(throws: CipherError.badTag(sequence: 7)) {
            try opener.open(&buffer, packet: range.dropLast(8), sequence: 7)
        }
        for half in [0, 32] {
            var bytes = Array(UInt8(0)..<64)
            bytes[half] ^= 1
            var other = PacketOpener(.chacha20Poly1305, key: SecretBytes(copying: bytes), iv: SecretBytes(count: 0))
            if half == 0 {
                #expect(throws: CipherError.badTag(sequence: 7)) {
                    try other.open(&buffer, packet: range, sequence: 7)
                }
            } else {
                #expect(other.length(ofPacketAt: range.lowerBound, in: buffer, sequence: 7) != UInt32(packet.length))
            }
        }
        #expect(buffer == good)
    }

    @Test func `before the first keys a packet stays as it is`() throws {
        let plain = SealedPacket.all[0].plain
        var buffer = plain
        var (sealer, opener) = (PacketSealer.none, PacketOpener.none)
        sealer.seal(&buffer, packet: buffer.indices, sequence: 0)
        #expect(opener.length(ofPacketAt: 0, in: buffer, sequence: 0) == 8)
        try opener.open(&buffer, packet: buffer.indices, sequence: 0)
        #expect(buffer == plain)
    }

    @Test func `the names are those of a KEXINIT`() {
        #expect(PacketSealer.names == ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com"])
        #expect(PacketOpener.names == PacketSealer.names)
        #expect(CipherName(rawValue: "aes128-ctr") == nil)
        #expect(CipherName.chacha20Poly1305.keyBytes == 64)
    }
}

@Suite("RFC 4253 §6: padding") struct PacketShapeTests {
    @Test func `pads the length bytes too before the first keys`() {
        let shape = PacketSealer.none.shape
        #expect(shape == PacketOpener.none.shape)
        #expect((shape.blockSize, shape.tagBytes, shape.lengthIsEncrypted) == (8, 0, false))
        for count in 0..<100 {
            let padding = shape.paddingBytes(forPayload: count)
            #expect(4...19 ~= padding)
            #expect((4 + 1 + count + padding).isMultiple(of: 8))
            #expect(4 + 1 + count + padding >= 16)
        }
    }

    @Test func `leaves the length bytes out with chacha20-poly1305`() {
        let sealer = PacketSealer(.chacha20Poly1305, key: SecretBytes(count: 64), iv: SecretBytes(count: 0))
        #expect((sealer.blockSize, sealer.tagBytes, sealer.shape.lengthIsEncrypted) == (8, 16, true))
        for count in 0..<100 {
            let padding = sealer.shape.paddingBytes(forPayload: count)
            #expect(4...19 ~= padding)
            #expect((1 + count + padding).isMultiple(of: 8))
            #expect(4 + 1 + count + padding >= 16)
        }
    }

    @Test(arguments: [(0, 11), (1, 10), (6, 5), (7, 4), (8, 11)])
    func `is no longer than it must be before the first keys`(payload: Int, padding: Int) {
        #expect(PacketSealer.none.shape.paddingBytes(forPayload: payload) == padding)
    }
}
