import SSHCiphers
import SSHWire

/// The binary packet protocol on its way out (RFC 4253 §6): packets are built and sealed in one reused buffer.
struct PacketWriter: Sendable {
    /// The bytes to write are `storage[start..<end]`; what follows is room.
    private var storage: [UInt8] = []
    private var start = 0
    private var end = 0
    private var sealer = PacketSealer.none
    private var sequence: UInt32 = 0
    /// Drawn once a key: padding of sealed packets need not be secret, only not constant (RFC 4253 §6).
    private var padding = [UInt8](repeating: 0, count: 255)
    private(set) var bytesSinceKeys: UInt64 = 0
    private(set) var packetsSinceKeys: UInt64 = 0

    /// The length field and the padding length, in bytes.
    private static let headerBytes = 5
    /// More than any padding takes: that is at most three blocks of 16 bytes.
    private static let mostPadding = 48
    /// What an idle connection keeps, in bytes.
    private static let keptCapacity = 8 * 1024

    /// What waits to be written.
    var pending: ArraySlice<UInt8> { storage[start..<end] }
    var pendingBytes: Int { end - start }

    /// Takes note that the first `count` pending bytes are written.
    mutating func didWrite(_ count: Int) {
        precondition(count <= pendingBytes, "more written than was pending")
        start += count
        guard start == end else { return }
        start = 0
        end = 0
    }

    /// Gives back a buffer that grew, when nothing waits in it.
    mutating func trim() {
        if start == end, storage.count > Self.keptCapacity { storage = [] }
    }

    /// Seals with new keys from the next packet on.
    mutating func use(_ sealer: PacketSealer, padding: [UInt8], resetsSequence: Bool) {
        self.sealer = sealer
        self.padding = padding
        bytesSinceKeys = 0
        packetsSinceKeys = 0
        if resetsSequence { sequence = 0 }
    }

    /// Appends bytes that are no packet: the identification string.
    mutating func append(raw bytes: [UInt8]) {
        makeRoom(for: bytes.count)
        storage.replaceSubrange(end..<end + bytes.count, with: bytes)
        end += bytes.count
    }

    /// Appends one packet.
    mutating func append(_ payload: [UInt8]) {
        makeRoom(for: roomNeeded(payloadBytes: payload.count))
        let body = end + Self.headerBytes
        storage.replaceSubrange(body..<body + payload.count, with: payload)
        finishPacket(payloadBytes: payload.count)
    }

    /// Appends one packet whose payload is `prefix` and then a `string` that `fill` writes straight into the buffer.
    ///
    /// - Parameter fill: gets the buffer and the range it may write, and returns how many bytes it wrote; 0 appends nothing.
    /// - Returns: what `fill` returned.
    mutating func append<Failure: Error>(
        prefix: [UInt8], limit: Int, fill: (inout [UInt8], Range<Int>) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        makeRoom(for: roomNeeded(payloadBytes: prefix.count + 4 + limit))
        let body = end + Self.headerBytes
        let length = body + prefix.count
        let count = try fill(&storage, length + 4..<length + 4 + limit)
        precondition(count >= 0 && count <= limit, "filled more than the limit")
        if count == 0 { return 0 }
        storage.replaceSubrange(body..<length, with: prefix)
        put(UInt32(count), at: length)
        finishPacket(payloadBytes: prefix.count + 4 + count)
        return count
    }

    private func roomNeeded(payloadBytes: Int) -> Int {
        Self.headerBytes + payloadBytes + Self.mostPadding + sealer.tagBytes
    }

    private mutating func finishPacket(payloadBytes: Int) {
        let paddingBytes = sealer.shape.paddingBytes(forPayload: payloadBytes)
        let packetLength = 1 + payloadBytes + paddingBytes
        put(UInt32(packetLength), at: end)
        storage[end + 4] = UInt8(paddingBytes)
        let paddingStart = end + Self.headerBytes + payloadBytes
        for index in 0..<paddingBytes { storage[paddingStart + index] = padding[index] }
        sealer.seal(&storage, packet: end..<end + 4 + packetLength, sequence: sequence)
        end += 4 + packetLength + sealer.tagBytes
        sequence &+= 1
        packetsSinceKeys += 1
        bytesSinceKeys += UInt64(packetLength)
    }

    private mutating func put(_ value: UInt32, at index: Int) {
        storage[index] = UInt8(truncatingIfNeeded: value >> 24)
        storage[index + 1] = UInt8(truncatingIfNeeded: value >> 16)
        storage[index + 2] = UInt8(truncatingIfNeeded: value >> 8)
        storage[index + 3] = UInt8(truncatingIfNeeded: value)
    }

    /// Room for `count` bytes behind `end`: what was written is given up first, then the buffer grows.
    private mutating func makeRoom(for count: Int) {
        guard storage.count - end < count else { return }
        if start > 0 {
            storage.removeSubrange(..<start)
            end -= start
            start = 0
        }
        let missing = count - (storage.count - end)
        if missing > 0 { storage.append(contentsOf: repeatElement(0, count: max(missing, storage.count))) }
    }
}
