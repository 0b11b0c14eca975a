import Policy

/// Joins the tables of all files into one policy, in the order in which they need each other.
struct PolicyReader {
    private let surroundings: Surroundings
    private let report: Report
    private var gateway: Table.Entry?
    private var revoked: [Table] = []
    private var entries: [Kind: [Table.Entry]] = [:]
    private var names: [Kind: [String: Region]] = [:]
    private(set) var tests: [Node] = []

    /// Tables whose entries have names.
    private enum Kind: String, CaseIterable { case key, group, authority, command, sandbox }

    init(_ surroundings: Surroundings, _ report: Report) {
        self.surroundings = surroundings
        self.report = report
    }

    /// Takes what stands in one file.
    mutating func add(_ document: Table) {
        var reader = TableReader(document, "the policy", report)
        checkVersion(&reader, document)
        // Every file may revoke something: what one of them says is never lost.
        if let table = reader.table("revoked") { revoked.append(table) }
        if let entry = reader.entry("gateway") { addGateway(entry) }
        for kind in Kind.allCases { addNamed(kind, &reader) }
        if let node = reader.entry("test")?.node {
            if case .array(let nodes) = node.content {
                tests += nodes
            } else {
                report.error(node.region, "a test is written [[test]]")
            }
        }
        reader.finish()
    }

    private func checkVersion(_ reader: inout TableReader, _ document: Table) {
        guard let version = reader.integer("version", in: Int64.min...Int64.max) else {
            if !reader.has("version") {
                report.error(file: document.region.file.name, "there is no \"version\"", hint: "begin the file with version = 1")
            }
            return
        }
        if version.value != 1 {
            report.error(version.region, "version \(version.value) is not known here", hint: "this is Postern for version = 1")
        }
    }

    private mutating func addGateway(_ entry: Table.Entry) {
        if let other = gateway {
            report.error(entry.key.region, "there are two gateway tables", hint: "the other is at \(other.key.region.position)")
        } else {
            gateway = entry
        }
    }

    private mutating func addNamed(_ kind: Kind, _ reader: inout TableReader) {
        guard let table = reader.table(kind.rawValue) else { return }
        for entry in table.entries {
            if let other = names[kind]?[entry.key.value] {
                report.error(
                    entry.key.region, "\(kind.rawValue) \"\(entry.key.value)\" is there twice",
                    hint: "the other is at \(other.position)")
            } else {
                names[kind, default: [:]][entry.key.value] = entry.key.region
                entries[kind, default: []].append(entry)
            }
        }
    }

    /// The policy of everything added, without system-call filters; worth nothing if errors were reported.
    func policy() -> Policy {
        var policy = Policy()
        if let entry = gateway {
            if case .table(let table) = entry.node.content {
                policy.gateway = GatewayReader.read(table, report)
            } else {
                report.error(entry.node.region, "the gateway is \(entry.node.kind), not a table")
            }
        }
        let sandboxes = SandboxReader(entries[.sandbox] ?? [], surroundings, report)
        var reader = CommandReader(sandboxes, surroundings, report)
        var commands = CommandTable()
        for entry in entries[.command] ?? [] { commands.add(entry.key.value, reader.read(entry)) }
        var keys = KeyReader(commands, surroundings, report)
        for entry in entries[.key] ?? [] { keys.readKey(entry) }
        for entry in entries[.group] ?? [] { keys.readGroup(entry) }
        policy.commands = commands.commands
        policy.sandboxes = reader.plans
        policy.keys = keys.keys
        var authorities = AuthorityReader(commands, besides: keys.fingerprints, surroundings, report)
        for entry in entries[.authority] ?? [] { authorities.read(entry) }
        policy.authorities = authorities.authorities
        var revocations = RevocationReader(authorities.authorities, surroundings, report)
        for table in revoked { revocations.read(table) }
        policy.revoked = revocations.revocations
        findUnused(policy, sandboxes, reader)
        if !report.hasErrors { compileFilters(&policy.sandboxes) }
        return policy
    }

    /// Plans of one sandbox differ only in their program, so they share a filter.
    private func compileFilters(_ plans: inout [SandboxPlan]) {
        var filters: [String: CallFilter] = [:]
        for index in plans.indices {
            let name = plans[index].filterName
            if filters[name] == nil { filters[name] = filter(of: plans[index]) }
            plans[index].filter = filters[name] ?? CallFilter()
        }
    }

    private func filter(of plan: SandboxPlan) -> CallFilter? {
        do throws(Objection) {
            return try surroundings.compile(plan)
        } catch {
            let message = "sandbox \"\(plan.name)\" has no filter: \(error.reason)"
            if let entry = entries[.sandbox]?.first(where: { $0.key.value == plan.name }) {
                report.error(entry.key.region, message, hint: error.hint)
            } else {
                report.error(file: plan.name, message, hint: error.hint)
            }
            return nil
        }
    }

    private func findUnused(_ policy: Policy, _ sandboxes: SandboxReader, _ reader: CommandReader) {
        guard !report.hasErrors else { return }
        var used: Set<Int> = []
        for key in policy.keys { used.formUnion(key.may) }
        for authority in policy.authorities { for principal in authority.principals { used.formUnion(principal.may) } }
        let usedNames = Set(used.map { policy.commands[$0].name })
        for entry in entries[.command] ?? [] where !usedNames.contains(entry.key.value) {
            report.warning(
                .unusedCommand, entry.key.region, allowed: allowed(entry), "no key may run command \"\(entry.key.value)\"",
                hint: "name it in a key's \"may\"")
        }
        for entry in entries[.sandbox] ?? [] {
            let name = entry.key.value
            guard !reader.usedSandboxes.contains(name), !sandboxes.bases.contains(name) else { continue }
            report.warning(.unusedSandbox, entry.key.region, allowed: allowed(entry), "no command is in sandbox \"\(name)\"")
        }
    }

    private func allowed(_ entry: Table.Entry) -> Set<String> {
        guard case .table(let table) = entry.node.content else { return [] }
        var reader = TableReader(table, entry.key.value, Report())
        reader.readAllowedWarnings()
        return reader.allowedWarnings
    }
}

extension SandboxPlan {
    /// What the filter depends on.
    fileprivate var filterName: String {
        let writes = paths.contains { $0.access == .write && !$0.path.hasPrefix("/dev/") }
        return "\(name) \(writes) \(allowedCalls)"
    }
}
