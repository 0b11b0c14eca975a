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
    /// Without it no command starts.
    case neededCall(String)

    public var description: String {
        switch self {
        case .unknownCall(let name): "system call \"\(name)\" is not known"
        case .unknownGroup(let name): "system call group \"\(name)\" is not known"
        case .dangerousCall(let name): "system call \"\(name)\" is never allowed in a sandbox"
        case .neededCall(let name): "system call \"\(name)\" cannot be denied: a command is started by it"
        }
    }
}

/// Compiles a sandbox's system calls, for ``SandboxPlan/filter``.
///
/// Calls of foreign architectures kill. What is denied on purpose is handed over to be answered: dangerous calls and what the policy
/// denies are "not permitted", what other groups would allow is "not implemented", so that programs fall back to other calls; so it is,
/// without any record, with what is in no group. libseccomp knows the numbers; the program is our own, because libseccomp's compares
/// 64 bits of an argument where the kernel looks at 32, cannot exclude values, and takes three times as long to load.
public func compile(
    _ plan: SandboxPlan, support: LandlockSupport = .running, on architecture: Architecture = .running
) throws(CompileError) -> CallFilter {
    let answers = try answers(for: plan, support)
    let rules = ArgumentRule.all(for: plan.network)
    var leaves: [UInt32: FilterTree.Leaf] = [:]
    var denials: [DeniedCall] = []
    for (name, answer) in answers.sorted(by: { $0.key < $1.key }) {
        guard let number = SystemCalls.number(of: name, on: architecture), let short = UInt16(exactly: number) else { continue }
        switch answer {
        case .allow:
            guard let rule = rules.first(where: { $0.name == name }) else {
                leaves[number] = .verdict(.allow)
                continue
            }
            leaves[number] = .arguments(rule)
            denials.append(DeniedCall(number: short, name: name, answer: .error(UInt8(rule.denial.number)), argument: rule.shown))
        case .deny(let answer):
            leaves[number] = .verdict(.notify)
            denials.append(DeniedCall(number: short, name: name, answer: answer, argument: name == "socket" ? 0 : nil))
        }
    }
    let unknown = FilterTree.Leaf.verdict(.fail(Errno.notImplemented.number))
    return CallFilter(
        program: FilterTree(leaves, otherwise: unknown).instructions(on: architecture).flatMap(\.bytes), denials: DenialTable(denials),
        landlockABI: UInt8(min(support.abi, landlockWithTruncate)))
}

private enum CallAnswer {
    /// As far as its argument rule does.
    case allow
    case deny(DeniedCall.Answer)
}

/// By name: those without an entry are answered with ENOSYS.
private func answers(for plan: SandboxPlan, _ support: LandlockSupport) throws(CompileError) -> [String: CallAnswer] {
    let allowed = try names(plan.allowedCalls)
    for name in plan.allowedCalls where SystemCalls.dangerous.contains(name) { throw .dangerousCall(name) }
    var denied = SystemCalls.dangerous.union(try names(plan.deniedCalls))
    if !plan.writesFiles { denied.formUnion(SystemCalls.changesOfAttributes) }
    // Landlock before ABI 3 does not see truncate(2).
    if support.abi < landlockWithTruncate { denied.insert("truncate") }
    for name in SystemCalls.needed where denied.contains(name) || !allowed.contains(name) { throw .neededCall(name) }
    var answers: [String: CallAnswer] = [:]
    for name in SystemCalls.groupNames.flatMap({ SystemCalls.group($0) ?? [] }) { answers[name] = .deny(.error(UInt8(Errno.notImplemented.number))) }
    // Making sockets is refused with a word that programs understand, not unknown.
    answers["socket"] = .deny(.error(UInt8(Errno.accessDenied.number)))
    for name in allowed + ArgumentRule.calls(for: plan.network) { answers[name] = .allow }
    for name in denied {
        answers[name] = .deny(SystemCalls.deadly.contains(name) ? .end : .error(UInt8(Errno.notPermitted.number)))
    }
    return answers
}

/// The ABI from which on truncate(2) is a right on files.
private let landlockWithTruncate = 3

/// Groups taken apart.
private func names(_ calls: [String]) throws(CompileError) -> [String] {
    var names: [String] = []
    for call in calls {
        if call.hasPrefix("@") {
            guard let group = SystemCalls.group(call) else { throw .unknownGroup(call) }
            names += group
        } else {
            guard SystemCalls.isKnown(call) else { throw .unknownCall(call) }
            names.append(call)
        }
    }
    return names
}

extension SystemCalls {
    /// The number of a call on a machine of that kind, nil when it has none.
    static func number(of name: String, on architecture: Architecture) -> UInt32? {
        // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
        UInt32(exactly: unsafe seccomp_syscall_resolve_name_arch(architecture.rawValue, name))
    }

    /// Whether any machine has it: a policy may name what only some have.
    fileprivate static func isKnown(_ name: String) -> Bool {
        // SAFETY: as above; names of other machines have negative numbers below -1 (seccomp_syscall_resolve_name(3)).
        unsafe seccomp_syscall_resolve_name(name) != -1
    }
}

extension SandboxPlan {
    /// Whether there is a place to write to, other than devices.
    fileprivate var writesFiles: Bool { paths.contains { $0.access == .write && !$0.path.hasPrefix("/dev/") } }
}
