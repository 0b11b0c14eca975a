/// How one command is confined, ready for the kernel (DESIGN §3.4).
///
/// Made at `apply`: paths are absolute, and the system-call filter is finished BPF.
public struct SandboxPlan: Equatable, Sendable {
    /// The sandbox's name in the policy, for `explain`.
    public var name: String
    public var paths: [PathRule] = []
    public var network: Network = .none
    public var limits = ResourceLimits()
    public var filter = CallFilter()
    /// System calls by name or `@group`, on top of the base's.
    public var allowedCalls: [String] = []
    public var deniedCalls: [String] = []

    public init(name: String) { self.name = name }
}

/// What a command may do beneath a path. Write and execute imply read.
public struct PathRule: Hashable, Sendable {
    public enum Access: UInt8, Hashable, Sendable, CaseIterable { case read = 1, write, execute }
    public var path: String
    public var access: Access
    /// False: a path that is not there is passed over (what predefined sandboxes name need not exist everywhere).
    public var isRequired: Bool

    public init(path: String, access: Access, isRequired: Bool) {
        self.path = path
        self.access = access
        self.isRequired = isRequired
    }
}

/// What a command reaches beyond this machine's files.
public enum Network: Equatable, Sendable {
    case none
    case unix
    /// These TCP ports may be connected to; `dns` adds what a resolver needs.
    case tcp(ports: [UInt16], dns: Bool)
    case any
}

/// Each nil is no limit of ours.
public struct ResourceLimits: Equatable, Sendable {
    public var processes: UInt64? = 64
    /// Bytes.
    public var memory: UInt64? = 1 << 30
    public var cpu: Duration?
    public var openFiles: UInt64? = 256
    /// Bytes.
    public var fileSize: UInt64?

    public init() {}
}
