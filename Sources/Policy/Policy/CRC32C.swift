/// CRC-32C (Castagnoli; RFC 3720 §12.1): finds accidents, not attacks; what keeps attackers out is who may write the file.
struct CRC32C: Sendable {
    private var state: UInt32 = 0xffff_ffff

    var value: UInt32 { ~state }

    mutating func update(_ bytes: some Sequence<UInt8>) {
        var state = state
        for byte in bytes {
            state = Self.table[Int((state ^ UInt32(byte)) & 0xff)] ^ state >> 8
        }
        self.state = state
    }

    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var checksum = CRC32C()
        checksum.update(bytes)
        return checksum.value
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82f6_3b78 }
    }
}
