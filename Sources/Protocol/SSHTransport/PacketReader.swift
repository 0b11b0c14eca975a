import SSHCiphers
import SSHWire

/// The binary packet protocol on its way in (RFC 4253 §6): bytes are read into one buffer and opened in place.
struct PacketReader: Sendable {
    private var buffer = PacketBuffer()
    private var opener = PacketOpener.none
    private(set) var sequence: UInt32 = 0
    /// The length of the next packet, once its first bytes were there.
    private var packetLength: Int?
    private(set) var bytesSinceKeys: UInt64 = 0
    private(set) var packetsSinceKeys: UInt64 = 0

    /// Bytes that came and were not yet taken.
    var unreadBytes: Int { buffer.count }

    /// Opens with new keys from the next packet on.
    mutating func use(_ opener: PacketOpener, resetsSequence: Bool) {
        self.opener = opener
        bytesSinceKeys = 0
        packetsSinceKeys = 0
        if resetsSequence { sequence = 0 }
    }

    /// Lets `fill` write up to `limit` bytes from the peer straight into the buffer, and returns what it returned.
    mutating func receive<Failure: Error>(
        limit: Int, fill: (inout [UInt8], Range<Int>) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        buffer.makeRoom(for: limit)
        let count = try fill(&buffer.storage, buffer.end..<buffer.end + limit)
        precondition(count >= 0 && count <= limit, "filled more than the limit")
        buffer.extend(by: count)
        return count
    }

    /// Takes the peer's identification string from the front; nil when more bytes are needed.
    mutating func identification(allowsLinesBefore: Bool) throws(TransportError) -> Identification? {
        do {
            guard let (found, consumed) = try Identification.find(in: buffer.pending, allowsLinesBefore: allowsLinesBefore)
            else { return nil }
            buffer.drop(consumed)
            return found
        } catch {
            throw .identification(error)
        }
    }

    /// Takes the next packet's payload from the front; nil when more bytes are needed.
    mutating func next() throws(TransportError) -> [UInt8]? {
        guard let length = try lengthOfNext() else { return nil }
        let wholeBytes = 4 + length + opener.tagBytes
        guard buffer.count >= wholeBytes else { return nil }
        let start = buffer.start
        do throws(CipherError) {
            try opener.open(&buffer.storage, packet: start..<start + 4 + length, sequence: sequence)
        } catch {
            throw .cipher(error)
        }
        let padding = buffer.storage[start + 4]
        // RFC 4253 §6: four bytes of padding at least, and a payload of one byte at least.
        guard padding >= 4, Int(padding) + 2 <= length else { throw .badPadding(padding) }
        let payload = Array(buffer.storage[start + 5..<start + 4 + length - Int(padding)])
        buffer.drop(wholeBytes)
        packetLength = nil
        sequence &+= 1
        packetsSinceKeys += 1
        bytesSinceKeys += UInt64(length)
        return payload
    }

    mutating func trim() { buffer.trim() }

    /// Reads the length field as soon as it is there: a bad one ends the connection before its packet arrives.
    private mutating func lengthOfNext() throws(TransportError) -> Int? {
        if let packetLength { return packetLength }
        guard buffer.count >= 4 else { return nil }
        let length = opener.length(ofPacketAt: buffer.start, in: buffer.storage, sequence: sequence)
        let aligned = (Int(length) + (opener.shape.paddingCountsLength ? 4 : 0)) % opener.blockSize == 0
        guard length >= 8, length <= UInt32(WireLimit.packet), aligned else { throw .badPacketLength(length) }
        packetLength = Int(length)
        return packetLength
    }
}
