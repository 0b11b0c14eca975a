import Sodium

/// chacha20-poly1305@openssh.com for one direction (OpenSSH PROTOCOL.chacha20poly1305).
///
/// Of the 64 key bytes the first 32 encrypt what a packet holds and make its Poly1305 key, the last 32 its length. The
/// nonce is the sequence number; the tag covers the encrypted length and the encrypted rest.
public struct ChaCha20Poly1305: Sendable {
    private let contentKey: ChaCha20Key
    private let lengthKey: ChaCha20Key

    /// - Parameter key: 64 bytes.
    public init(key: SecretBytes) {
        precondition(key.count == 2 * ChaCha20Key.count, "a key of \(key.count) bytes")
        contentKey = ChaCha20Key(key)
        lengthKey = ChaCha20Key(key, at: ChaCha20Key.count)
    }

    func seal(_ buffer: inout [UInt8], packet: Range<Int>, sequence: UInt32) {
        applyKeyStreams(to: &buffer, packet: packet, sequence: sequence)
        contentKey.authenticate(&buffer, in: packet, tagAt: packet.upperBound, nonce: UInt64(sequence))
    }

    func open(_ buffer: inout [UInt8], packet: Range<Int>, sequence: UInt32) throws(CipherError) {
        guard contentKey.isAuthentic(buffer, in: packet, tagAt: packet.upperBound, nonce: UInt64(sequence)) else {
            throw .badTag(sequence: sequence)
        }
        applyKeyStreams(to: &buffer, packet: packet, sequence: sequence)
    }

    func length(ofPacketAt offset: Int, in buffer: [UInt8], sequence: UInt32) -> UInt32 {
        networkWord(at: offset, in: buffer) ^ lengthKey.firstWord(nonce: UInt64(sequence))
    }

    private func applyKeyStreams(to buffer: inout [UInt8], packet: Range<Int>, sequence: UInt32) {
        precondition(packet.count >= Self.lengthBytes, "a packet of \(packet.count) bytes")
        let content = packet.lowerBound + Self.lengthBytes..<packet.upperBound
        lengthKey.apply(to: &buffer, in: packet.lowerBound..<content.lowerBound, nonce: UInt64(sequence), block: 0)
        // Block 0 of the content key is the one-time key of the tag.
        contentKey.apply(to: &buffer, in: content, nonce: UInt64(sequence), block: 1)
    }

    private static let lengthBytes = 4
}
