import SSHWire
import Testing

@Suite("RFC 4251 §5: data types") struct WireReaderTests {
    /// The mpints of RFC 4251 §5 that are not negative: the number in hexadecimal, and how it stands on the wire.
    static let integers: [(digits: [UInt8], wire: [UInt8])] = [
        ([], [0, 0, 0, 0]),
        ([0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7], [0, 0, 0, 8, 0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7]),
        ([0x80], [0, 0, 0, 2, 0, 0x80]),
    ]

    @Test(arguments: integers) func `mpint as in the RFC's examples`(digits: [UInt8], wire: [UInt8]) throws {
        var writer = WireWriter()
        writer.unsignedInteger(digits)
        #expect(writer.bytes == wire)
        var reader = WireReader(wire)
        #expect(try reader.unsignedInteger(limit: 64) == digits)
        try reader.finish()
    }

    @Test func `an mpint is written without its leading zeros`() {
        var writer = WireWriter()
        writer.unsignedInteger([0, 0, 0x7f])
        writer.unsignedInteger([0, 0])
        #expect(writer.bytes == [0, 0, 0, 1, 0x7f, 0, 0, 0, 0])
    }

    /// The RFC's two negative examples, and forms that are not the shortest.
    @Test(arguments: [
        [0, 0, 0, 2, 0xed, 0xcc], [0, 0, 0, 5, 0xff, 0x21, 0x52, 0x41, 0x11], [0, 0, 0, 1, 0], [0, 0, 0, 2, 0, 0x7f], [0, 0, 0, 3, 0, 0, 0x80],
    ] as [[UInt8]])
    func `a negative or padded mpint is refused`(wire: [UInt8]) {
        var reader = WireReader(wire)
        #expect(throws: WireError.badInteger) { try reader.unsignedInteger(limit: 64) }
    }

    /// RFC 4251 §5 has these three.
    static let nameLists: [(names: [String], wire: [UInt8])] = [
        ([], [0, 0, 0, 0]),
        (["zlib"], [0, 0, 0, 4, 0x7a, 0x6c, 0x69, 0x62]),
        (["zlib", "none"], [0, 0, 0, 9, 0x7a, 0x6c, 0x69, 0x62, 0x2c, 0x6e, 0x6f, 0x6e, 0x65]),
    ]

    @Test(arguments: nameLists) func `name-list as in the RFC's examples`(names: [String], wire: [UInt8]) throws {
        var writer = WireWriter()
        writer.nameList(names)
        #expect(writer.bytes == wire)
        var reader = WireReader(wire)
        #expect(try reader.nameList() == names)
        try reader.finish()
    }

    @Test(arguments: [",", "a,", ",a", "a,,b", "a b", "a\u{0}", "é", "a,\u{7f}"]) func `a bad name-list is refused`(list: String) {
        var writer = WireWriter()
        writer.text(list)
        var reader = WireReader(writer.bytes)
        #expect(throws: WireError.badNameList) { try reader.nameList() }
    }

    @Test func `integers are big-endian`() throws {
        var writer = WireWriter()
        writer.byte(7)
        writer.uint32(699_921_578)
        writer.uint64(0x0102_0304_0506_0708)
        #expect(writer.bytes == [7, 0x29, 0xb7, 0xf4, 0xaa, 1, 2, 3, 4, 5, 6, 7, 8])
        var reader = WireReader(writer.bytes)
        #expect(try reader.byte() == 7)
        #expect(try reader.uint32() == 699_921_578)
        #expect(try reader.uint64() == 0x0102_0304_0506_0708)
    }

    @Test func `a boolean is true for everything but zero`() throws {
        var reader = WireReader([0, 1, 2, 255])
        #expect(try !reader.boolean())
        for _ in 0..<3 { #expect(try reader.boolean()) }
    }

    @Test(arguments: [(4, [0, 0, 0, 5]), (0, [0, 0, 0, 1]), (16, [0xff, 0xff, 0xff, 0xff]), (16, [0x80, 0, 0, 0])] as [(Int, [UInt8])])
    func `a string over its limit is refused before it is read`(limit: Int, length: [UInt8]) {
        var reader = WireReader(length)
        let count = length.reduce(0) { $0 << 8 | Int($1) }
        #expect(throws: WireError.tooLong(length: count, limit: limit)) { try reader.string(limit: limit) }
    }

    @Test(arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]] as [[UInt8]])
    func `text that is not UTF-8 is refused`(bytes: [UInt8]) {
        var writer = WireWriter()
        writer.string(bytes)
        var reader = WireReader(writer.bytes)
        #expect(throws: WireError.notUTF8) { try reader.text(limit: 16) }
    }

    @Test func `what is truncated says how much is missing`() {
        for (count, needed) in [(0, 1), (3, 4)] {
            var reader = WireReader([UInt8](repeating: 0, count: count))
            #expect(throws: WireError.truncated(needed: needed, remaining: count)) {
                if needed == 1 { _ = try reader.byte() } else { _ = try reader.uint32() }
            }
        }
        var string = WireReader([0, 0, 0, 2, 1])
        #expect(throws: WireError.truncated(needed: 2, remaining: 1)) { try string.string(limit: 9) }
        var raw = WireReader([1, 2])
        #expect(throws: WireError.truncated(needed: 3, remaining: 2)) { try raw.raw(3) }
    }

    @Test func `nothing may follow the last field`() throws {
        var reader = WireReader([1, 2, 3], in: 1..<3)
        #expect(try reader.byte() == 2)
        #expect(throws: WireError.trailing(count: 1)) { try reader.finish() }
        #expect(reader.rest() == [3])
        try reader.finish()
    }
}
