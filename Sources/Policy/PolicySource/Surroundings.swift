public import Policy

/// What reading a policy needs from outside: files, users, keys, the kernel's filters.
///
/// `postern` fills it in from the machine, tests from tables; so this module stays pure, and Policy and Protocol never meet.
public struct Surroundings {
    /// Seconds since 1970.
    public var now: Int64
    /// Who checks or applies: 0 is root.
    public var uid: UInt32
    /// The bytes of a file of at most `limit` bytes. Refused when someone who is not in `owners` owns or can write it or a
    /// directory above it.
    public var read: (_ path: String, _ owners: [UInt32], _ limit: Int) throws(Objection) -> [UInt8]
    /// The names in a directory, under the same rule as `read`; nil: it is no directory.
    public var entries: (_ path: String, _ owners: [UInt32]) throws(Objection) -> [String]?
    /// The unix user of a name, or nil.
    public var account: (_ name: String) throws(Objection) -> Account?
    /// What is at the path of a program that `uid` runs.
    public var program: (_ path: String, _ uid: UInt32) -> Program
    public var exists: (_ path: String) -> Bool
    /// Parses a line `type base64 comment` without options.
    public var publicKey: (_ line: ArraySlice<UInt8>) throws(Objection) -> ParsedKey
    /// The 32 bytes that revoke a key: of a line `SHA256:…`, or of a public key line of any type.
    public var revokedKey: (_ line: ArraySlice<UInt8>) throws(Objection) -> [UInt8]
    /// What an OpenSSH revocation list says; nil: the file is none.
    public var revocationList: (_ bytes: [UInt8]) throws(Objection) -> RevokedByList?
    /// The 32 bytes that revoke a key id of an authority's certificates.
    public var keyIDDigest: (_ keyID: String, _ authority: [UInt8]) -> [UInt8]
    /// The sandboxes that need no table, `tool` among them.
    public var predefined: [SandboxPlan]
    /// The finished system-call filter of a plan.
    public var compile: (_ plan: SandboxPlan) throws(Objection) -> CallFilter

    public init(
        now: Int64, uid: UInt32,
        read: @escaping (String, [UInt32], Int) throws(Objection) -> [UInt8],
        entries: @escaping (String, [UInt32]) throws(Objection) -> [String]?,
        account: @escaping (String) throws(Objection) -> Account?,
        program: @escaping (String, UInt32) -> Program,
        exists: @escaping (String) -> Bool,
        publicKey: @escaping (ArraySlice<UInt8>) throws(Objection) -> ParsedKey,
        revokedKey: @escaping (ArraySlice<UInt8>) throws(Objection) -> [UInt8],
        revocationList: @escaping ([UInt8]) throws(Objection) -> RevokedByList?,
        keyIDDigest: @escaping (String, [UInt8]) -> [UInt8],
        predefined: [SandboxPlan],
        compile: @escaping (SandboxPlan) throws(Objection) -> CallFilter
    ) {
        self.now = now
        self.uid = uid
        self.read = read
        self.entries = entries
        self.account = account
        self.program = program
        self.exists = exists
        self.publicKey = publicKey
        self.revokedKey = revokedKey
        self.revocationList = revocationList
        self.keyIDDigest = keyIDDigest
        self.predefined = predefined
        self.compile = compile
    }

    /// Whose files are policy: root's, and those of the normal user who applies.
    var owners: [UInt32] { uid == 0 ? [0] : [0, uid] }
}

/// Why something outside was not to be had, for the administrator.
public struct Objection: Error, Equatable, Sendable {
    /// Lower case, no full stop, the value in quotes.
    public var reason: String
    public var hint: String?

    public init(_ reason: String, hint: String? = nil) {
        self.reason = reason
        self.hint = hint
    }
}

/// A public key as a policy needs it.
public struct ParsedKey: Equatable, Sendable {
    /// SHA-256 of the public key blob: 32 bytes.
    public var fingerprint: [UInt8]
    public var comment: String
    /// A device holds it (`sk-ssh-ed25519@openssh.com`).
    public var isSecurityKey: Bool

    public init(fingerprint: [UInt8], comment: String, isSecurityKey: Bool = false) {
        self.fingerprint = fingerprint
        self.comment = comment
        self.isSecurityKey = isSecurityKey
    }
}

/// What a revocation list says, as a policy needs it.
public struct RevokedByList: Sendable {
    /// Certificates of one authority, by its fingerprint, or of all.
    public struct Certificates: Sendable {
        public var authority: [UInt8]?
        public var serials: [ClosedRange<UInt64>]
        public var keyIDs: [String]

        public init(authority: [UInt8]?, serials: [ClosedRange<UInt64>], keyIDs: [String]) {
            self.authority = authority
            self.serials = serials
            self.keyIDs = keyIDs
        }
    }

    /// Fingerprints of 32 bytes.
    public var keys: [[UInt8]]
    public var certificates: [Certificates]

    public init(keys: [[UInt8]], certificates: [Certificates]) {
        self.keys = keys
        self.certificates = certificates
    }
}

/// What stands at the path of a program.
public enum Program: Equatable, Sendable {
    case missing
    /// A directory, or a file without the bit to execute it.
    case notExecutable
    /// `writer` names who could change it, by itself or by a directory above it: "\"/srv/app\" is owned by deploy".
    case executable(writer: String?)
}
