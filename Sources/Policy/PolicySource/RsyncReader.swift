import Policy

/// Reads `rsync` of a command (DESIGN §3.2): a directory, and what clients of rsync may do there.
struct RsyncReader {
    let report: Report
    let place: KeyDirectory

    /// - Returns: nil where it is not sound. The sandboxes are not known here.
    func read(_ table: Table) -> RsyncRules? {
        var fields = TableReader(table, "\"rsync\"", report)
        guard let root = fields.word("root"), let path = AbsolutePath.check(root, report) else {
            if !fields.has("root") { fields.missing("root", hint: "the directory, as root = \"/srv/in/<key>\"") }
            return nil
        }
        var rules = RsyncRules(root: path.value, readingSandbox: 0)
        if path.value == "/" {
            report.error(root.region, "the root of all files is no place for rsync", hint: "give it a directory of its own")
        } else {
            place.check(path, report)
        }
        if let words = fields.strings("access") { rules.access = access(words, fields.entry("access")?.node.region ?? table.region) }
        fields.finish()
        return rules
    }

    private func access(_ words: [Located<String>], _ region: Region) -> [RsyncRules.Access] {
        let access: [RsyncRules.Access] = report.access(words, region, of: "rsync", hint: Self.hint)
        guard !words.isEmpty else { return access }
        if access.count == words.count, !access.contains(.upload), !access.contains(.download) {
            report.error(region, "\"access\" lets nobody in", hint: "add \"upload\" or \"download\"")
        } else if access.contains(.overwrite), !access.contains(.upload) {
            report.error(region, "\"overwrite\" is about uploads", hint: "add \"upload\", or leave it out")
        }
        return access
    }

    /// Of what a drop account has and rsync has not.
    private static func hint(_ word: String) -> String? {
        switch word {
        case "list": "who may \"download\" sees the names: leave it out"
        case "make_directory": "rsync makes the directories that it sends: leave it out"
        case "rename": "rsync renames nothing: leave it out"
        default: nil
        }
    }
}

extension CommandReader {
    /// A command that has `rsync`: the program is rsync's own server.
    mutating func readRsync(_ reader: inout TableReader, _ name: Located<String>, _ account: Account, _ login: String?) -> Command? {
        for key in ["usage", "subsystem", "run", "args", "stdin", "directory", "env", "accept_env", "git", "drop", "sandbox"] {
            guard let entry = reader.entry(key) else { continue }
            let hint = key == "sandbox" ? "it has one of its own, which is its directory" : "write a second command for it"
            report.error(entry.key.region, "a command for rsync has no \"\(key)\"", hint: hint)
        }
        let place = KeyDirectory(surroundings: surroundings, allowed: reader.allowedWarnings, user: account.name)
        guard let table = reader.table("rsync"), var rules = RsyncReader(report: report, place: place).read(table) else { return nil }
        rules.readingSandbox = rsyncSandbox(.read)
        var command = Command(
            name: name.value, account: account, login: login ?? account.name, usage: nil, run: [RunWord([.literal(RsyncRules.program)])],
            sandbox: rsyncSandbox(.write), position: name.region.position)
        command.rsync = rules
        return command
    }

    /// Libraries, rsync, and the directory that it is started in, whichever that is.
    private mutating func rsyncSandbox(_ access: PathRule.Access) -> Int {
        let name = access == .write ? "rsync-write" : "rsync-read"
        if let known = plans.firstIndex(where: { $0.name == name }) { return known }
        var plan = surroundings.predefined.first { $0.name == "drop" } ?? SandboxPlan(name: name)
        plan.name = name
        // What is no program's business is not there either: a link could lead to it.
        plan.paths.removeAll { ["/usr/share", "/usr/libexec", "/etc/gitconfig"].contains($0.path) }
        plan.paths += [
            PathRule(path: RsyncRules.program, access: .execute, isRequired: false), PathRule(path: ".", access: access, isRequired: true),
        ]
        // It works as three processes, which signal each other.
        plan.allowedCalls += ["@process", "openat2"]
        plan.deniedCalls += ["mknod", "mknodat"]
        plan.limits.openFiles = 256
        plan.limits.memory = 1 << 30
        plans.append(plan)
        return plans.count - 1
    }
}
