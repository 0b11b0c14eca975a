import SSHWire
import Sodium

/// A public key as it stands in messages and files (RFC 4253 §6.6).
///
/// Two keys are equal where their blobs are. Another algorithm is one more ``Kind``; a certificate is no key, but holds one.
public struct PublicKey: Hashable, Sendable {
    /// The encoded key: its algorithm's name, then what that defines.
    public let blob: [UInt8]
    private let kind: Kind

    private enum Kind: Hashable, Sendable {
        /// RFC 8709 §4: 32 bytes.
        case ed25519([UInt8])
        /// OpenSSH PROTOCOL.u2f: 32 bytes of a key that a device holds, and the name of what it was made for, mostly `ssh:`.
        case securityKey([UInt8], application: [UInt8])
    }

    /// The names in public key blobs and, for these kinds of keys, in signatures.
    static let ed25519Name = "ssh-ed25519"
    static let securityKeyName = "sk-ssh-ed25519@openssh.com"
    /// What users' keys and their signatures may be.
    public static let algorithms = [ed25519Name, securityKeyName]

    /// The key of 32 bytes.
    public init(ed25519 key: [UInt8]) {
        precondition(key.count == Ed25519.publicKeyBytes, "a public key of \(key.count) bytes")
        var writer = WireWriter()
        writer.text(Self.ed25519Name)
        writer.string(key)
        blob = writer.bytes
        kind = .ed25519(key)
    }

    /// Parses a blob.
    ///
    /// - Throws: ``KeyError/unsupported(algorithm:)``, ``KeyError/malformed(_:)`` also for bytes left over,
    ///   ``KeyError/wrongLength(_:bytes:expected:)``.
    public init(blob: [UInt8]) throws(KeyError) {
        var reader = WireReader(blob)
        let name = try reading { () throws(WireError) in try reader.algorithmName() }
        guard Self.algorithms.contains(name) else { throw .unsupported(algorithm: name) }
        self = try Self.read(name, &reader)
        try reading { () throws(WireError) in try reader.finish() }
    }

    /// Reads what stands after a key type's name: in a blob of its own, or inside a certificate.
    static func read(_ name: String, _ reader: inout WireReader) throws(KeyError) -> PublicKey {
        let key = try reading { () throws(WireError) in try reader.string(limit: WireLimit.blob) }
        guard key.count == Ed25519.publicKeyBytes else {
            throw .wrongLength(.publicKey, bytes: key.count, expected: Ed25519.publicKeyBytes)
        }
        guard name == securityKeyName else { return PublicKey(ed25519: key) }
        let application = try reading { () throws(WireError) in try reader.string(limit: applicationLimitBytes) }
        return PublicKey(securityKey: key, application: application)
    }

    private init(securityKey key: [UInt8], application: [UInt8]) {
        var writer = WireWriter()
        writer.text(Self.securityKeyName)
        writer.string(key)
        writer.string(application)
        blob = writer.bytes
        kind = .securityKey(key, application: application)
    }

    /// An application's name is `ssh:` and perhaps a few words.
    private static let applicationLimitBytes = 256

    /// The name of the algorithm that a blob begins with, whether supported or not.
    static func algorithm(ofBlob blob: [UInt8]) throws(KeyError) -> String {
        var reader = WireReader(blob)
        return try reading { () throws(WireError) in try reader.algorithmName() }
    }

    /// The name of the key type, as in blobs, lines and requests.
    public var algorithm: String {
        switch kind {
        case .ed25519: Self.ed25519Name
        case .securityKey: Self.securityKeyName
        }
    }

    /// A device holds it, and every signature says how it was made: ``SignatureBlob/use``.
    public var isSecurityKey: Bool { algorithm == Self.securityKeyName }

    /// The SHA-256 hash of the blob.
    public var fingerprint: [UInt8] { Self.fingerprint(ofBlob: blob) }

    /// The fingerprint as ssh-keygen(1) prints it: `SHA256:` and base64 without padding.
    public var fingerprintText: String { Self.fingerprintText(fingerprint) }

    /// The SHA-256 hash of a blob, whatever key it holds.
    public static func fingerprint(ofBlob blob: [UInt8]) -> [UInt8] { SHA256.hash(blob) }

    /// A fingerprint of 32 bytes as ``fingerprintText-swift.property`` has it.
    public static func fingerprintText(_ fingerprint: [UInt8]) -> String {
        let base64 = Base64.encode(fingerprint)
        return "SHA256:" + base64.prefix { $0 != "=" }
    }

    /// The key as a line of a `.pub` or authorized_keys file, without a line end; no space after it for an empty comment.
    public func line(comment: String) -> String {
        let key = algorithm + " " + Base64.encode(blob)
        return comment.isEmpty ? key : key + " " + comment
    }

    /// Whether the owner of this key signed `message`; false also where the signature's algorithm is not the key's.
    ///
    /// Of a security key's signature it says nothing about ``SignatureBlob/use``: who asks decides what that must be.
    public func isValid(_ signature: SignatureBlob, over message: [UInt8]) -> Bool {
        switch kind {
        case .ed25519(let key):
            return signature.algorithm == Self.ed25519Name
                && Ed25519.isValid(signature: signature.signature, message: message, publicKey: key)
        case .securityKey(let key, let application):
            guard signature.algorithm == Self.securityKeyName, let use = signature.use else { return false }
            let signed = use.signedBytes(application: application, message: message)
            return Ed25519.isValid(signature: signature.signature, message: signed, publicKey: key)
        }
    }
}

extension PublicKey: CustomStringConvertible {
    public var description: String { "\(algorithm) \(fingerprintText)" }
}
