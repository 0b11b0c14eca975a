internal import CLinux

/// What a Landlock rule set denies, and what it allows nevertheless (landlock(7)).
public struct LandlockRules: Equatable, Sendable {
    /// A path and what may be done at and beneath it.
    public struct Path: Equatable, Sendable {
        public var path: String
        public var rights: FileRights
        /// False: passed over when it is not there for the child's user.
        public var isRequired: Bool

        public init(_ path: String, _ rights: FileRights, isRequired: Bool = true) {
            self.path = path
            self.rights = rights
            self.isRequired = isRequired
        }
    }

    /// Files elsewhere cannot be read, written or executed. The program itself, where it is executed by descriptor, can.
    public var paths: [Path]
    /// The TCP ports that may be connected to, all others and every bind being denied; nil: TCP is left alone.
    public var ports: [UInt16]?
    /// No signals to, and no abstract unix sockets of, processes outside.
    public var scopes: Scopes

    public struct Scopes: OptionSet, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let abstractSockets = Scopes(rawValue: 1)
        public static let signals = Scopes(rawValue: 2)
    }

    public init(paths: [Path], ports: [UInt16]? = [], scopes: Scopes = [.abstractSockets, .signals]) {
        self.paths = paths
        self.ports = ports
        self.scopes = scopes
    }
}

/// The rights on files that Landlock knows; the values are the kernel's.
public struct FileRights: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let executeFile = FileRights(rawValue: 1 << 0)
    public static let writeFile = FileRights(rawValue: 1 << 1)
    public static let readFile = FileRights(rawValue: 1 << 2)
    public static let readDirectory = FileRights(rawValue: 1 << 3)
    public static let removeDirectory = FileRights(rawValue: 1 << 4)
    public static let removeFile = FileRights(rawValue: 1 << 5)
    public static let makeCharacterDevice = FileRights(rawValue: 1 << 6)
    public static let makeDirectory = FileRights(rawValue: 1 << 7)
    public static let makeFile = FileRights(rawValue: 1 << 8)
    public static let makeSocket = FileRights(rawValue: 1 << 9)
    public static let makeFIFO = FileRights(rawValue: 1 << 10)
    public static let makeBlockDevice = FileRights(rawValue: 1 << 11)
    public static let makeLink = FileRights(rawValue: 1 << 12)
    /// Moving and linking between directories, from ABI 2.
    public static let refer = FileRights(rawValue: 1 << 13)
    /// From ABI 3.
    public static let truncate = FileRights(rawValue: 1 << 14)
    /// ioctl(2) on devices, from ABI 5.
    public static let controlDevice = FileRights(rawValue: 1 << 15)

    public static let read: FileRights = [.readFile, .readDirectory]
    public static let execute: FileRights = [.read, .executeFile]
    /// Everything but executing and making devices.
    public static let write: FileRights = [
        .read, .writeFile, .removeDirectory, .removeFile, .makeDirectory, .makeFile, .makeSocket, .makeFIFO, .makeLink, .refer,
        .truncate, .controlDevice,
    ]

    /// Those that a rule on something else than a directory may carry.
    static let ofFiles: FileRights = [.executeFile, .writeFile, .readFile, .truncate, .controlDevice]
}

/// What the running kernel's Landlock can enforce.
public struct LandlockSupport: Equatable, Sendable {
    /// 0: none.
    public let abi: Int

    public init(abi: Int) { self.abi = abi }

    /// Asked once.
    public static let running = LandlockSupport(abi: max(0, postern_call(Int(SYS_landlock_create_ruleset), 0, 0, 1, 0)))

    public var fileRights: FileRights {
        switch abi {
        case ...0: []
        case 1: FileRights(rawValue: (1 << 13) - 1)
        case 2: FileRights(rawValue: (1 << 14) - 1)
        case 3, 4: FileRights(rawValue: (1 << 15) - 1)
        default: FileRights(rawValue: (1 << 16) - 1)
        }
    }

    /// Binding (1) and connecting (2) TCP sockets.
    var networkRights: UInt64 { restrictsPorts ? 3 : 0 }
    public var restrictsPorts: Bool { abi >= 4 }
    public var scopes: LandlockRules.Scopes { abi >= 6 ? [.abstractSockets, .signals] : [] }
}
