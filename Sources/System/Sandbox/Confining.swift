public import Linux
public import Policy

/// What this machine, or this user, cannot enforce of a sandbox: exit status 125 (DESIGN §3.4).
public enum EnforcementError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel's Landlock is older than the sandbox needs.
    case landlock(needs: Int, has: Int, what: String)
    /// Only root starts programs as someone else.
    case account(name: String)
    /// A command never runs as root.
    case root
    /// Only root gives a command a `/proc` of its own, and that of all is not shown.
    case processes(path: String)
    /// The sandbox was not compiled.
    case noFilter(sandbox: String)

    public var description: String {
        switch self {
        case .landlock(let needs, let has, let what): "\(what) needs Landlock ABI \(needs), and this kernel has \(has)"
        case .account(let name): "only root can run a command as \"\(name)\""
        case .root: "a command never runs as root"
        case .processes(let path): "path \"\(path)\" shows all processes: only root can give a command a /proc of its own"
        case .noFilter(let sandbox): "sandbox \"\(sandbox)\" has no system-call filter"
        }
    }
}

extension ProcessPlan {
    /// A command of the policy in its sandbox, as its user.
    ///
    /// The program and its temporary directory are added to the sandbox's paths. The command is killed when the monitor ends.
    ///
    /// - Parameters:
    ///   - directory: where it starts; nil: the account's home.
    ///   - temporary: its private directory, which must be the account's; where the command gets namespaces, one in memory is there instead, which
    ///     holds as much as a process may allocate.
    ///   - groups: where it gets a control group of its own.
    ///   - firstProcess: the program `postern-init`, which is needed where the command gets a pid namespace: as root.
    public init(
        confining sandbox: SandboxPlan, account: Account, program: ProgramFile, arguments: [[UInt8]], environment: [[UInt8]],
        directory: String? = nil, temporary: String? = nil, firstProcess: Descriptor?, input: Descriptor, output: Descriptor, error: Descriptor,
        groups: DelegatedGroup? = nil, support: LandlockSupport = .running
    ) throws(EnforcementError) {
        self.init(
            program: program.program, arguments: arguments, environment: environment, input: input, output: output, error: error)
        guard !sandbox.filter.program.isEmpty else { throw .noFilter(sandbox: sandbox.name) }
        guard support.abi >= sandbox.filter.landlockABI else {
            throw .landlock(needs: Int(sandbox.filter.landlockABI), has: support.abi, what: "the policy, applied where there was more,")
        }
        filter = sandbox.filter.program
        denials = sandbox.filter.denials
        landlockSupport = support
        identity = try Self.identity(for: account)
        emptiesBoundingSet = identity != nil
        namespaces = try Self.namespaces(for: sandbox, isAble: identity != nil && HostSupport.hasNamespaces)
        self.firstProcess = firstProcess
        self.directory = directory ?? account.home
        // The kernel's own limit of processes would count those of the user's other commands too.
        limits = sandbox.limits.forKernel.filter { groups == nil || $0.resource != .processes }
        // Process 1 counts too.
        let first: UInt64 = namespaces.contains(.pid) ? 1 : 0
        group = groups.map { Group(in: $0, memory: sandbox.limits.memory, processes: sandbox.limits.processes.map { $0 + first }) }
        parentDeathSignal = .kill
        landlock = try Self.landlock(for: sandbox, support)
        if program.kind == .script { landlock?.paths.append(.init(program.path, [.readFile, .executeFile])) }
        if let temporary, !namespaces.isEmpty { self.temporary = Temporary(path: temporary, bytes: sandbox.limits.memory) }
        if let temporary { landlock?.paths.append(.init(temporary, .write)) }
        if !namespaces.isEmpty { writable = Self.writable(for: sandbox, in: self.directory ?? "/") }
        #if POSTERN_BARE
            // Nothing but the user: only what `scripts/bench` compares with is built so.
            (landlock, filter, denials, namespaces, self.temporary, writable, group) = (nil, [], nil, [], nil, [], nil)
        #endif
    }

    private static func identity(for account: Account) throws(EnforcementError) -> Identity? {
        let current = Users.currentUID
        guard account.uid != 0 else { throw .root }
        if current == account.uid { return nil }
        guard current == 0 else { throw .account(name: account.name) }
        return Identity(uid: account.uid, gid: account.gid, groups: account.groups)
    }

    /// As root a pid namespace, so that all of the command ends with it and nothing outside can be named; and its own `/proc`, where one is asked for.
    private static func namespaces(for sandbox: SandboxPlan, isAble: Bool) throws(EnforcementError) -> Namespaces {
        guard let path = sandbox.paths.map(\.path).first(where: showsProcesses) else { return isAble ? .pid : [] }
        guard isAble else { throw .processes(path: path) }
        return [.pid, .mount]
    }

    /// What stays writable where the command writes anywhere: chmod(2) and its like, for which Landlock has no rule, are denied to no such sandbox.
    private static func writable(for sandbox: SandboxPlan, in directory: String) -> [String] {
        let written = sandbox.paths.filter { $0.access == .write }.map { $0.path == "." ? directory : $0.path }
        guard written.contains(where: { !$0.hasPrefix("/dev/") }), !written.contains("/") else { return [] }
        // What is beneath another is of the same mount: files are renamed from the one to the other. Devices need none.
        var paths: [String] = []
        for path in written.sorted(by: { $0.utf8.count < $1.utf8.count }) where !["/dev/null", "/dev/zero", "/dev/full"].contains(path) {
            if !paths.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) { paths.append(path) }
        }
        return paths
    }

    /// Whether a path holds the processes of others.
    private static func showsProcesses(_ path: String) -> Bool {
        path == "/" || path == "/proc" || path.hasPrefix("/proc/") && path != "/proc/self" && !path.hasPrefix("/proc/self/")
    }

    private static func landlock(for sandbox: SandboxPlan, _ support: LandlockSupport) throws(EnforcementError) -> LandlockRules {
        guard support.abi >= 1 else { throw .landlock(needs: 1, has: support.abi, what: "a sandbox") }
        let paths = sandbox.paths.map { LandlockRules.Path($0.path, $0.access.rights, isRequired: $0.isRequired) }
        switch sandbox.network {
        case .none:
            return LandlockRules(paths: paths, ports: [])
        case .unix:
            return LandlockRules(paths: paths, ports: [], scopes: .signals)
        case .tcp(let ports, let dns):
            guard support.restrictsPorts else { throw .landlock(needs: 4, has: support.abi, what: "network \"tcp\"") }
            return LandlockRules(paths: paths, ports: ports + (dns ? [53] : []))
        case .any:
            return LandlockRules(paths: paths, ports: nil, scopes: .signals)
        }
    }
}

extension PathRule.Access {
    /// Write and execute imply read.
    public var rights: FileRights {
        switch self {
        case .read: .read
        case .write: .write
        case .execute: .execute
        }
    }
}

extension ResourceLimits {
    /// Memory is RLIMIT_DATA and per process, processes are counted per user: a control group has the command's own sums besides.
    var forKernel: [ResourceLimit] {
        var limits = [ResourceLimit.noCoreDumps]
        if let processes { limits.append(ResourceLimit(.processes, processes)) }
        if let memory { limits.append(ResourceLimit(.data, memory)) }
        if let openFiles { limits.append(ResourceLimit(.openFiles, openFiles)) }
        if let fileSize { limits.append(ResourceLimit(.fileSize, fileSize)) }
        if let cpu {
            // SIGXCPU first, SIGKILL a second later.
            let (seconds, rest) = cpu.components
            let whole = UInt64(max(0, seconds)) + (rest > 0 ? 1 : 0)
            limits.append(ResourceLimit(.cpuSeconds, soft: whole, hard: whole + 1))
        }
        return limits
    }
}
