import Gcrypt
import Sodium

/// aes128-gcm@openssh.com or aes256-gcm@openssh.com for one direction (RFC 5647; OpenSSH PROTOCOL §1.6).
///
/// A packet's length is authenticated in the clear. The nonce begins as the derived IV; its last eight bytes count packets, whatever
/// their sequence numbers are.
public struct AESGCM: Sendable {
    private let key: AESGCMKey
    private let fixed: UInt32
    private var invocation: UInt64

    /// - Parameters:
    ///   - key: 16 or 32 bytes.
    ///   - iv: 12 bytes.
    public init(key: SecretBytes, iv: SecretBytes) {
        precondition(iv.count == AESGCMKey.nonceBytes, "an IV of \(iv.count) bytes")
        self.key = key.withSpan { AESGCMKey($0) }
        (fixed, invocation) = iv.withSpan { iv in
            let words = (0..<3).map { word in (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(iv[4 * word + $1]) } }
            return (words[0], UInt64(words[1]) << 32 | UInt64(words[2]))
        }
    }

    mutating func seal(_ buffer: inout [UInt8], packet: Range<Int>) {
        let (header, message) = Self.parts(of: packet)
        key.seal(&buffer, header: header, message: message, nonce: (fixed, invocation))
        invocation &+= 1
    }

    mutating func open(_ buffer: inout [UInt8], packet: Range<Int>, sequence: UInt32) throws(CipherError) {
        let (header, message) = Self.parts(of: packet)
        guard key.open(&buffer, header: header, message: message, nonce: (fixed, invocation)) else {
            throw .badTag(sequence: sequence)
        }
        invocation &+= 1
    }

    private static func parts(of packet: Range<Int>) -> (header: Range<Int>, message: Range<Int>) {
        let content = packet.lowerBound + lengthBytes
        return (packet.lowerBound..<content, content..<packet.upperBound)
    }

    private static let lengthBytes = 4
}
