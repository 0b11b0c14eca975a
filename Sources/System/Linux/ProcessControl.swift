internal import CLinux

/// Orphans of this process's tree become its children, not init's.
public func setSubreaper() throws(Errno) { try checked { control(PR_SET_CHILD_SUBREAPER, 1) } }

/// No core dumps, and nobody without CAP_SYS_PTRACE looks into this process's memory.
public func setNotDumpable() throws(Errno) { try checked { control(PR_SET_DUMPABLE, 0) } }

/// What ps(1) and top(1) call this process, at most 15 bytes.
public func setProcessName(_ name: String) throws(Errno) {
    let bytes = Array(name.utf8) + [0]
    precondition(bytes.count <= 16, "a longer name is cut off")
    // SAFETY: the call reads at most 16 bytes, to the NUL that ends the array.
    let result = unsafe bytes.withUnsafeBytes { control(PR_SET_NAME, UInt(bitPattern: $0.baseAddress)) }
    try checked { result }
}

/// Neither this process nor what it executes gains privileges by execve(2).
public func setNoNewPrivileges() throws(Errno) { try checked { control(PR_SET_NO_NEW_PRIVS, 1) } }

/// Ends this process with `signal` when its parent has ended, also when that happened before the call.
///
/// - Parameter parent: the parent's pid, from before the call.
public func setParentDeathSignal(_ signal: Signal, parent: Int32) throws(Errno) {
    try checked { control(PR_SET_PDEATHSIG, UInt(signal.number)) }
    if getppid() != parent { throw .noProcess }
}

public var processID: Int32 { getpid() }
public var parentProcessID: Int32 { getppid() }

/// Whether there is a process of that number, be it ours to signal or not.
public func processExists(_ pid: Int32) -> Bool { CLinux.kill(pid, 0) == 0 || Errno.last == .notPermitted }

/// Ends the process at once, without running exit handlers.
public func exitNow(_ status: Int32) -> Never { _exit(status) }

/// Replaces the mask of permissions that new files do not get.
public func setFileCreationMask(_ mask: UInt32) { _ = umask(mask) }

/// Privileges of root that can be held one by one (capabilities(7)).
public enum Capability: Int, Sendable, CaseIterable {
    case chown = 0, dacOverride = 1, dacReadSearch = 2, fileOwner = 3, kill = 5, setGID = 6, setUID = 7, setCapabilities = 8
    case bindLowPorts = 10, network = 12, chroot = 18, trace = 19, system = 21, priority = 23, resources = 24
}

/// Gives up all capabilities but these, of those that are held; what the process executes never has one but those that are passed on.
///
/// The bounding set is emptied where that is allowed: capabilities that are held stay, children start without.
///
/// - Parameter passedOn: of those kept; what is executed as root has them.
public func dropCapabilities(keeping kept: [Capability], passingOn passedOn: [Capability] = []) throws(Errno) {
    // First, since what is passed on must be in the bounding set or be passed on already.
    try setCapabilities(try permittedCapabilities(), inheritable: mask(passedOn))
    var number: UInt = 0
    while case let held = control(PR_CAPBSET_READ, number), held >= 0 {
        if held == 1 {
            do throws(Errno) {
                try checked { control(PR_CAPBSET_DROP, number) }
            } catch .notPermitted {
                break  // a normal user has none to lose
            }
        }
        number += 1
    }
    try checked { control(PR_CAP_AMBIENT, UInt(PR_CAP_AMBIENT_CLEAR_ALL)) }
    try setCapabilities(mask(kept), inheritable: mask(passedOn))
}

/// Bit n is capability n.
private func mask(_ capabilities: [Capability]) -> UInt64 { capabilities.reduce(0) { $0 | 1 << UInt64($1.rawValue) } }

/// Whether this process may use a capability.
public func holds(_ capability: Capability) -> Bool {
    do throws(Errno) { return try permittedCapabilities() & 1 << UInt64(capability.rawValue) != 0 } catch { return false }
}

/// Gives memory that is allocated no longer back to the kernel: free(3) keeps it for later.
public func returnFreeMemory() { _ = malloc_trim(0) }

/// Replaces the effective, permitted and inheritable sets, by what of these is permitted.
private func setCapabilities(_ wanted: UInt64, inheritable: UInt64) throws(Errno) {
    let header = capabilityHeader
    let permitted = try permittedCapabilities()
    let sets = [UInt64(0), 32].flatMap { half in
        [wanted, wanted, inheritable].map { UInt32(truncatingIfNeeded: ($0 & permitted) >> half) }
    }
    // SAFETY: capset(2) reads the header and two sets of three words.
    try checked { unsafe header.withUnsafeBufferPointer { header in
        unsafe sets.withUnsafeBufferPointer { postern_call(Int(SYS_capset), UInt(bitPattern: header.baseAddress), UInt(bitPattern: $0.baseAddress), 0, 0) }
    } }
}

/// Bit n is capability n.
private func permittedCapabilities() throws(Errno) -> UInt64 {
    var header = capabilityHeader
    var sets = [UInt32](repeating: 0, count: 6)
    // SAFETY: capget(2) reads the header and fills two sets of three words: effective, permitted, inheritable.
    try checked { unsafe header.withUnsafeMutableBufferPointer { header in
        unsafe sets.withUnsafeMutableBufferPointer { postern_call(Int(SYS_capget), UInt(bitPattern: header.baseAddress), UInt(bitPattern: $0.baseAddress), 0, 0) }
    } }
    return UInt64(sets[4]) << 32 | UInt64(sets[1])
}

/// _LINUX_CAPABILITY_VERSION_3, and 0 for the caller.
private let capabilityHeader: [UInt32] = [0x2008_0522, 0]

/// prctl(2) with integers only.
private func control(_ option: Int32, _ value: UInt, _ more: UInt = 0) -> Int {
    postern_call(Int(SYS_prctl), UInt(option), value, more, 0)
}
