import SSHWire
import Sodium

/// A signature as it stands in messages: the algorithm's name and its bytes (RFC 4253 §6.6, RFC 8709 §6).
public struct SignatureBlob: Equatable, Sendable {
    /// The name that the blob begins with; the key's must be the same.
    public let algorithm: String
    /// For ssh-ed25519, 64 bytes.
    public let signature: [UInt8]

    init(ed25519 signature: [UInt8]) {
        precondition(signature.count == Ed25519.signatureBytes, "a signature of \(signature.count) bytes")
        algorithm = PublicKey.ed25519Name
        self.signature = signature
    }

    /// Parses a blob.
    ///
    /// - Throws: ``KeyError/unsupported(algorithm:)``, ``KeyError/malformed(_:)`` also for bytes left over,
    ///   ``KeyError/wrongLength(_:bytes:expected:)``.
    public init(blob: [UInt8]) throws(KeyError) {
        var reader = WireReader(blob)
        let name = try reading { () throws(WireError) in try reader.algorithmName() }
        guard name == PublicKey.ed25519Name else { throw .unsupported(algorithm: name) }
        let signature = try reading { () throws(WireError) in
            let signature = try reader.string(limit: blob.count)
            try reader.finish()
            return signature
        }
        guard signature.count == Ed25519.signatureBytes else {
            throw .wrongLength(.signature, bytes: signature.count, expected: Ed25519.signatureBytes)
        }
        self.init(ed25519: signature)
    }

    /// The blob.
    public var encoded: [UInt8] {
        var writer = WireWriter()
        writer.text(algorithm)
        writer.string(signature)
        return writer.bytes
    }
}
