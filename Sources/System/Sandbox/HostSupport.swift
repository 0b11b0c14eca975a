public import Linux

/// What this machine and this user enforce of a sandbox, layer by layer (the table of DESIGN §3.4).
public enum HostSupport {
    public enum State: String, Sendable {
        case enforced
        /// Something less is, which the text says.
        case partly
        /// A command that asks for it is refused with exit status 125.
        case refused
    }

    public struct Layer: Equatable, Sendable {
        public let name: String
        public let state: State
        public let text: String

        init(_ name: String, _ state: State, _ text: String) {
            self.name = name
            self.state = state
            self.text = text
        }
    }

    /// Namespaces need root with CAP_SYS_ADMIN, which containers often withhold.
    public static var hasNamespaces: Bool { Users.currentUID == 0 && holds(.system) }

    /// Every layer, in the order of the table.
    public static func layers(
        _ landlock: LandlockSupport = .running, isRoot: Bool = Users.currentUID == 0, hasNamespaces: Bool = HostSupport.hasNamespaces,
        group: Result<DelegatedGroup, DelegatedGroup.Unavailable> = Result(catching: { () throws(DelegatedGroup.Unavailable) in try DelegatedGroup.look() })
    ) -> [Layer] {
        [
            Layer("system calls", .enforced, "by seccomp; denied ones are named and counted"),
            isRoot
                ? Layer("users", .enforced, "a command runs as its own user")
                : Layer("users", .refused, "a command runs as you; one of another user needs root"),
            files(landlock), truncation(landlock),
            landlock.restrictsPorts
                ? Layer("tcp ports", .enforced, "by Landlock")
                : Layer("tcp ports", .refused, "a network of ports needs Landlock ABI 4, Linux 6.7"),
            signals(landlock, hasNamespaces),
            hasNamespaces
                ? Layer("file attributes", .enforced, "chmod, chown, times and xattrs by seccomp in a sandbox that writes nowhere; else all but what it writes is mounted read-only")
                : Layer("file attributes", .partly, "chmod, chown, times and xattrs are denied in a sandbox that writes nowhere; Landlock has no rule for them"),
            sums(group),
            hasNamespaces
                ? Layer("TMPDIR", .enforced, "in memory, as much as the sandbox's memory limit; elsewhere files are limited by file_size and a quota of the user")
                : Layer("TMPDIR", .partly, "each file is limited by file_size; how many there are takes a quota of the user, or root with CAP_SYS_ADMIN"),
            tree(group, hasNamespaces),
            hasNamespaces
                ? Layer("/proc", .enforced, "where it is named, the command sees only itself")
                : Layer("/proc", .refused, "only /proc/self can be named; a /proc of its own needs root with CAP_SYS_ADMIN"),
        ]
    }

    private static func files(_ landlock: LandlockSupport) -> Layer {
        landlock.abi >= 1
            ? Layer("files", .enforced, "by Landlock ABI \(landlock.abi)")
            : Layer("files", .refused, "no command can be confined without Landlock, Linux 5.13 with lsm=landlock")
    }

    private static func sums(_ group: Result<DelegatedGroup, DelegatedGroup.Unavailable>) -> Layer {
        switch group {
        case .success(let group): Layer("memory and processes", .enforced, "of all of a command together, by its control group in \"\(group.path)\"")
        case .failure(let why): Layer("memory and processes", .partly, "memory is limited for each process, processes for each user, by a gateway started from here: \(why)")
        }
    }

    private static func tree(_ group: Result<DelegatedGroup, DelegatedGroup.Unavailable>, _ hasNamespaces: Bool) -> Layer {
        if hasNamespaces { return Layer("whole tree", .enforced, "ends with its pid namespace") }
        if case .success = group { return Layer("whole tree", .enforced, "ends with its control group") }
        return Layer("whole tree", .partly, "is killed by repeated sweeps; a pid namespace needs root with CAP_SYS_ADMIN, a control group a delegated one")
    }

    private static func truncation(_ landlock: LandlockSupport) -> Layer {
        landlock.abi >= 3
            ? Layer("truncation", .enforced, "by Landlock")
            : Layer("truncation", .partly, "truncate(2) is denied everywhere: Landlock sees it from ABI 3, Linux 6.2")
    }

    private static func signals(_ landlock: LandlockSupport, _ hasNamespaces: Bool) -> Layer {
        if !landlock.scopes.isEmpty { return Layer("signals to others", .enforced, "by Landlock") }
        return hasNamespaces
            ? Layer("signals to others", .enforced, "by a pid namespace")
            : Layer("signals to others", .partly, "a command can signal other processes of its user: that takes Landlock ABI 6, Linux 6.12, or root")
    }
}
