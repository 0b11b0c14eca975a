import SSHWire
import Sodium

/// A private key in OpenSSH's own format, `openssh-key-v1` (OpenSSH PROTOCOL.key): one ed25519 key without a passphrase.
public struct PrivateKeyFile: Sendable {
    /// The key.
    public let key: Ed25519SigningKey
    /// What its owner calls it; often `user@host`.
    public let comment: String

    /// The longest file; a key has about 400 bytes and a comment.
    public static let limitBytes = 8192
    /// The longest comment.
    public static let commentLimitBytes = 1024

    /// - Parameter comment: at most 1024 bytes.
    public init(key: Ed25519SigningKey, comment: String) {
        precondition(comment.utf8.count <= Self.commentLimitBytes, "a comment of \(comment.utf8.count) bytes")
        self.key = key
        self.comment = comment
    }

    /// The public half.
    public var publicKey: PublicKey { PublicKey(ed25519: key.publicKey) }

    /// Parses the text of a file, at most 8 KiB; whoever read it wipes it.
    ///
    /// - Throws: ``KeyError/encrypted(cipher:)`` where a passphrase is needed; a fault for everything that is damaged.
    public init(text: [UInt8]) throws(KeyError) {
        var blob = try KeyFileArmor.decode(text)
        defer { wipe(&blob) }
        try self.init(blob: blob)
    }

    /// The text of a file that ssh(1), ssh-keygen(1) and sshd(8) read; the caller wipes it.
    public func text(random: inout some RandomSource) -> [UInt8] {
        var blob = encodedBlob(check: random.bytes(count: 4))
        defer { wipe(&blob) }
        return KeyFileArmor.encode(blob)
    }

    private init(blob: [UInt8]) throws(KeyError) {
        let (publicBlob, section) = try Self.readEnvelope(blob)
        guard section.count.isMultiple(of: Self.blockSize) else { throw .badPadding }
        var reader = WireReader(blob, in: section)
        let (first, second) = try reading { () throws(WireError) in (try reader.uint32(), try reader.uint32()) }
        guard first == second else { throw .checkNumbersDiffer }

        let algorithm = try reading { () throws(WireError) in try reader.algorithmName() }
        guard algorithm == PublicKey.ed25519Name else { throw .unsupported(algorithm: algorithm) }
        let (publicKey, secretKey, comment) = try reading { () throws(WireError) in
            try (
                reader.string(limit: Self.limitBytes), reader.stringRange(limit: Self.limitBytes),
                reader.text(limit: Self.commentLimitBytes)
            )
        }
        guard secretKey.count == Self.secretKeyBytes else {
            throw .wrongLength(.privateKey, bytes: secretKey.count, expected: Self.secretKeyBytes)
        }
        let padding = reader.rest()
        guard padding.count < Self.blockSize, padding == Self.padding(count: padding.count) else { throw .badPadding }

        let publicPart = secretKey.lowerBound + Ed25519SigningKey.seedBytes
        let key = Ed25519SigningKey(seed: SecretBytes(copying: blob[secretKey.lowerBound..<publicPart]))
        guard key.publicKey == publicKey, key.publicKey.elementsEqual(blob[publicPart..<secretKey.upperBound]),
            PublicKey(ed25519: key.publicKey) == publicBlob
        else { throw .halvesDiffer }
        self.key = key
        self.comment = comment
    }

    /// What stands around the private part: returns the public key, and where the private part is.
    private static func readEnvelope(_ blob: [UInt8]) throws(KeyError) -> (PublicKey, private: Range<Int>) {
        guard blob.starts(with: magic) else { throw .notAPrivateKeyFile }
        var reader = WireReader(blob, in: magic.count..<blob.count)
        let (cipher, derivation, options, count) = try reading { () throws(WireError) in
            try (reader.algorithmName(), reader.algorithmName(), reader.string(limit: 256), reader.uint32())
        }
        guard cipher == "none" else { throw .encrypted(cipher: cipher) }
        guard derivation == "none", options.isEmpty else { throw .malformed(.badValue("key derivation")) }
        guard count == 1 else { throw .keyCount(count) }
        let (publicBlob, section) = try reading { () throws(WireError) in
            let fields = try (reader.string(limit: limitBytes), reader.stringRange(limit: limitBytes))
            try reader.finish()
            return fields
        }
        return (try PublicKey(blob: publicBlob), section)
    }

    /// One array with room for all of it, so that growing leaves no copy of the key behind.
    private func encodedBlob(check: [UInt8]) -> [UInt8] {
        var beforeKey = WireWriter()
        beforeKey.raw(check)
        beforeKey.raw(check)
        beforeKey.text(PublicKey.ed25519Name)
        beforeKey.string(key.publicKey)
        beforeKey.uint32(UInt32(Self.secretKeyBytes))
        var afterKey = WireWriter()
        afterKey.text(comment)
        let sectionBytes = beforeKey.bytes.count + Self.secretKeyBytes + afterKey.bytes.count
        afterKey.raw(Self.padding(count: -sectionBytes & (Self.blockSize - 1)))

        var envelope = WireWriter()
        envelope.raw(Self.magic)
        envelope.text("none")
        envelope.text("none")
        envelope.text("")
        envelope.uint32(1)
        envelope.string(publicKey.blob)
        envelope.uint32(UInt32(beforeKey.bytes.count + Self.secretKeyBytes + afterKey.bytes.count))

        var blob: [UInt8] = []
        blob.reserveCapacity(Self.limitBytes)
        blob += envelope.bytes + beforeKey.bytes
        key.secretKey.withSpan { secret in
            for index in secret.indices { blob.append(secret[index]) }
        }
        blob += afterKey.bytes
        return blob
    }

    /// 1, 2, 3 …: what an unencrypted private part is padded with.
    private static func padding(count: Int) -> [UInt8] {
        (0..<count).map { UInt8($0 + 1) }
    }

    private static let magic = Array("openssh-key-v1\0".utf8)
    private static let secretKeyBytes = 64
    /// The block size of the cipher "none".
    private static let blockSize = 8
}
