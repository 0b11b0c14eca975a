import Policy

/// Reads what makes a command a drop account: `drop`, `verify` and `on_complete` (DESIGN §3.2, §4.2).
struct DropReader {
    let report: Report
    let place: KeyDirectory

    /// - Returns: nil where there is no `drop`, or not a sound one.
    func read(_ reader: inout TableReader) -> DropRules? {
        guard let table = reader.table("drop") else { return nil }
        var fields = TableReader(table, "\"drop\"", report)
        guard let root = fields.word("root"), let path = AbsolutePath.check(root, report) else {
            if !fields.has("root") { fields.missing("root", hint: "the directory, as root = \"/srv/drop/<key>\"") }
            return nil
        }
        var rules = DropRules(root: path.value)
        if path.value == "/" { report.error(root.region, "the root of all files is no drop account's") } else { place.check(path, report) }
        if let words = fields.strings("access") { rules.access = report.access(words, table.region) }
        rules.maxFile = fields.bytes("max_file", in: 1...Self.largest)?.value
        rules.quota = fields.bytes("quota", in: 1...Self.largest)?.value
        rules.maxFiles = fields.integer("max_files", in: 1...1_000_000_000).map { UInt64($0.value) }
        rules.names = (fields.strings("names") ?? []).compactMap(pattern)
        fields.finish()
        if let quota = rules.quota, let most = rules.maxFile, most > quota, let entry = fields.entry("max_file") {
            report.error(entry.node.region, "a file may be larger than the quota", hint: "make \"max_file\" at most \"quota\"")
        }
        return rules
    }

    private func pattern(_ text: Located<String>) -> String? {
        let isName = !text.value.isEmpty && text.value.utf8.count <= 255 && !text.value.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
        if !isName { report.error(text.region, "\"\(text.value)\" is no pattern of file names", hint: "as \"*.csv\"") }
        return isName ? text.value : nil
    }

    /// The argv of `verify` or `on_complete`.
    func hook(_ key: String, _ reader: inout TableReader) -> [Located<String>]? {
        guard let words = reader.strings(key) else { return nil }
        guard let program = words.first else {
            if let node = reader.entry(key)?.node { report.error(node.region, "\"\(key)\" is empty", hint: "it begins with a program") }
            return nil
        }
        guard let path = AbsolutePath.check(program, report) else { return nil }
        if path.value.contains("<path>") { report.error(program.region, "the program cannot be the file that was sent") }
        if !words.dropFirst().contains(where: { $0.value.contains("<path>") }) {
            report.error(program.region, "\"\(key)\" does not say which file", hint: "add \"<path>\" to its words")
        }
        return [path] + words.dropFirst()
    }

    private static let largest = UInt64(Int64.max)
}

extension CommandReader {
    /// A command that has `drop`: no program of the administrator's answers the client.
    mutating func readDrop(_ reader: inout TableReader, _ name: Located<String>, _ account: Account, _ login: String?) -> (Command, [Located<String>])? {
        let drop = DropReader(report: report, place: KeyDirectory(surroundings: surroundings, allowed: reader.allowedWarnings, user: account.name))
        for key in ["usage", "subsystem", "run", "args", "stdin", "directory", "env", "accept_env"] {
            guard let entry = reader.entry(key) else { continue }
            report.error(entry.key.region, "a drop account has no \"\(key)\"", hint: "clients reach it by scp and sftp")
        }
        guard var rules = drop.read(&reader) else { return nil }
        let verify = drop.hook("verify", &reader)
        let complete = drop.hook("on_complete", &reader)
        if verify == nil, complete == nil, let entry = reader.entry("sandbox") {
            report.error(
                entry.key.region, "a drop account has a sandbox of its own",
                hint: "\"sandbox\" is for the programs of \"verify\" and \"on_complete\"")
        }
        rules.verify = verify.map { DropRules.Hook(words: $0.map(\.value), sandbox: sandbox(&reader, $0.map(Self.literal))) }
        rules.onComplete = complete.map { DropRules.Hook(words: $0.map(\.value), sandbox: sandbox(&reader, $0.map(Self.literal))) }
        var command = Command(
            name: name.value, account: account, login: login ?? account.name, usage: nil, run: [RunWord([.literal(DropRules.program)])],
            sandbox: dropSandbox(), position: name.region.position)
        command.subsystem = DropRules.subsystem
        command.drop = rules
        return (command, [verify?.first, complete?.first].compactMap(\.self))
    }

    private static func literal(_ word: Located<String>) -> Located<RunWord> { Located(RunWord([.literal(word.value)]), word.region) }

    /// That of `postern-files`: the predefined one, and the directory it is started in, whichever that is.
    private mutating func dropSandbox() -> Int {
        if let known = plans.firstIndex(where: { $0.name == DropRules.program }) { return known }
        var plan = surroundings.predefined.first { $0.name == "drop" } ?? SandboxPlan(name: "drop")
        plan.name = DropRules.program
        plan.paths = [PathRule(path: ".", access: .write, isRequired: true)]
        plan.allowedCalls.append("openat2")
        plan.limits.openFiles = 256
        // How large a file may be says "max_file".
        plan.limits.fileSize = nil
        plans.append(plan)
        return plans.count - 1
    }
}
