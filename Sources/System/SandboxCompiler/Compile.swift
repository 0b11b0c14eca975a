internal import CSeccomp
internal import Linux
public import Policy
public import Sandbox

/// Why a sandbox cannot be compiled.
public enum CompileError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownCall(String)
    case unknownGroup(String)
    /// No sandbox may allow it.
    case dangerousCall(String)

    public var description: String {
        switch self {
        case .unknownCall(let name): "system call \"\(name)\" is not known"
        case .unknownGroup(let name): "system call group \"\(name)\" is not known"
        case .dangerousCall(let name): "system call \"\(name)\" is never allowed in a sandbox"
        }
    }
}

/// Compiles a sandbox's system calls to finished BPF, for ``SandboxPlan/filter``.
///
/// Calls of foreign architectures kill. What the sandbox does not name does not exist (ENOSYS), so that programs fall back
/// to older calls; what is denied on purpose is "not permitted". libseccomp knows the numbers; the program is our own,
/// because libseccomp's compares 64 bits of an argument where the kernel looks at 32, cannot exclude values, and takes
/// three times as long to load.
public func compile(_ plan: SandboxPlan, support: LandlockSupport = .running) throws(CompileError) -> [UInt8] {
    var leaves: [UInt32: FilterTree.Leaf] = [:]
    let verdicts = try verdicts(of: plan, support)
    let rules = ArgumentRule.all(for: plan.network)
    for (name, verdict) in verdicts {
        guard let number = resolve(name) else { continue }
        leaves[number] = .verdict(verdict)
        if verdict == .allow, let rule = rules.first(where: { $0.name == name }) { leaves[number] = .arguments(rule) }
    }
    let unknown = FilterTree.Leaf.verdict(.fail(Errno.notImplemented.number))
    return FilterTree(leaves, otherwise: unknown).instructions.flatMap(\.bytes)
}

/// By name: those without an entry are answered with ENOSYS.
private func verdicts(of plan: SandboxPlan, _ support: LandlockSupport) throws(CompileError) -> [String: FilterInstruction.Verdict] {
    let allowed = try names(plan.allowedCalls)
    for name in plan.allowedCalls where SystemCalls.dangerous.contains(name) { throw .dangerousCall(name) }
    var denied = SystemCalls.dangerous.union(try names(plan.deniedCalls))
    if !plan.writesFiles { denied.formUnion(SystemCalls.changesOfAttributes) }
    // Landlock before ABI 3 does not see truncate(2).
    if support.abi < 3 { denied.insert("truncate") }
    var verdicts: [String: FilterInstruction.Verdict] = [:]
    for name in allowed + ArgumentRule.calls(for: plan.network) { verdicts[name] = .allow }
    // Making sockets is refused with a word that programs understand, not unknown.
    if verdicts["socket"] == nil { verdicts["socket"] = .fail(Errno.accessDenied.number) }
    for name in denied { verdicts[name] = .fail(Errno.notPermitted.number) }
    return verdicts
}

/// Groups taken apart.
private func names(_ calls: [String]) throws(CompileError) -> [String] {
    var names: [String] = []
    for call in calls {
        if call.hasPrefix("@") {
            guard let group = SystemCalls.group(call) else { throw .unknownGroup(call) }
            names += group
        } else {
            guard resolve(call) != nil else { throw .unknownCall(call) }
            names.append(call)
        }
    }
    return names
}

/// The number of a call on this machine, nil when it has none.
private func resolve(_ name: String) -> UInt32? {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    UInt32(exactly: unsafe seccomp_syscall_resolve_name(name))
}

extension SandboxPlan {
    /// Whether there is a place to write to, other than devices.
    fileprivate var writesFiles: Bool { paths.contains { $0.access == .write && !$0.path.hasPrefix("/dev/") } }
}
