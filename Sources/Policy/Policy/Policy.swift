/// What an administrator wrote, checked and resolved: who may run what, and how.
///
/// Made by PolicySource from TOML, stored and read again in compiled form; ``Decision`` answers from it.
public struct Policy: Equatable, Sendable {
    /// The settings of the gateway itself.
    public var gateway = Gateway()
    /// Every key that may enter, those of groups included, in the order they were written.
    public var keys: [Key] = []
    /// In the order they were written; a key's `may` holds indices into it.
    public var commands: [Command] = []
    /// Those that commands name, each once; a command's `sandbox` is an index into it.
    public var sandboxes: [SandboxPlan] = []
    /// Whose certificates count, in the order of their fingerprints.
    public var authorities: [CertificateAuthority] = []
    /// What counts no more, whatever else is written.
    public var revoked = Revocations()

    public init() {}

    /// The key of a name: of several public keys the first that is not revoked, or the first. Nil: there is none.
    public func key(named name: String) -> Key? {
        var first: Key?
        for key in keys where key.name == name {
            if !revoked.contains(key.fingerprint) { return key }
            first = first ?? key
        }
        return first
    }
}

/// The settings of the gateway itself (DESIGN §3.1).
public struct Gateway: Equatable, Sendable {
    /// Shown to clients before they authenticate (RFC 4252 §5.4); empty: none.
    public var banner = ""
    /// Until a user is authenticated.
    public var loginGrace: Duration = .seconds(20)
    /// While nothing runs and no byte moves.
    public var idleTimeout: Duration = .seconds(15 * 60)
    /// Three unanswered ones, this far apart, end the connection.
    public var keepalive: Duration = .seconds(30)
    /// 1 to 64.
    public var maxChannels = 16
    /// How keys may be agreed on.
    public var keyExchange = KeyExchange.any
    /// Keys are exchanged again after this many bytes.
    public var rekeyBytes: UInt64 = 1 << 30
    /// Keys are exchanged again after this time.
    public var rekeyTime: Duration = .seconds(3600)
    /// Before anybody has logged in.
    public var arrivals = ArrivalLimits()
    /// Where connections come through proxies that tell whose they are.
    public var proxy: ProxyRule?
    /// How long running commands may go on when the gateway is told to stop.
    public var drain: Duration = .seconds(30)
    /// What happens when the audit log cannot be written.
    public var logFailure = LogFailure.refuse

    public init() {}

    /// Which methods of key exchange a client is offered.
    public enum KeyExchange: String, CaseIterable, Sendable {
        /// Post-quantum ones first, and then those that older clients know.
        case any
        /// Those alone that a quantum computer does not break; clients without them cannot log in.
        case postQuantum = "post-quantum"
    }

    /// What a gateway does that cannot record what it does.
    public enum LogFailure: String, CaseIterable, Sendable {
        /// Nobody enters, and no command is started.
        case refuse
        /// All goes on; what was not recorded is counted, and the count recorded as soon as possible.
        case `continue`
    }
}

/// Where something stands in the policy's source.
public struct SourcePosition: Hashable, Sendable, CustomStringConvertible {
    /// As it was opened.
    public var file: String
    /// From 1; columns count bytes.
    public var line: Int
    public var column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var description: String { "\(file):\(line):\(column)" }
}

/// One public key and what it opens.
public struct Key: Equatable, Sendable {
    /// Matches `[a-z0-9][a-z0-9._-]{0,63}`; for a group's key, the comment.
    public var name: String
    /// SHA-256 of the public key blob: 32 bytes.
    public var fingerprint: [UInt8]
    /// Indices into ``Policy/commands``, in the order they are tried.
    public var may: [Int]
    /// Address patterns; empty: from anywhere. A leading `!` excludes.
    public var from: [AddressPattern] = []
    /// Seconds since 1970, as is ``expires``; nil: no such limit.
    public var notBefore: Int64?
    /// The first second in which the key opens nothing any more.
    public var expires: Int64?
    /// Of a security key: somebody must touch the device for each signature.
    public var requiresTouch = true
    /// Of a security key: the device must know who touches it.
    public var requiresPIN = false
    /// Of its table, or of its line in a group's file.
    public var position: SourcePosition

    public init(name: String, fingerprint: [UInt8], may: [Int], position: SourcePosition) {
        self.name = name
        self.fingerprint = fingerprint
        self.may = may
        self.position = position
    }
}

/// The unix account that a command runs as, resolved at `apply`.
public struct Account: Equatable, Sendable {
    public var name: String
    public var uid: UInt32
    public var gid: UInt32
    /// Supplementary groups, `gid` included or not.
    public var groups: [UInt32]
    public var home: String
    public var shell: String

    public init(name: String, uid: UInt32, gid: UInt32, groups: [UInt32], home: String, shell: String) {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.home = home
        self.shell = shell
    }

    /// A name that nobody looked up, of a policy for another machine: nothing runs as it.
    public init(unresolved name: String) {
        self.init(name: name, uid: .max, gid: .max, groups: [], home: "/", shell: "/bin/sh")
    }

    /// False for an account made by ``init(unresolved:)``: no user has the uid (uid_t)-1.
    public var isResolved: Bool { uid != .max }
}

/// One thing a key may do (DESIGN §3.2).
public struct Command: Equatable, Sendable {
    /// Matches `[a-z0-9][a-z0-9._-]{0,63}`.
    public var name: String
    /// Who it runs as.
    public var account: Account
    /// The name the client logs in with.
    public var login: String
    /// What it is for, for the client; on one line, or empty.
    public var summary = ""
    /// How it is called by an `exec` request; nil: only as a subsystem.
    public var usage: Usage?
    /// The name under which a `subsystem` request starts it (RFC 4254 §6.5); nil: by no such request.
    public var subsystem: String?
    /// The repositories it serves to clients of git; nil: it is not for them.
    public var git: GitService?
    /// By argument name; an argument without an entry is a `word`.
    public var arguments: [String: ArgumentType] = [:]
    /// The argv executed; the first word is an absolute path.
    public var run: [RunWord]
    /// False: the command's standard input is empty.
    public var takesInput = true
    /// Set for the command, in this order; may replace what the gateway sets.
    public var environment: [EnvironmentEntry] = []
    /// What the client may send with `env` requests: name → what the value must match.
    public var acceptEnvironment: [String: Matcher] = [:]
    /// Signal names without SIG, of those in RFC 4254 §6.10.
    public var signals: [String] = []
    /// Absolute; nil: the account's home.
    public var directory: String?
    /// After this it is ended with status 124; nil: never.
    public var timeout: Duration?
    /// What it may write to both of its streams together, in bytes; more ends it with status 123; nil: any.
    public var outputLimit: UInt64?
    /// The name of what only one command on the machine has at a time; nil: none.
    public var lock: String?
    /// How long it waits for its lock; zero: not at all.
    public var lockWait: Duration = .zero
    /// True: `finish`, goes on when the client has gone.
    public var survivesDisconnect = false
    /// What it shares by scp and SFTP; nil: it is no drop account.
    public var drop: DropRules?
    /// What clients of rsync reach; nil: it is not for them.
    public var rsync: RsyncRules?
    /// An index into ``Policy/sandboxes``.
    public var sandbox: Int
    /// Of its table.
    public var position: SourcePosition

    public init(name: String, account: Account, login: String, usage: Usage?, run: [RunWord], sandbox: Int, position: SourcePosition) {
        self.name = name
        self.account = account
        self.login = login
        self.usage = usage
        self.run = run
        self.sandbox = sandbox
        self.position = position
    }
}

/// A variable of an environment.
public struct EnvironmentEntry: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A word of `run`: pieces that are joined. A word with an optional argument in it is left out when the client did not give that.
public struct RunWord: Equatable, Sendable {
    /// A part of a word.
    public enum Piece: Equatable, Sendable {
        case literal(String)
        /// `<name>`, or `[<name>]`: the value of an argument.
        case value(String)
        /// `<name>...`, alone in its word: one word for each value.
        case values(String)
        /// `[literal]`, alone in its word: passed when the client gave it.
        case flag(String)
    }
    /// At least one.
    public var pieces: [Piece]

    public init(_ pieces: [Piece]) { self.pieces = pieces }
}
