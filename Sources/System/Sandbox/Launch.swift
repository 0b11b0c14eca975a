internal import CLinux
public import Linux
internal import Policy

/// What the child does between clone and exec, in this order (DESIGN §6), and `plan` before it.
public enum LaunchStep: UInt32, Sendable, CaseIterable, CustomStringConvertible {
    case plan = 0
    case clone, namespaces, signals, session, descriptors, root, limits, bounding, groups, uid, capabilities, parentDeath, directory, paths
    case noNewPrivileges, landlock, seccomp, exec
    /// Before all others.
    case controlGroup

    /// Its name as users see it.
    public var description: String {
        switch self {
        case .plan: "plan"
        case .clone: "clone"
        case .namespaces: "namespaces"
        case .signals: "signals"
        case .session: "session"
        case .descriptors: "descriptors"
        case .root: "root"
        case .limits: "limits"
        case .bounding: "bounding set"
        case .groups: "groups"
        case .uid: "uid"
        case .capabilities: "capabilities"
        case .parentDeath: "parent death signal"
        case .directory: "directory"
        case .paths: "paths"
        case .noNewPrivileges: "no new privileges"
        case .landlock: "landlock"
        case .seccomp: "seccomp"
        case .exec: "exec"
        case .controlGroup: "cgroup"
        }
    }
}

/// The step that failed; nothing was executed and no process is left.
public struct LaunchError: Error, Equatable, Sendable, CustomStringConvertible {
    public let step: LaunchStep
    public let errno: Errno
    /// What it failed on, as a path; may be empty.
    public let detail: String

    public var description: String { detail.isEmpty ? "\(step): \(errno)" : "\(step): \(errno): \"\(detail)\"" }
}

/// Starts the program of a plan, confined as the plan says from its first instruction. The kernel answers its denied calls.
public func launch(_ plan: ProcessPlan) throws(LaunchError) -> ChildProcess { try launchReporting(plan).process }

/// As ``launch(_:)``; its denied calls wait for `denials` to answer them.
public func launchReporting(_ plan: ProcessPlan) throws(LaunchError) -> (process: ChildProcess, denials: DenialLog) {
    precondition(3...Int(POSTERN_MAX_DESCRIPTORS) ~= plan.descriptors.count, "a process needs 3 to 64 descriptors")
    precondition(plan.filter.count % 8 == 0 && plan.filter.count / 8 <= Int(UInt16.max), "a filter is at most 65535 records of 8 bytes")
    let group = if let wanted = plan.group { try wanted.parent.makeGroup(memory: wanted.memory, processes: wanted.processes) } else { nil as ControlGroup? }
    let memory = LaunchMemory()
    // SAFETY: all that the plan points to belongs to `memory`, which outlives the launch.
    var flat = unsafe try memory.flatten(plan)
    if let group { unsafe flat.settings.group = group.directory.number }
    var result = postern_launch_result()
    // SAFETY: the call reads the plan and fills the result; both stay in place.
    let failed = unsafe postern_launch(&flat, &result)
    withExtendedLifetime((memory, plan, group)) {}
    guard failed == 0 else {
        let step = LaunchStep(rawValue: result.step) ?? .clone
        throw LaunchError(step: step, errno: Errno(result.error), detail: plan.detail(of: step, index: Int(result.index)))
    }
    let process = ChildProcess(
        pid: result.pid, pidfd: Descriptor(owning: result.pidfd), report: result.report < 0 ? nil : Descriptor(owning: result.report), group: group)
    let listener = result.listener < 0 ? nil : Descriptor(owning: result.listener)
    return (process, DenialLog(listener: listener, table: plan.denials ?? DenialTable([])))
}

extension ProcessPlan {
    /// What a step was at, from the index it left.
    fileprivate func detail(of step: LaunchStep, index: Int) -> String {
        switch step {
        case .exec:
            if case .path(let path) = program { return path }
            return arguments.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        case .directory: return directory ?? ""
        case .paths: return paths.indices.contains(index) ? paths[index].whole : ""
        case .limits: return limits.indices.contains(index) ? "\(limits[index].resource)" : ""
        case .descriptors: return "\(index)"
        case .landlock:
            guard let landlock else { return "" }
            if landlock.paths.indices.contains(index) { return landlock.paths[index].path }
            let port = index - landlock.paths.count
            if let ports = landlock.ports, ports.indices.contains(port) { return "port \(ports[port])" }
            return ""
        default: return ""
        }
    }
}
