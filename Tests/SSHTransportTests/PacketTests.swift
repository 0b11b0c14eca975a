import Peers
import SSHCiphers
import SSHWire
import Sodium
import Testing

@testable import SSHTransport

@Suite("RFC 4253 §6: binary packets") struct PacketTests {
    static let key = SecretBytes(copying: Array(0..<64))
    static let noIV = SecretBytes(count: 0)

    private func feed(_ reader: inout PacketReader, _ bytes: some Collection<UInt8>) {
        _ = reader.receive(limit: bytes.count) { buffer, range in
            buffer.replaceSubrange(range, with: bytes)
            return bytes.count
        }
    }

    private func pair(sealed: Bool) -> (PacketWriter, PacketReader) {
        var writer = PacketWriter()
        var reader = PacketReader()
        if sealed {
            writer.use(PacketSealer(.chacha20Poly1305, key: Self.key, iv: Self.noIV), padding: Array(0..<255), resetsSequence: true)
            reader.use(PacketOpener(.chacha20Poly1305, key: Self.key, iv: Self.noIV), resetsSequence: true)
        }
        return (writer, reader)
    }

    @Test(arguments: [true, false]) func `of every length up to a block and more are the same on the other side`(sealed: Bool) throws {
        var (writer, reader) = pair(sealed: sealed)
        let payloads = (Array(1...70) + [255, 256, 32_768, 34_900]).map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $0) }
        for payload in payloads { writer.append(payload) }
        feed(&reader, writer.pending)
        for payload in payloads {
            let read = try reader.next()
            #expect(read == payload)
        }
        #expect(try reader.next() == nil)
        #expect(reader.sequence == UInt32(payloads.count))
    }

    @Test(arguments: [true, false]) func `come byte by byte`(sealed: Bool) throws {
        var (writer, reader) = pair(sealed: sealed)
        for round in 0..<3 as Range<UInt8> {
            writer.append([round, 1, 2])
            var read: [[UInt8]] = []
            for byte in writer.pending {
                feed(&reader, [byte])
                if let payload = try reader.next() { read.append(payload) }
            }
            writer.didWrite(writer.pendingBytes)
            #expect(read == [[round, 1, 2]])
        }
    }

    /// Before keys the length can be anything: the reader says no as soon as it has the four bytes.
    @Test(arguments: [0, 1, 7, 8, 11, 13, 35_001, 35_004, 1 << 31, .max] as [UInt32]) func `with a bad length are refused at once`(length: UInt32) {
        var reader = PacketReader()
        feed(&reader, [UInt8(length >> 24), UInt8(length >> 16 & 0xff), UInt8(length >> 8 & 0xff), UInt8(length & 0xff)])
        #expect(throws: TransportError.badPacketLength(length)) { try reader.next() }
    }

    static let paddings: [(padding: UInt8, isGood: Bool)] = [(0, false), (3, false), (4, true), (10, true), (11, false), (12, false), (255, false)]

    @Test(arguments: paddings) func `have four bytes of padding at least and one of payload`(padding: UInt8, isGood: Bool) throws {
        var reader = PacketReader()
        feed(&reader, [0, 0, 0, 12, padding] + [UInt8](repeating: 9, count: 11))
        if isGood {
            #expect(try reader.next()?.count == 11 - Int(padding))
        } else {
            #expect(throws: TransportError.badPadding(padding)) { try reader.next() }
        }
    }

    @Test func `that were changed anywhere are refused`() throws {
        var (writer, _) = pair(sealed: true)
        writer.append([1, 2, 3])
        let packet = Array(writer.pending)
        for index in packet.indices {
            var (_, reader) = pair(sealed: true)
            var changed = packet
            changed[index] ^= 0x80
            feed(&reader, changed)
            do throws(TransportError) {
                // A length that is longer but possible: the reader waits for the rest.
                #expect(try reader.next() == nil && (2...3).contains(index))
            } catch .cipher(.badTag(0)) {
                #expect(index >= 4)
            } catch .badPacketLength {
                #expect(index < 4)
            } catch {
                Issue.record("byte \(index): \(error)")
            }
        }
    }

    @Test func `are numbered modulo 2^32, and anew where keys are`() throws {
        var (writer, reader) = pair(sealed: true)
        writer.append([1])
        writer.append([2])
        feed(&reader, writer.pending)
        _ = try reader.next()
        _ = try reader.next()
        #expect(reader.sequence == 2)
        reader.use(.none, resetsSequence: false)
        #expect(reader.sequence == 2)
        reader.use(.none, resetsSequence: true)
        #expect(reader.sequence == 0)
    }

    @Test func `are written where the buffer has room, whatever was taken from it`() throws {
        var (writer, reader) = pair(sealed: true)
        var random = SeededRandom(seed: 3)
        var sent: [[UInt8]] = []
        var read: [[UInt8]] = []
        for _ in 0..<500 {
            let payload = random.bytes(count: Int.random(in: 1...2000, using: &random))
            sent.append(payload)
            writer.append(payload)
            let count = Int.random(in: 0...writer.pendingBytes, using: &random)
            feed(&reader, writer.pending.prefix(count))
            writer.didWrite(count)
            while let payload = try reader.next() { read.append(payload) }
            if Bool.random(using: &random) {
                writer.trim()
                reader.trim()
            }
        }
        feed(&reader, writer.pending)
        while let payload = try reader.next() { read.append(payload) }
        #expect(read == sent)
    }

    @Test func `data is written straight into a packet, and nothing for no bytes`() throws {
        var (writer, reader) = pair(sealed: true)
        let nothing = writer.append(prefix: [94], limit: 10) { _, _ in 0 }
        #expect(nothing == 0)
        #expect(writer.pendingBytes == 0)
        let count = writer.append(prefix: [94, 0], limit: 10) { buffer, range in
            #expect(range.count == 10)
            buffer.replaceSubrange(range.prefix(3), with: [7, 8, 9])
            return 3
        }
        #expect(count == 3)
        feed(&reader, writer.pending)
        #expect(try reader.next() == [94, 0, 0, 0, 0, 3, 7, 8, 9])
    }
}
