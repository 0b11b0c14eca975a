import SSHWire
import Sodium

/// A signature as it stands in messages: the algorithm's name and its bytes (RFC 4253 §6.6, RFC 8709 §6, OpenSSH PROTOCOL.u2f).
public struct SignatureBlob: Equatable, Sendable {
    /// The name that the blob begins with; the key's must be the same.
    public let algorithm: String
    /// 64 bytes of Ed25519.
    public let signature: [UInt8]
    /// What the security key says of its use; nil for every other key.
    public let use: SecurityKeyUse?

    init(ed25519 signature: [UInt8]) {
        precondition(signature.count == Ed25519.signatureBytes, "a signature of \(signature.count) bytes")
        algorithm = PublicKey.ed25519Name
        self.signature = signature
        use = nil
    }

    /// Parses a blob.
    ///
    /// - Throws: ``KeyError/unsupported(algorithm:)``, ``KeyError/malformed(_:)`` also for bytes left over,
    ///   ``KeyError/wrongLength(_:bytes:expected:)``.
    public init(blob: [UInt8]) throws(KeyError) {
        var reader = WireReader(blob)
        let name = try reading { () throws(WireError) in try reader.algorithmName() }
        guard [PublicKey.ed25519Name, PublicKey.securityKeyName].contains(name) else { throw .unsupported(algorithm: name) }
        let (signature, use) = try reading { () throws(WireError) in
            let signature = try reader.string(limit: blob.count)
            let use = name == PublicKey.securityKeyName ? try SecurityKeyUse(&reader) : nil
            try reader.finish()
            return (signature, use)
        }
        guard signature.count == Ed25519.signatureBytes else {
            throw .wrongLength(.signature, bytes: signature.count, expected: Ed25519.signatureBytes)
        }
        algorithm = name
        self.signature = signature
        self.use = use
    }

    /// The blob.
    public var encoded: [UInt8] {
        var writer = WireWriter()
        writer.text(algorithm)
        writer.string(signature)
        use?.write(to: &writer)
        return writer.bytes
    }
}

/// What a security key put under its signature beside the message (OpenSSH PROTOCOL.u2f, "SSH U2F Signatures").
public struct SecurityKeyUse: Equatable, Sendable {
    /// As the device signed them; bits without a name are signed too, and mean nothing here.
    public let flags: UInt8
    /// How often the device has signed, as it says itself. Nothing remembers it from one login to the next.
    public let counter: UInt32

    private static let userPresent: UInt8 = 0x01
    private static let userVerified: UInt8 = 0x04

    /// Somebody touched the device.
    public var isUserPresent: Bool { flags & Self.userPresent != 0 }
    /// The device knows who it was: by a PIN, or by a finger.
    public var isUserVerified: Bool { flags & Self.userVerified != 0 }

    init(_ reader: inout WireReader) throws(WireError) {
        flags = try reader.byte()
        counter = try reader.uint32()
    }

    func write(to writer: inout WireWriter) {
        writer.byte(flags)
        writer.uint32(counter)
    }

    /// What the device signs: not the message but its hash, after the hash of the application (PROTOCOL.u2f, "U2F signatures").
    func signedBytes(application: [UInt8], message: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        writer.raw(SHA256.hash(application))
        write(to: &writer)
        writer.raw(SHA256.hash(message))
        return writer.bytes
    }
}
