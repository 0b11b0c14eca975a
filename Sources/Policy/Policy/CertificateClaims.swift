/// What a user certificate says (OpenSSH PROTOCOL.certkeys), whoever verified its signature.
public struct CertificateClaims: Equatable, Sendable {
    /// False: it is a host's.
    public var isOfUser = true
    /// The name of whoever shows it.
    public var keyID: String
    /// What stands for the key id among what is revoked: 32 bytes.
    public var keyIDDigest: [UInt8]
    /// SHA-256 of the public key blob of whoever signed it: 32 bytes.
    public var signer: [UInt8]
    /// SHA-256 of the public key blob that it is for: 32 bytes.
    public var fingerprint: [UInt8]
    /// The key it is for is one of a security device.
    public var isOfSecurityKey = false
    /// 0: none.
    public var serial: UInt64 = 0
    public var principals: [String]
    /// Seconds since 1970 from which on it counts.
    public var validAfter: UInt64 = 0
    /// The first second in which it counts no more; `.max`: never.
    public var validBefore: UInt64 = .max
    /// `force-command`: the one line that may be asked for.
    public var forcedLine: [UInt8]?
    /// `source-address`: a comma-separated list of addresses and networks.
    public var sourceAddress: String?
    /// `verify-required`: the security key must know who touches it.
    public var requiresVerification = false
    /// Critical options that are none of these.
    public var unknownOptions: [String] = []

    /// A certificate without limits, as no authority need have made it.
    public init(keyID: String, keyIDDigest: [UInt8], signer: [UInt8], fingerprint: [UInt8], principals: [String]) {
        self.keyID = keyID
        self.keyIDDigest = keyIDDigest
        self.signer = signer
        self.fingerprint = fingerprint
        self.principals = principals
    }

    /// A certificate with all that it says: nothing has a default here, so that nothing is forgotten.
    public init(
        isOfUser: Bool, keyID: String, keyIDDigest: [UInt8], signer: [UInt8], fingerprint: [UInt8], isOfSecurityKey: Bool, serial: UInt64,
        principals: [String], validAfter: UInt64, validBefore: UInt64, forcedLine: [UInt8]?, sourceAddress: String?, requiresVerification: Bool,
        unknownOptions: [String]
    ) {
        self.init(keyID: keyID, keyIDDigest: keyIDDigest, signer: signer, fingerprint: fingerprint, principals: principals)
        self.isOfUser = isOfUser
        self.isOfSecurityKey = isOfSecurityKey
        self.serial = serial
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.forcedLine = forcedLine
        self.sourceAddress = sourceAddress
        self.requiresVerification = requiresVerification
        self.unknownOptions = unknownOptions
    }
}

/// Why a certificate opens nothing (DESIGN §3.1): for the log, and for whoever writes the policy.
public enum CertificateRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case notOfAUser
    case unknownAuthority
    case revokedAuthority
    case revoked
    case badKeyID(String)
    /// The key id is the name of a listed key that it is not for: one could pass for the other.
    case takenKeyID(String)
    case unknownOption(String)
    case noPrincipals
    case unknownPrincipals
    case badSourceAddress
    case needsSecurityKey

    public var description: String {
        switch self {
        case .notOfAUser: "it is a host's"
        case .unknownAuthority: "unknown authority"
        case .revokedAuthority: "revoked authority"
        case .revoked: "revoked"
        case .badKeyID(let keyID): "the key id \(JSONText.string(keyID)) cannot be a name"
        case .takenKeyID(let keyID): "the key id \(JSONText.string(keyID)) is the name of a listed key"
        case .unknownOption(let name): "unknown critical option \(JSONText.string(name))"
        case .noPrincipals: "no principals"
        case .unknownPrincipals: "no principal that the authority may name"
        case .badSourceAddress: "source-address is no list of networks"
        case .needsSecurityKey: "verify-required is for security keys"
        }
    }
}
