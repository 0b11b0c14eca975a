public import Linux

/// The control group that was left to us (cgroups(7), "Delegation"), in which each command has one of its own.
///
/// A group whose children have limits holds no processes itself: the gateway's are in one beside the commands'.
public struct DelegatedGroup: Sendable {
    /// Why there is none, for people.
    public enum Unavailable: Error, Equatable, Sendable, CustomStringConvertible {
        case notMounted
        case hidden
        case notOurs(String)
        case shared(String)
        case lacks([String], String)
        case noClone
        case system(String, Errno)

        public var description: String {
            switch self {
            case .notMounted: "control groups of version 2 are not mounted at \(DelegatedGroup.mountPoint)"
            case .hidden: "this process is in no control group of version 2 that it can see"
            case .notOurs(let path): "control group \"\(path)\" is not delegated"
            case .shared(let path): "control group \"\(path)\" has other processes in it than the gateway's"
            case .lacks(let controllers, let path): "control group \"\(path)\" has no controller \(controllers.joined(separator: ", "))"
            case .noClone: "clone3(2) is hidden"
            case .system(let file, let errno): "control group: \"\(file)\": \(errno)"
            }
        }
    }

    /// From the root of the hierarchy.
    public let path: String
    private let directory: Descriptor

    public static let mountPoint = "/sys/fs/cgroup"
    /// The group of the gateway's own processes.
    public static let gatewayName = "postern-gateway"
    private static let commandPrefix = "postern-command-"
    private static let controllers = ["memory", "pids"]

    /// Takes a group that is made ready for commands.
    public init(path: String, directory: Descriptor) {
        self.path = path
        self.directory = directory
    }

    /// That of this process, where it or whoever started it has entered one; nil where it has not.
    public static func current() throws(Unavailable) -> DelegatedGroup? {
        let own: String
        do throws(Unavailable) { own = try ownPath() } catch .hidden { return nil } catch .notMounted { return nil }
        guard let path = base(of: own) else { return nil }
        return DelegatedGroup(path: path, directory: try open(path))
    }

    /// What ``enter()`` would find, nothing being changed.
    public static func look() throws(Unavailable) -> DelegatedGroup {
        let own = try ownPath()
        let path = base(of: own) ?? own
        let directory = try open(path)
        let status = try naming(path) { () throws(Errno) in try directory.status() }
        // Root may write everywhere: left to it is what says so, and a container's root. That of all has a mode that keeps a monitor out, which has fewer capabilities.
        guard status.uid == Users.currentUID, status.mode & 0o200 != 0, Users.currentUID != 0 || path == "/" || directory.isDelegated else { throw .notOurs(path) }
        let missing = ControlGroupText.missing(controllers, in: try read("cgroup.controllers", directory))
        guard missing.isEmpty else { throw .lacks(missing, path) }
        guard startsInControlGroups else { throw .noClone }
        // The kernel gives limits to the children of none that holds processes.
        let processes = try read("cgroup.procs", directory)
        guard processes.split(separator: "\n").allSatisfy({ $0 == "\(processID)" }) else { throw .shared(path) }
        return DelegatedGroup(path: path, directory: directory)
    }

    /// Makes this process's group ready for commands: moves the process into one of the gateway's, and has the kernel limit memory and processes of those
    /// beside it. Where that fails, all is as before.
    public static func enter() throws(Unavailable) -> DelegatedGroup {
        let found = try look()
        let isIn = base(of: try ownPath()) != nil
        if !isIn {
            try naming(gatewayName) { () throws(Errno) in
                do throws(Errno) { try found.directory.makeDirectory(Array(gatewayName.utf8), mode: 0o755) } catch .exists {}
            }
            try found.write("0", to: "\(gatewayName)/cgroup.procs")
        }
        do throws(Unavailable) {
            if !ControlGroupText.missing(controllers, in: try read("cgroup.subtree_control", found.directory)).isEmpty {
                // Refused where other processes are beside us, unless this is the root.
                try found.write(controllers.map { "+\($0)" }.joined(separator: " "), to: "cgroup.subtree_control")
            }
        } catch {
            if !isIn { found.leave() }
            throw error
        }
        return found
    }

    private func leave() {
        // Others may be in it by now, or it may be theirs: then it stays.
        do { try write("0", to: "cgroup.procs") } catch {}
        do throws(Errno) { try directory.remove(Array(Self.gatewayName.utf8), isDirectory: true) } catch {}
    }

    // MARK: - Commands

    /// Makes the group of one command.
    ///
    /// - Parameters:
    ///   - memory: of all processes together and what is in their files in memory, in bytes.
    ///   - processes: and threads, all together.
    func makeGroup(memory: UInt64?, processes: UInt64?) throws(LaunchError) -> ControlGroup {
        let name = "\(Self.commandPrefix)\(processID)-\(UInt32.random(in: 0 ... .max))"
        let group = try step(name) { () throws(Errno) in try ControlGroup(named: name, in: directory) }
        if let memory {
            try step("memory.max") { () throws(Errno) in try group.set("memory.max", to: "\(memory)") }
            // Kernels that do not count swap have no such file.
            try step("memory.swap.max") { () throws(Errno) in do throws(Errno) { try group.set("memory.swap.max", to: "0") } catch .notFound {} }
            try step("memory.oom.group") { () throws(Errno) in try group.set("memory.oom.group", to: "1") }
        }
        if let processes { try step("pids.max") { () throws(Errno) in try group.set("pids.max", to: "\(processes)") } }
        return group
    }

    /// Ends what is left of commands whose monitor has gone.
    public func removeStale() {
        let names: [[UInt8]]
        do throws(Errno) { names = try directory.names() } catch { return }
        for name in names where Self.monitor(of: String(decoding: name, as: UTF8.self)).map({ !processExists($0) }) == true {
            do throws(Errno) { _ = try ControlGroup(existing: name, in: directory).end() } catch {}
        }
    }

    /// Whose command a group is by its name; nil for others.
    static func monitor(of name: String) -> Int32? {
        guard name.hasPrefix(commandPrefix) else { return nil }
        return name.dropFirst(commandPrefix.count).split(separator: "-").first.flatMap { Int32($0) }
    }

    // MARK: - Files

    private static func base(of own: String) -> String? { own.hasSuffix("/\(gatewayName)") ? parent(of: own) : nil }

    private static func ownPath() throws(Unavailable) -> String {
        let text = try naming("/proc/self/cgroup") { () throws(Errno) in try readFile("/proc/self/cgroup", limit: 1 << 16) }
        guard let path = ControlGroupText.path(in: String(decoding: text, as: UTF8.self)) else { throw .hidden }
        return path
    }

    private static func open(_ path: String) throws(Unavailable) -> Descriptor {
        let directory = try naming(path) { () throws(Errno) in
            do throws(Errno) { return try openDirectory(mountPoint + path) } catch .notFound { return try openDirectory("/") }
        }
        guard directory.isControlGroup else { throw .notMounted }
        return directory
    }

    private static func read(_ file: String, _ directory: Descriptor) throws(Unavailable) -> String {
        try naming(file) { () throws(Errno) in
            String(decoding: try directory.openBeneath(Array(file.utf8)).readAll(limit: 1 << 16), as: UTF8.self)
        }
    }

    private func write(_ text: String, to file: String) throws(Unavailable) {
        try Self.naming(file) { () throws(Errno) in try directory.openBeneath(Array(file.utf8), .write).writeAll(Array(text.utf8)) }
    }

    private static func naming<Value>(_ file: String, _ body: () throws(Errno) -> Value) throws(Unavailable) -> Value {
        do throws(Errno) { return try body() } catch { throw .system(file, error) }
    }

    private func step<Value>(_ file: String, _ body: () throws(Errno) -> Value) throws(LaunchError) -> Value {
        do throws(Errno) { return try body() } catch { throw LaunchError(step: .controlGroup, errno: error, detail: file) }
    }
}
