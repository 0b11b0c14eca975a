import Sodium

/// Encrypts the packets that go one way.
///
/// A packet is `uint32 packet_length`, then that many bytes, then the room for ``PacketShape/tagBytes``.
public enum PacketSealer: Sendable {
    /// Before the first key exchange: packets stay as they are.
    case none
    /// OpenSSH PROTOCOL.chacha20poly1305.
    case chacha20Poly1305(ChaCha20Poly1305)
    /// RFC 5647.
    case aesGCM(AESGCM)

    /// The names to offer, the best first.
    public static let names = CipherName.allCases.map(\.rawValue)

    /// - Parameters:
    ///   - key: ``CipherName/keyBytes`` bytes.
    ///   - iv: ``CipherName/ivBytes`` bytes.
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

    /// Encrypts a packet where it stands and writes its tag behind it.
    ///
    /// - Parameters:
    ///   - packet: the length bytes and what they count; `tagBytes` more must follow inside the buffer.
    ///   - sequence: the number of the packet in its direction, modulo 2^32 (RFC 4253 §6.4).
    public mutating func seal(_ buffer: inout [UInt8], packet: Range<Int>, sequence: UInt32) {
        switch self {
        case .none: return
        case .chacha20Poly1305(let cipher): cipher.seal(&buffer, packet: packet, sequence: sequence)
        case .aesGCM(var cipher):
            cipher.seal(&buffer, packet: packet)
            self = .aesGCM(cipher)
        }
    }
}
