import Policy

/// What two versions of a sandbox differ in.
struct SandboxVariations {
    /// The names of the system calls in a group `@name`; nil for what is no group.
    let group: (String) -> [String]?
    /// Where a path leads, symbolic links followed; the path itself where nobody knows.
    let destination: (String) -> String

    func between(_ old: SandboxPlan, _ new: SandboxPlan) -> [Variation] {
        var found: [Variation] = []
        comparePaths(old.paths, new.paths, &found)
        found.compare("sandbox network", old.network, new.network, .between(old.network, new.network) { $0.includes($1) }) {
            RuleText.of($0)
        }
        compareCalls(old, new, &found)
        compareLimits(old.limits, new.limits, &found)
        // The same rules make the same filter, unless another release of this program compiled one of them.
        if old.filter != new.filter, old.network == new.network, old.paths == new.paths, calls(old) == calls(new) {
            found.append(Variation(what: "sandbox filter", shift: .other, old: "of another release", new: "of this release"))
        }
        if hasMore(old, new) { found.append(.unknown) }
        return found
    }

    /// Whether they differ in more than what is compared here.
    private func hasMore(_ old: SandboxPlan, _ new: SandboxPlan) -> Bool {
        var rest = new
        rest.name = old.name
        rest.paths = old.paths
        rest.network = old.network
        rest.filter = old.filter
        rest.allowedCalls = old.allowedCalls
        rest.deniedCalls = old.deniedCalls
        rest.limits.processes = old.limits.processes
        rest.limits.memory = old.limits.memory
        rest.limits.cpu = old.limits.cpu
        rest.limits.openFiles = old.limits.openFiles
        rest.limits.fileSize = old.limits.fileSize
        return rest != old
    }

    private func comparePaths(_ old: [PathRule], _ new: [PathRule], _ found: inout [Variation]) {
        for rule in uncovered(old, by: new) {
            found.append(Variation(what: "sandbox \(rule.access)", shift: .narrower, old: rule.path))
        }
        for rule in uncovered(new, by: old) {
            found.append(Variation(what: "sandbox \(rule.access)", shift: .wider, new: rule.path))
        }
    }

    /// Those of `rules` that none of the others includes, each once.
    private func uncovered(_ rules: [PathRule], by others: [PathRule]) -> [PathRule] {
        var seen: Set<PathRule> = []
        let others = others.map(resolved)
        return rules.filter { rule in
            let end = resolved(rule)
            return !others.contains { $0.includes(end) } && seen.insert(rule).inserted
        }
    }

    private func resolved(_ rule: PathRule) -> PathRule {
        PathRule(path: destination(rule.path), access: rule.access, isRequired: rule.isRequired)
    }

    private func compareCalls(_ old: SandboxPlan, _ new: SandboxPlan, _ found: inout [Variation]) {
        let (before, after) = (calls(old), calls(new))
        for name in named(before.subtracting(after), by: Self.added(old.allowedCalls, new.allowedCalls) + new.deniedCalls) {
            found.append(Variation(what: "sandbox system call", shift: .narrower, old: name))
        }
        for name in named(after.subtracting(before), by: Self.added(new.allowedCalls, old.allowedCalls) + old.deniedCalls) {
            found.append(Variation(what: "sandbox system call", shift: .wider, new: name))
        }
    }

    /// What is allowed in the end.
    private func calls(_ plan: SandboxPlan) -> Set<String> {
        Set(plan.allowedCalls.flatMap(expanded)).subtracting(plan.deniedCalls.flatMap(expanded))
    }

    private func expanded(_ name: String) -> [String] { group(name) ?? [name] }

    /// Elements of `names` that are not among `others`.
    private static func added(_ names: [String], _ others: [String]) -> [String] { names.filter { !others.contains($0) } }

    /// Calls in few words: a group of `words` stands for all of it that is among them.
    private func named(_ calls: Set<String>, by words: [String]) -> [String] {
        var rest = calls
        var names: [String] = []
        for word in words {
            guard let members = group(word), !rest.isDisjoint(with: members) else { continue }
            rest.subtract(members)
            names.append(word)
        }
        return names + rest.sorted()
    }

    private func compareLimits(_ old: ResourceLimits, _ new: ResourceLimits, _ found: inout [Variation]) {
        let count = { (value: UInt64?) in value.map { "\($0)" } ?? "no limit" }
        let bytes = { (value: UInt64?) in value.map { Quantity.text(bytes: $0) } ?? "no limit" }
        found.compare("sandbox processes", old.processes, new.processes, .ofLimit(old.processes, new.processes), count)
        found.compare("sandbox memory", old.memory, new.memory, .ofLimit(old.memory, new.memory), bytes)
        found.compare("sandbox cpu", old.cpu, new.cpu, .ofLimit(old.cpu, new.cpu)) { $0.map(Quantity.text) ?? "no limit" }
        found.compare("sandbox open_files", old.openFiles, new.openFiles, .ofLimit(old.openFiles, new.openFiles), count)
        found.compare("sandbox file_size", old.fileSize, new.fileSize, .ofLimit(old.fileSize, new.fileSize), bytes)
    }
}
