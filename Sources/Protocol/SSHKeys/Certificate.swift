import SSHWire
import Sodium

/// An OpenSSH certificate (PROTOCOL.certkeys) whose signature is its signer's. Who trusts that signer, and for what, others decide.
public struct Certificate: Equatable, Sendable {
    /// Whom it identifies.
    public enum Kind: UInt32, Sendable {
        case user = 1
        case host = 2
    }

    /// All of it, as it stands in messages and files.
    public let blob: [UInt8]
    /// The name that the blob begins with.
    public let algorithm: String
    /// The key that it is for.
    public let key: PublicKey
    /// The signer's number for it; 0: none.
    public let serial: UInt64
    /// Whom it identifies.
    public let kind: Kind
    /// What the signer calls whom it identifies.
    public let keyID: String
    /// The roles of a user, or the names of a host. OpenSSH takes none for all.
    public let principals: [String]
    /// Seconds since 1970 from which on it counts.
    public let validAfter: UInt64
    /// The first second in which it counts no more; `.max`: never.
    public let validBefore: UInt64
    /// What must be understood and kept to.
    public let options: CertificateOptions
    /// The authority.
    public let signer: PublicKey

    /// The certificates spoken here, by the kind of key they are for.
    public static let algorithms = PublicKey.algorithms.map(name(for:))
    /// OpenSSH's limit too.
    private static let mostPrincipals = 256

    /// Parses a certificate and verifies its signature.
    ///
    /// - Throws: ``KeyError/unsupported(algorithm:)`` also for the signer's key, ``KeyError/malformed(_:)``,
    ///   ``KeyError/badCertificateSignature``.
    public init(blob: [UInt8]) throws(KeyError) {
        guard blob.count <= WireLimit.blob else { throw .malformed(.tooLong(length: blob.count, limit: WireLimit.blob)) }
        var reader = WireReader(blob)
        let name = try reading { () throws(WireError) in try reader.algorithmName() }
        guard let keyType = PublicKey.algorithms.first(where: { Self.name(for: $0) == name }) else { throw .unsupported(algorithm: name) }
        // A nonce, so that nobody can choose what is signed.
        _ = try reading { () throws(WireError) in try reader.stringRange(limit: WireLimit.name) }
        key = try PublicKey.read(keyType, &reader)
        let fields = try reading { () throws(WireError) in try Fields(&reader) }
        signer = try PublicKey(blob: fields.signer)
        let signedCount = blob.count - reader.remaining
        let signature = try reading { () throws(WireError) in
            let signature = try reader.string(limit: WireLimit.blob)
            try reader.finish()
            return signature
        }
        guard signer.isValid(try SignatureBlob(blob: signature), over: Array(blob[..<signedCount])) else { throw .badCertificateSignature }
        self.blob = blob
        algorithm = name
        (serial, kind, keyID, principals) = (fields.serial, fields.kind, fields.keyID, fields.principals)
        (validAfter, validBefore, options) = (fields.validAfter, fields.validBefore, fields.options)
    }

    /// Parses the one line of a `-cert.pub` file: `type base64 comment`.
    public init(line: String) throws(KeyError) {
        let words = line.split(maxSplits: 2) { $0 == " " || $0 == "\t" || $0.isNewline }
        guard words.count >= 2 else { throw .notAKey }
        guard let blob = Base64.decode(String(words[1])) else { throw .badBase64 }
        try self.init(blob: blob)
        guard algorithm == words[0] else { throw .typeMismatch(line: String(words[0]), key: algorithm) }
    }

    /// What stands between the key and the signature.
    private struct Fields {
        let serial: UInt64
        let kind: Kind
        let keyID: String
        let principals: [String]
        let validAfter: UInt64
        let validBefore: UInt64
        let options: CertificateOptions
        let signer: [UInt8]

        init(_ reader: inout WireReader) throws(WireError) {
            serial = try reader.uint64()
            guard let kind = Kind(rawValue: try reader.uint32()) else { throw .badValue("certificate type") }
            self.kind = kind
            keyID = try reader.text(limit: WireLimit.user)
            principals = try Self.principals(try reader.string(limit: WireLimit.blob))
            validAfter = try reader.uint64()
            validBefore = try reader.uint64()
            options = try CertificateOptions(try reader.string(limit: WireLimit.blob))
            // Extensions allow what is not had here: terminals and forwarding. The reserved field means nothing yet.
            _ = try reader.stringRange(limit: WireLimit.blob)
            _ = try reader.stringRange(limit: WireLimit.blob)
            signer = try reader.string(limit: WireLimit.blob)
        }

        private static func principals(_ list: [UInt8]) throws(WireError) -> [String] {
            var reader = WireReader(list)
            var principals: [String] = []
            while reader.remaining > 0 {
                guard principals.count < mostPrincipals else { throw .tooLong(length: principals.count + 1, limit: mostPrincipals) }
                principals.append(try reader.text(limit: WireLimit.user))
            }
            return principals
        }
    }

    private static func name(for keyType: String) -> String {
        let suffix = "@openssh.com"
        let name = keyType.hasSuffix(suffix) ? String(keyType.dropLast(suffix.count)) : keyType
        return name + "-cert-v01" + suffix
    }
}

/// The critical options of a certificate (PROTOCOL.certkeys, "Critical options"): what restricts its use.
public struct CertificateOptions: Equatable, Sendable {
    /// `force-command`: the one command line that it is for, as bytes.
    public private(set) var forcedCommand: [UInt8]?
    /// `source-address`: a comma-separated list of addresses and networks.
    public private(set) var sourceAddress: String?
    /// `verify-required`: the security key must have verified its user.
    public private(set) var requiresVerification = false
    /// Those that are none of these: whoever does not understand one refuses the certificate.
    public private(set) var unknown: [String] = []

    /// - Throws: for names that are not in order or stand there twice, and for data of another form than its option's.
    init(_ list: [UInt8]) throws(WireError) {
        var reader = WireReader(list)
        var last: String?
        while reader.remaining > 0 {
            let name = try reader.text(limit: WireLimit.name)
            var data = WireReader(try reader.string(limit: WireLimit.blob))
            guard last.map({ $0.utf8.lexicographicallyPrecedes(name.utf8) }) ?? true else { throw .badValue("critical options out of order") }
            last = name
            switch name {
            case "force-command": forcedCommand = try data.string(limit: WireLimit.blob)
            case "source-address": sourceAddress = try data.text(limit: WireLimit.blob)
            case "verify-required": requiresVerification = true
            default:
                unknown.append(name)
                continue
            }
            try data.finish()
        }
    }
}
