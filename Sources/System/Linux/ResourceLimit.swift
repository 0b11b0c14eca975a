internal import CLinux

/// A limit on what a process may use (setrlimit(2)).
public struct ResourceLimit: Equatable, Sendable {
    public enum Resource: Int32, Sendable {
        case cpuSeconds = 0
        case fileSize = 1
        case data = 2
        case coreSize = 4
        /// Processes of the same user.
        case processes = 6
        case openFiles = 7
        case lockedMemory = 8
    }
    public var resource: Resource
    /// What holds; the process may raise it to ``hard``.
    public var soft: UInt64
    public var hard: UInt64

    public init(_ resource: Resource, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }

    public init(_ resource: Resource, _ both: UInt64) { self.init(resource, soft: both, hard: both) }

    public static let noCoreDumps = ResourceLimit(.coreSize, 0)
    public static let unlimited = UInt64.max

    /// Sets it for the calling process.
    public func apply() throws(Errno) {
        var pair = rlimit(rlim_cur: rlim_t(soft), rlim_max: rlim_t(hard))
        // SAFETY: prlimit(2) reads the pair.
        try checked { unsafe prlimit(0, __rlimit_resource(UInt32(resource.rawValue)), &pair, nil) }
    }
}
