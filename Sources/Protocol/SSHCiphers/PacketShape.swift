/// What a cipher wants of the packets it seals (RFC 4253 §6): what the packet layer needs to know to frame and pad them.
public struct PacketShape: Equatable, Sendable {
    /// What the padded part's length is a multiple of.
    public let blockSize: Int
    /// How many bytes follow the packet.
    public let tagBytes: Int
    /// Whether the four length bytes cannot be read from the wire without ``PacketOpener/length(ofPacketAt:in:sequence:)``.
    public let lengthIsEncrypted: Bool
    /// Whether the four length bytes belong to the padded part: so in RFC 4253 §6, but not with an AEAD cipher, where
    /// they are additional data (OpenSSH PROTOCOL.chacha20poly1305, RFC 5647 §7.2).
    public let paddingCountsLength: Bool

    /// Before the first key exchange.
    static let plain = PacketShape(blockSize: 8, tagBytes: 0, lengthIsEncrypted: false, paddingCountsLength: true)
    static let chacha20Poly1305 = PacketShape(
        blockSize: 8, tagBytes: 16, lengthIsEncrypted: true, paddingCountsLength: false)
    static let aesGCM = PacketShape(blockSize: 16, tagBytes: 16, lengthIsEncrypted: false, paddingCountsLength: false)

    /// The length of the shortest padding of a payload: at least 4 bytes, and a packet of at least 16 (RFC 4253 §6).
    public func paddingBytes(forPayload count: Int) -> Int {
        let unpadded = (paddingCountsLength ? 4 : 0) + 1 + count
        var padding = blockSize - unpadded % blockSize
        if padding < Self.minimumPadding { padding += blockSize }
        // The whole packet: four length bytes, the padding length byte, the payload and the padding.
        while 4 + 1 + count + padding < Self.minimumPacket { padding += blockSize }
        return padding
    }

    private static let minimumPadding = 4
    private static let minimumPacket = 16
}
