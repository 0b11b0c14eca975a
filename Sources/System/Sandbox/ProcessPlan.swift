public import Linux
public import Policy

/// A program and everything that holds for it, as plain data. ``launch(_:)`` carries it out.
///
/// The defaults are those of a process that may do what its user may, without any privilege beyond.
public struct ProcessPlan: Sendable {
    public enum Program: Sendable {
        /// Executed by this open file: what was checked is what runs. Not for `#!` scripts.
        case descriptor(Descriptor)
        /// Executed by this absolute path.
        case path(String)
    }

    /// The user and groups to become, which needs root.
    public struct Identity: Equatable, Sendable {
        public var uid: UInt32
        public var gid: UInt32
        /// Supplementary groups.
        public var groups: [UInt32]

        public init(uid: UInt32, gid: UInt32, groups: [UInt32]) {
            self.uid = uid
            self.gid = gid
            self.groups = groups
        }
    }

    /// A path that must not lead out of a directory by symbolic links. One that is absolute leads out, wherever to.
    public struct PathWithin: Equatable, Sendable {
        /// From the root.
        public var directory: String
        /// Relative to it.
        public var path: String

        public init(directory: String, path: String) {
            self.directory = directory
            self.path = path
        }

        /// From the root.
        public var whole: String { directory == "/" ? "/\(path)" : "\(directory)/\(path)" }
    }

    /// Where it is, what is there else being covered, and how much it holds.
    public struct Temporary: Equatable, Sendable {
        public var path: String
        /// nil: half of the machine's memory.
        public var bytes: UInt64?

        public init(path: String, bytes: UInt64?) {
            self.path = path
            self.bytes = bytes
        }

        /// One file for each 16 KiB, so that the kernel's own memory for them is bounded too (tmpfs(5)).
        func options(for identity: Identity?) -> String {
            let owner = identity.map { ",uid=\($0.uid),gid=\($0.gid)" } ?? ""
            return "mode=0700\(owner)" + (bytes.map { ",size=\($0),nr_inodes=\(max(256, $0 >> 14))" } ?? "")
        }
    }

    /// A control group of its own, with limits for all that it starts.
    public struct Group: Sendable {
        public var parent: DelegatedGroup
        /// Bytes; nil: no limit.
        public var memory: UInt64?
        /// Threads count too; nil: no limit.
        public var processes: UInt64?

        public init(in parent: DelegatedGroup, memory: UInt64?, processes: UInt64?) {
            self.parent = parent
            self.memory = memory
            self.processes = processes
        }
    }

    public var program: Program
    /// The argument vector, `$0` included. A word holds no NUL.
    public var arguments: [[UInt8]]
    /// `NAME=value` each.
    public var environment: [[UInt8]]
    /// Become 0, 1, 2, 3 … in the child, which has no others; 3 to 64 of them.
    public var descriptors: [Descriptor]
    public var identity: Identity?
    /// Becomes the root directory, which needs root.
    public var rootDirectory: Descriptor?
    /// Changed to as the new user, below the new root; nil: as it is.
    public var directory: String?
    /// The directory is made where it is missing, with mode 0700, as the new user; all above it must be there.
    public var makesDirectory = false
    /// Looked at as the new user, before the confinement: the step ``LaunchStep/paths`` fails for one that leads out of its directory.
    public var paths: [PathWithin] = []
    public var limits: [ResourceLimit] = [.noCoreDumps]
    /// It is in it from its first instruction.
    public var group: Group?
    public var namespaces: Namespaces = []
    /// An empty directory in memory, which nobody else sees and which ends with the pid namespace.
    public var temporary: Temporary?
    /// Not empty: all but these paths, with what is mounted beneath them, is read-only for the child, who has a pid namespace and an identity. One that is
    /// not there is passed over; at most 256, none beneath another.
    public var writable: [String] = []
    /// The program `postern-init`, which a pid namespace needs.
    public var firstProcess: Descriptor?
    /// Takes every capability from the bounding set, which needs CAP_SETPCAP unless it is empty already.
    public var emptiesBoundingSet = false
    public var startsSession = true
    /// For another process of our own, which confines itself: it keeps our capabilities, and may give its children other users.
    public var keepsPrivileges = false
    /// These wait until the program takes them: it would end by one that comes before.
    public var blockedSignals: [Signal] = []
    /// Sent to the child when the thread that launched it ends.
    public var parentDeathSignal: Signal?
    /// nil: no Landlock.
    public var landlock: LandlockRules?
    /// What is asked of Landlock: less than the kernel has only in tests.
    public var landlockSupport = LandlockSupport.running
    /// A finished seccomp program, records of 8 bytes; empty: none.
    public var filter: [UInt8] = []
    /// What the filter denies, for ``launchReporting(_:)``. Nil: the kernel answers such calls with ENOSYS.
    public var denials: DenialTable?

    public init(
        program: Program, arguments: [[UInt8]], environment: [[UInt8]] = [], input: Descriptor, output: Descriptor, error: Descriptor
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        descriptors = [input, output, error]
    }

    public init(
        program: Program, arguments: [String], environment: [String] = [], input: Descriptor, output: Descriptor, error: Descriptor
    ) {
        self.init(
            program: program, arguments: arguments.map { Array($0.utf8) }, environment: environment.map { Array($0.utf8) },
            input: input, output: output, error: error)
    }
}

/// Namespaces the child gets of its own (clone(2)).
///
/// In a pid namespace the program is not the first process, so that signals act on it as usual: `postern-init` is, with which all others
/// end. With a mount namespace besides, `/proc` shows the pid namespace and nothing else.
public struct Namespaces: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let mount = Namespaces(rawValue: 0x0002_0000)
    public static let ipc = Namespaces(rawValue: 0x0800_0000)
    public static let uts = Namespaces(rawValue: 0x0400_0000)
    public static let user = Namespaces(rawValue: 0x1000_0000)
    public static let pid = Namespaces(rawValue: 0x2000_0000)
    public static let network = Namespaces(rawValue: 0x4000_0000)
}
