import SSHCiphers
import SSHWire

/// The binary packet protocol on its way out (RFC 4253 §6): packets are built and sealed in one reused buffer.
struct PacketWriter: Sendable {
    private var buffer = PacketBuffer()
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

    /// What waits to be written.
    var pending: ArraySlice<UInt8> { buffer.pending }
    var pendingBytes: Int { buffer.count }

    /// Takes note that the first `count` pending bytes are written.
    mutating func didWrite(_ count: Int) { buffer.drop(count) }

    mutating func trim() { buffer.trim() }

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
        buffer.makeRoom(for: bytes.count)
        buffer.storage.replaceSubrange(buffer.end..<buffer.end + bytes.count, with: bytes)
        buffer.extend(by: bytes.count)
    }

    /// Appends one packet.
    mutating func append(_ payload: [UInt8]) {
        buffer.makeRoom(for: roomNeeded(payloadBytes: payload.count))
        let body = buffer.end + Self.headerBytes
        buffer.storage.replaceSubrange(body..<body + payload.count, with: payload)
        finishPacket(payloadBytes: payload.count)
    }

    /// Appends one packet whose payload is `prefix` and then a `string` that `fill` writes straight into the buffer.
    ///
    /// - Parameter fill: gets the buffer and the range it may write, and returns how many bytes it wrote; 0 appends nothing.
    /// - Returns: what `fill` returned.
    mutating func append<Failure: Error>(
        prefix: [UInt8], limit: Int, fill: (inout [UInt8], Range<Int>) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        buffer.makeRoom(for: roomNeeded(payloadBytes: prefix.count + 4 + limit))
        let body = buffer.end + Self.headerBytes
        let length = body + prefix.count
        let count = try fill(&buffer.storage, length + 4..<length + 4 + limit)
        precondition(count >= 0 && count <= limit, "filled more than the limit")
        if count == 0 { return 0 }
        buffer.storage.replaceSubrange(body..<length, with: prefix)
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
        let end = buffer.end
        put(UInt32(packetLength), at: end)
        buffer.storage[end + 4] = UInt8(paddingBytes)
        let paddingStart = end + Self.headerBytes + payloadBytes
        for index in 0..<paddingBytes { buffer.storage[paddingStart + index] = padding[index] }
        sealer.seal(&buffer.storage, packet: end..<end + 4 + packetLength, sequence: sequence)
        buffer.extend(by: 4 + packetLength + sealer.tagBytes)
        sequence &+= 1
        packetsSinceKeys += 1
        bytesSinceKeys += UInt64(packetLength)
    }

    private mutating func put(_ value: UInt32, at index: Int) {
        buffer.storage[index] = UInt8(truncatingIfNeeded: value >> 24)
        buffer.storage[index + 1] = UInt8(truncatingIfNeeded: value >> 16)
        buffer.storage[index + 2] = UInt8(truncatingIfNeeded: value >> 8)
        buffer.storage[index + 3] = UInt8(truncatingIfNeeded: value)
    }
}
