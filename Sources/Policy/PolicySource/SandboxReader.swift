import Policy

/// Reads `[sandbox.*]` (DESIGN §3.4): each builds on another, down to a predefined one.
struct SandboxReader {
    private let surroundings: Surroundings
    private let report: Report
    private var declared: [String: Table.Entry] = [:]
    private var resolved: [String: Resolved] = [:]
    /// Names being resolved, outermost first, to find circles.
    private var underWay: [String] = []
    /// Sandboxes that another builds on.
    private(set) var bases: Set<String> = []

    /// A plan, and what its table silences.
    struct Resolved {
        var plan: SandboxPlan
        var region: Region?
        var allowedWarnings: Set<String> = []
    }

    init(_ entries: [Table.Entry], _ surroundings: Surroundings, _ report: Report) {
        self.surroundings = surroundings
        self.report = report
        for plan in surroundings.predefined { resolved[plan.name] = Resolved(plan: plan) }
        for entry in entries where Name.check(entry.key, "sandbox", report) {
            if resolved[entry.key.value] != nil {
                report.error(
                    entry.key.region, "sandbox \"\(entry.key.value)\" is predefined",
                    hint: "choose another name and say base = \"\(entry.key.value)\"")
            } else {
                declared[entry.key.value] = entry
            }
        }
        for entry in entries where declared[entry.key.value] != nil { _ = resolve(entry.key.value) }
    }

    /// The sandbox called `name`; nil, and reported, where there is none.
    func named(_ name: Located<String>) -> Resolved? {
        if resolved[name.value] == nil { reportUnknown(name) }
        return resolved[name.value]
    }

    /// The sandbox of commands that name none.
    var standard: Resolved { resolved[Self.defaultName] ?? Resolved(plan: SandboxPlan(name: Self.defaultName)) }

    /// The sandbox of a command that names none: for git one of its own.
    func standard(for git: GitService?) -> Resolved {
        guard let git else { return standard }
        return resolved[git.access == .write ? "git-write" : "git-read"] ?? standard
    }

    /// The declared sandboxes, in no order.
    var own: [(name: String, sandbox: Resolved)] { resolved.filter { declared[$0.key] != nil }.map { ($0.key, $0.value) } }

    private func reportUnknown(_ name: Located<String>) {
        let known = Set(declared.keys).union(surroundings.predefined.map(\.name))
        report.error(
            name.region, "there is no sandbox \"\(name.value)\"",
            hint: Suggestion.hint(for: name.value, among: known) ?? "there are \(known.sorted().joined(separator: ", "))")
    }

    private mutating func resolve(_ name: String) -> Resolved? {
        if let done = resolved[name] { return done }
        guard let entry = declared[name] else { return nil }
        guard case .table(let table) = entry.node.content else {
            report.error(entry.node.region, "sandbox \"\(name)\" is \(entry.node.kind), not a table")
            return nil
        }
        underWay.append(name)
        defer { underWay.removeLast() }
        let resolution = plan(name, TableReader(table, "sandbox \"\(name)\"", report))
        resolved[name] = resolution
        return resolution
    }

    /// A faulty base counts as an empty one, so that each fault is told once.
    private mutating func plan(_ name: String, _ table: TableReader) -> Resolved {
        var table = table
        table.readAllowedWarnings()
        var plan = base(&table)?.plan ?? SandboxPlan(name: name)
        plan.name = name
        for access in [("read", PathRule.Access.read), ("write", .write), ("execute", .execute)] {
            plan.paths += paths(&table, access.0, access.1)
        }
        readNetwork(&table, &plan)
        readCalls(&table, &plan)
        readLimits(&table, &plan.limits)
        table.finish()
        return Resolved(plan: plan, region: table.table.region, allowedWarnings: table.allowedWarnings)
    }

    private mutating func base(_ table: inout TableReader) -> Resolved? {
        guard table.has("base") else { return resolved[Self.defaultName] }
        guard let name = table.word("base") else { return nil }
        if underWay.contains(name.value) {
            let circle = (underWay.drop { $0 != name.value } + [name.value]).joined(separator: " → ")
            report.error(name.region, "sandboxes build on each other in a circle: \(circle)")
            return nil
        }
        bases.insert(name.value)
        if declared[name.value] == nil, resolved[name.value] == nil { reportUnknown(name) }
        return resolve(name.value)
    }

    private func paths(_ table: inout TableReader, _ key: String, _ access: PathRule.Access) -> [PathRule] {
        var rules: [PathRule] = []
        for path in table.strings(key) ?? [] {
            guard let path = AbsolutePath.check(path, report) else { continue }
            if !surroundings.exists(path.value) {
                report.warning(
                    .missingPath, path.region, allowed: table.allowedWarnings,
                    "path \"\(path.value)\" is not there: its command cannot start")
            }
            rules.append(PathRule(path: path.value, access: access, isRequired: true))
        }
        return rules
    }

    private func readNetwork(_ table: inout TableReader, _ plan: inout SandboxPlan) {
        guard let node = table.entry("network")?.node else { return warnOfBase(table, plan) }
        if case .array = node.content {
            plan.network = ports(table.strings("network") ?? [], node.region)
            return
        }
        guard let network = table.choice("network", of: ["none", "unix", "any"]) else { return }
        plan.network = network.value == "none" ? .none : network.value == "unix" ? .unix : .any
        if plan.network != .none {
            report.warning(
                .wideNetwork, network.region, allowed: table.allowedWarnings,
                plan.network == .unix
                    ? "unix sockets reach D-Bus and container daemons" : "the whole network is open to the command")
        }
    }

    /// What a predefined base opens, unless the sandbox says otherwise; a declared one was warned of itself.
    private func warnOfBase(_ table: TableReader, _ plan: SandboxPlan) {
        var table = table
        guard let base = table.string("base"), declared[base.value] == nil else { return }
        Self.warnOfNetwork(plan.network, of: base, allowed: table.allowedWarnings, report)
    }

    /// Warns where a sandbox that is named opens much of the network.
    static func warnOfNetwork(_ network: Network, of name: Located<String>, allowed: Set<String>, _ report: Report) {
        guard network == .any || network == .unix else { return }
        report.warning(
            .wideNetwork, name.region, allowed: allowed, "sandbox \"\(name.value)\" opens the whole network to the command",
            hint: "give it a sandbox of its own with the ports that it needs, as network = [\"tcp:443\", \"dns\"]")
    }

    /// Whether a sandbox is one that every policy has.
    func isPredefined(_ name: String) -> Bool { declared[name] == nil && resolved[name] != nil }

    /// `["tcp:443", "dns"]`
    private func ports(_ texts: [Located<String>], _ region: Region) -> Network {
        var ports: [UInt16] = []
        var dns = false
        if texts.isEmpty { report.error(region, "\"network\" is an empty list", hint: "for no network, say \"none\"") }
        for text in texts {
            if text.value == "dns" {
                dns = true
            } else if text.value.hasPrefix("tcp:"), let port = UInt16(text.value.dropFirst(4)), port > 0 {
                if !ports.contains(port) { ports.append(port) }
            } else {
                report.error(
                    text.region, "\"\(text.value)\" is no part of a network",
                    hint: "\"tcp:443\" for a port that may be connected to, or \"dns\"")
            }
        }
        return .tcp(ports: ports, dns: dns)
    }

    private func readCalls(_ table: inout TableReader, _ plan: inout SandboxPlan) {
        guard let calls = table.table("syscalls") else { return }
        var reader = TableReader(calls, "\"syscalls\"", report)
        plan.allowedCalls += names(reader.strings("allow") ?? [], \.allowedCalls)
        plan.deniedCalls += names(reader.strings("deny") ?? [], \.deniedCalls)
        reader.finish()
    }

    /// Names of calls and groups; each is tried alone, in the default sandbox, so that a fault is told where it stands.
    private func names(_ texts: [Located<String>], _ list: WritableKeyPath<SandboxPlan, [String]>) -> [String] {
        for text in texts {
            var alone = surroundings.predefined.first { $0.name == Self.defaultName } ?? SandboxPlan(name: Self.defaultName)
            alone[keyPath: list].append(text.value)
            do throws(Objection) {
                _ = try surroundings.compile(alone)
            } catch {
                report.error(text.region, error.reason, hint: error.hint)
            }
        }
        return texts.map(\.value)
    }

    private func readLimits(_ table: inout TableReader, _ limits: inout ResourceLimits) {
        if let count = table.integer("processes", in: 1...1_000_000) { limits.processes = UInt64(count.value) }
        if let size = table.bytes("memory", in: 1 << 20...Self.largest) { limits.memory = size.value }
        if let time = table.duration("cpu", in: .seconds(1)...Self.longest) { limits.cpu = time.value }
        if let count = table.integer("open_files", in: 8...1_048_576) { limits.openFiles = UInt64(count.value) }
        if let size = table.bytes("file_size", in: 0...Self.largest) { limits.fileSize = size.value }
    }

    /// What a command without `sandbox`, and a sandbox without `base`, gets.
    static let defaultName = "tool"
    private static let largest = UInt64(Int64.max)
    private static let longest: Duration = .seconds(366 * 86_400)
}
