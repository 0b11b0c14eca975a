import SSHCiphers
import SSHWire

/// The binary packet protocol on its way in (RFC 4253 §6): bytes are read into one buffer and opened in place.
struct PacketReader: Sendable {
    /// The bytes not yet taken are `storage[start..<end]`; what follows is room.
    private var storage: [UInt8] = []
    private var start = 0
    private var end = 0
    private var opener = PacketOpener.none
    private(set) var sequence: UInt32 = 0
    /// The length of the packet at `start`, once its first bytes were there.
    private var packetLength: Int?
    private(set) var bytesSinceKeys: UInt64 = 0
    private(set) var packetsSinceKeys: UInt64 = 0

    /// Bytes that came and were not yet taken.
    var unreadBytes: Int { end - start }

    /// What an idle connection keeps, in bytes.
    private static let keptCapacity = 8 * 1024

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
        makeRoom(for: limit)
        let count = try fill(&storage, end..<end + limit)
        precondition(count >= 0 && count <= limit, "filled more than the limit")
        end += count
        return count
    }

    /// Takes the peer's identification string from the front; nil when more bytes are needed.
    mutating func identification(allowsLinesBefore: Bool) throws(TransportError) -> Identification? {
        do {
            guard let (found, consumed) = try Identification.find(in: storage[start..<end], allowsLinesBefore: allowsLinesBefore)
            else { return nil }
            start += consumed
            return found
        } catch {
            throw .identification(error)
        }
    }

    /// Takes the next packet's payload from the front; nil when more bytes are needed.
    mutating func next() throws(TransportError) -> [UInt8]? {
        guard let length = try lengthOfNext() else { return nil }
        let packet = start..<start + 4 + length
        guard packet.upperBound + opener.tagBytes <= end else { return nil }
        do throws(CipherError) {
            try opener.open(&storage, packet: packet, sequence: sequence)
        } catch {
            throw .cipher(error)
        }
        let padding = storage[start + 4]
        // RFC 4253 §6: four bytes of padding at least, and a payload of one byte at least.
        guard padding >= 4, Int(padding) + 2 <= length else { throw .badPadding(padding) }
        let payload = Array(storage[start + 5..<start + 4 + length - Int(padding)])
        advance(past: packet.upperBound + opener.tagBytes, length: length)
        return payload
    }

    /// Reads the length field as soon as it is there: a bad one ends the connection before its packet arrives.
    private mutating func lengthOfNext() throws(TransportError) -> Int? {
        if let packetLength { return packetLength }
        guard end - start >= 4 else { return nil }
        let length = opener.length(ofPacketAt: start, in: storage, sequence: sequence)
        let aligned = (Int(length) + (opener.shape.paddingCountsLength ? 4 : 0)) % opener.blockSize == 0
        guard length >= 8, length <= UInt32(WireLimit.packet), aligned else { throw .badPacketLength(length) }
        packetLength = Int(length)
        return packetLength
    }

    private mutating func advance(past index: Int, length: Int) {
        start = index
        packetLength = nil
        sequence &+= 1
        packetsSinceKeys += 1
        bytesSinceKeys += UInt64(length)
        guard start == end else { return }
        start = 0
        end = 0
    }

    /// Gives back a buffer that grew, when nothing waits in it.
    mutating func trim() {
        if start == end, storage.count > Self.keptCapacity { storage = [] }
    }

    private mutating func makeRoom(for count: Int) {
        guard storage.count - end < count else { return }
        if start > 0 {
            storage.removeSubrange(..<start)
            end -= start
            start = 0
        }
        let missing = count - (storage.count - end)
        if missing > 0 { storage.append(contentsOf: repeatElement(0, count: missing)) }
    }
}
