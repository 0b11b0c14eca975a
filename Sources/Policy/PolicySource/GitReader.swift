import Policy

/// Reads `git` of a command: which repositories, and what pushes may do (DESIGN §3.2).
struct GitReader {
    private let surroundings: Surroundings
    private let report: Report
    private let allowed: Set<String>

    init(_ surroundings: Surroundings, _ report: Report, allowed: Set<String>) {
        self.surroundings = surroundings
        self.report = report
        self.allowed = allowed
    }

    /// The service, or nil if something is wrong, which is reported.
    func read(_ table: Table) -> GitService? {
        let errors = report.errorCount
        var reader = TableReader(table, "\"git\"", report)
        let root = reader.word("root")
        if root == nil, !reader.has("root") { reader.missing("root", hint: "the directory with the repositories, as root = \"/srv/git\"") }
        let path = root.flatMap { AbsolutePath.check($0, report) }
        if let path { check(path) }
        let patterns = repositories(&reader)
        let access = reader.choice("access", of: ["read", "write"])?.value ?? "read"
        if !reader.has("access") { reader.missing("access", hint: "access = \"read\" for fetches, \"write\" for pushes too") }
        var service = GitService(root: path?.value ?? "/", repositories: patterns, access: access == "write" ? .write : .read)
        readPushes(&reader, &service)
        reader.finish()
        return report.errorCount == errors ? service : nil
    }

    private func check(_ root: Located<String>) {
        if root.value == "/" {
            report.error(root.region, "the root of the repositories cannot be \"/\"", hint: "give them a directory of their own")
        } else if !surroundings.exists(root.value) {
            report.warning(.missingPath, root.region, allowed: allowed, "path \"\(root.value)\" is not there: its command cannot start", hint: "make it, as \"install -d \(root.value)\", owned by the user of the command")
        }
    }

    private func repositories(_ reader: inout TableReader) -> [RepositoryPattern] {
        guard let texts = reader.strings("repositories") else {
            if !reader.has("repositories") {
                reader.missing("repositories", hint: "which ones, as repositories = [\"team/**\"]; all of them are [\"**\"]")
            }
            return []
        }
        if texts.isEmpty, let node = reader.entry("repositories")?.node {
            report.error(node.region, "\"repositories\" is empty", hint: "all repositories are [\"**\"]")
        }
        return texts.compactMap { text in
            if let pattern = RepositoryPattern(text.value) { return pattern }
            report.error(
                text.region, "\"\(text.value)\" cannot match a repository",
                hint: "a path beneath the root, as \"team/app\", \"team/*\", or \"team/**\" for all below")
            return nil
        }
    }

    /// What only matters where pushes are allowed.
    private func readPushes(_ reader: inout TableReader, _ service: inout GitService) {
        let keys = ["create", "refs", "hooks", "max_pack"]
        if let create = reader.boolean("create") { service.creates = create.value }
        if let hooks = reader.word("hooks"), let path = AbsolutePath.check(hooks, report) {
            service.hooks = path.value
            checkHooks(path)
        }
        if let size = reader.bytes("max_pack", in: 1...(1 << 50)) { service.maxPack = size.value }
        if let node = reader.entry("refs")?.node { service.refs = rules(node) }
        guard service.access == .read else { return }
        for key in keys {
            guard let entry = reader.entry(key) else { continue }
            report.error(entry.key.region, "\"\(key)\" is about pushes, and the access is \"read\"", hint: "say access = \"write\", or leave it out")
        }
    }

    /// Hooks run with each push: who can write them can do all that a push can.
    private func checkHooks(_ path: Located<String>) {
        do throws(Objection) {
            if try surroundings.entries(path.value, surroundings.owners) == nil {
                report.error(path.region, "\"\(path.value)\" is no directory", hint: "\"hooks\" is the directory that core.hooksPath would be")
            }
        } catch {
            report.error(path.region, "hooks \"\(path.value)\": \(error.reason)", hint: error.hint)
        }
    }

    private func rules(_ node: Node) -> [RefRule] {
        guard case .array(let nodes) = node.content else {
            report.error(node.region, "\"refs\" is \(node.kind), not a list of tables", hint: Self.example)
            return []
        }
        if nodes.count > RefRule.countLimit { report.error(node.region, "\"refs\" has more than \(RefRule.countLimit) rules") }
        return nodes.compactMap(rule)
    }

    private func rule(_ node: Node) -> RefRule? {
        guard case .table(let table) = node.content else {
            report.error(node.region, "\"refs\" holds \(node.kind), not only tables", hint: Self.example)
            return nil
        }
        var reader = TableReader(table, "a rule for refs", report)
        var answers: [RefRule.Act: Bool] = [:]
        for act in RefRule.Act.allCases { answers[act] = reader.boolean(act.rawValue)?.value }
        let match = reader.word("match")
        if match == nil, !reader.has("match") { reader.missing("match", hint: "as match = \"refs/heads/main\"; all refs are \"**\"") }
        reader.finish()
        guard let match else { return nil }
        guard RefRule.isPattern(match.value) else {
            report.error(
                match.region, "\"\(match.value)\" cannot match a ref", hint: "the whole name, as \"refs/heads/main\" or \"refs/tags/*\"; all refs are \"**\"")
            return nil
        }
        if answers.isEmpty {
            report.error(node.region, "the rule for \"\(match.value)\" says nothing", hint: "say push, create, change, delete or force = false")
        }
        return RefRule(match: match.value, answers: answers)
    }

    private static let example = "as refs = [{ match = \"refs/heads/main\", force = false }]"
}

extension SandboxPlan {
    /// Adds what every command for git needs: its repositories, its hooks, and the calls by which one repository is opened and all else given up.
    mutating func open(_ service: GitService) {
        paths.append(PathRule(path: service.root, access: service.access == .write ? .write : .read, isRequired: true))
        if let hooks = service.hooks { paths.append(PathRule(path: hooks, access: .execute, isRequired: true)) }
        allowedCalls += ["openat2", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"]
    }
}
