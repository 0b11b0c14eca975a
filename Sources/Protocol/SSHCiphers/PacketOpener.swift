import Sodium

/// Decrypts the packets that come one way; the counterpart of ``PacketSealer``.
public enum PacketOpener: Sendable {
    /// Before the first key exchange: packets stay as they are.
    case none
    /// OpenSSH PROTOCOL.chacha20poly1305.
    case chacha20Poly1305(ChaCha20Poly1305)
    /// RFC 5647.
    case aesGCM(AESGCM)

    /// The names to offer, the best first.
    public static let names = PacketSealer.names

    /// See ``PacketSealer/init(_:key:iv:)``.
    public init(_ cipher: CipherName, key: SecretBytes, iv: SecretBytes) {
        precondition(key.count == cipher.keyBytes && iv.count == cipher.ivBytes, "a key of \(key.count), an IV of \(iv.count) bytes")
        switch cipher {
        case .chacha20Poly1305: self = .chacha20Poly1305(ChaCha20Poly1305(key: key))
        case .aes256GCM, .aes128GCM: self = .aesGCM(AESGCM(key: key, iv: iv))
        }
    }

    /// What the packet layer needs to know.
    public var shape: PacketShape {
        switch self {
        case .none: .plain
        case .chacha20Poly1305: .chacha20Poly1305
        case .aesGCM: .aesGCM
        }
    }

    /// See ``PacketShape/blockSize``.
    public var blockSize: Int { shape.blockSize }
    /// See ``PacketShape/tagBytes``.
    public var tagBytes: Int { shape.tagBytes }

    /// The `packet_length` of the packet whose four length bytes stand at `offset`; the buffer stays as it is.
    ///
    /// Not authenticated before the packet is opened: check it against limits, and trust it for nothing else.
    public func length(ofPacketAt offset: Int, in buffer: [UInt8], sequence: UInt32) -> UInt32 {
        switch self {
        case .none, .aesGCM: networkWord(at: offset, in: buffer)
        case .chacha20Poly1305(let cipher): cipher.length(ofPacketAt: offset, in: buffer, sequence: sequence)
        }
    }

    /// Verifies the tag behind a packet, then decrypts the packet where it stands, its length bytes included.
    ///
    /// - Parameters:
    ///   - packet: the length bytes and what they count; `tagBytes` more must follow inside the buffer.
    ///   - sequence: the number of the packet in its direction, modulo 2^32 (RFC 4253 §6.4).
    /// - Throws: ``CipherError/badTag(sequence:)``, with nothing decrypted in the buffer.
    public mutating func open(
        _ buffer: inout [UInt8], packet: Range<Int>, sequence: UInt32
    ) throws(CipherError) {
        switch self {
        case .none: return
        case .chacha20Poly1305(let cipher): try cipher.open(&buffer, packet: packet, sequence: sequence)
        case .aesGCM(var cipher):
            try cipher.open(&buffer, packet: packet, sequence: sequence)
            self = .aesGCM(cipher)
        }
    }
}

/// The four bytes at `offset` as a `uint32` (RFC 4251 §5).
func networkWord(at offset: Int, in buffer: [UInt8]) -> UInt32 {
    UInt32(buffer[offset]) << 24 | UInt32(buffer[offset + 1]) << 16
        | UInt32(buffer[offset + 2]) << 8 | UInt32(buffer[offset + 3])
}
