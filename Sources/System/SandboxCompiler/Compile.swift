internal import CSeccomp
public import Linux
public import Policy
public import Sandbox

/// Why a sandbox cannot be compiled.
public enum CompileError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownCall(String)
    case unknownGroup(String)
    /// No sandbox may allow it.
    case dangerousCall(String)
    /// libseccomp, or the memory file it writes to, failed.
    case system(Errno)

    public var description: String {
        switch self {
        case .unknownCall(let name): "system call \"\(name)\" is not known"
        case .unknownGroup(let name): "system call group \"\(name)\" is not known"
        case .dangerousCall(let name): "system call \"\(name)\" is never allowed in a sandbox"
        case .system(let errno): "compiling the filter: \(errno)"
        }
    }
}

/// Compiles a sandbox's system calls to finished BPF, for ``SandboxPlan/filter``.
///
/// Calls of foreign architectures kill. What the sandbox does not name does not exist (ENOSYS), so that programs fall back
/// to older calls; what is denied on purpose is "not permitted". Arguments are judged by rules of our own in front,
/// because libseccomp compares 64 bits where the kernel looks at 32, and cannot exclude values; the rest is its tree.
public func compile(_ plan: SandboxPlan, support: LandlockSupport = .running) throws(CompileError) -> [UInt8] {
    var verdicts = try verdicts(of: plan, support)
    var code = FilterInstruction.refuseForeignCalls
    for rule in ArgumentRule.all(for: plan.network) where verdicts[rule.name] == .allow {
        guard let number = try resolve(rule.name) else { continue }
        code += rule.instructions(number: UInt32(number))
        verdicts[rule.name] = nil
    }
    return code.flatMap(\.bytes) + (try tree(verdicts))
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
            guard try resolve(call) != nil else { throw .unknownCall(call) }
            names.append(call)
        }
    }
    return names
}

/// The number of a call on this machine, nil when it has none.
private func resolve(_ name: String) throws(CompileError) -> Int32? {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    let number = unsafe seccomp_syscall_resolve_name(name)
    return number >= 0 ? number : nil
}

/// What libseccomp makes of calls that are judged by their number alone.
private func tree(_ verdicts: [String: FilterInstruction.Verdict]) throws(CompileError) -> [UInt8] {
    let unknown = FilterInstruction.Verdict.fail(Errno.notImplemented.number)
    // SAFETY: the context is used here only and released at the end.
    guard let context = unsafe seccomp_init(unknown.action) else { throw .system(.outOfMemory) }
    defer { unsafe seccomp_release(context) }
    try check(unsafe seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, FilterInstruction.Verdict.kill.action))
    // 2: a binary tree.
    try check(unsafe seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2))
    for (name, verdict) in verdicts.sorted(by: { $0.key < $1.key }) where verdict != unknown {
        guard let number = try resolve(name) else { continue }
        // SAFETY: without comparisons, no array is read.
        try check(unsafe seccomp_rule_add_array(context, verdict.action, number, 0, nil))
    }
    return try reading { file in
        // SAFETY: libseccomp writes the program to the descriptor, which is open.
        unsafe seccomp_export_bpf(context, file)
    }
}

/// What `body` writes to a file in memory.
private func reading(_ body: (Int32) -> Int32) throws(CompileError) -> [UInt8] {
    do throws(Errno) {
        let file = try memoryFile(named: "filter")
        let result = body(file.number)
        guard result == 0 else { throw Errno(-result) }
        try file.rewind()
        return try file.readAll(limit: 8 * Int(UInt16.max))
    } catch {
        throw .system(error)
    }
}

/// libseccomp returns errors as negative errno.
private func check(_ result: Int32) throws(CompileError) {
    if result < 0 { throw .system(Errno(-result)) }
}

extension FilterInstruction.Verdict {
    /// libseccomp's actions are the kernel's values.
    fileprivate var action: UInt32 { operand }
}

extension SandboxPlan {
    /// Whether there is a place to write to, other than devices.
    fileprivate var writesFiles: Bool { paths.contains { $0.access == .write && !$0.path.hasPrefix("/dev/") } }
}
