import Policy

/// Imported keys as the text of a policy, and what is said of them.
struct PolicyDraft {
    private let keys: [ImportedKey]
    private let options: AuthorizedKeysImport.Options
    /// Each once, with its name, in the order of the keys.
    private let commands: [(command: ForcedCommand, name: String)]

    init(_ keys: [ImportedKey], _ options: AuthorizedKeysImport.Options) {
        self.keys = keys
        self.options = options
        // The word that a client writes must not be taken.
        var names: Set<String> = ["help"]
        var commands: [(command: ForcedCommand, name: String)] = []
        for key in keys where !commands.contains(where: { $0.command == key.grant.command }) {
            let program = key.grant.command.argv[0].split(separator: "/").last.map(String.init) ?? ""
            commands.append((key.grant.command, ImportedName.unique(ImportedName.of(program) ?? "command", &names)))
        }
        self.commands = commands
    }

    private func name(of command: ForcedCommand) -> String {
        commands.first { $0.command == command }?.name ?? ""
    }

    private var login: String { options.login ?? options.user }

    /// One line for each key.
    func report(_ file: String) -> [String] {
        keys.map { key in
            let origin = key.comment.isEmpty ? "" : ", from \"\(VisibleText.of(key.comment))\","
            if let principals = key.grant.principals {
                let names = principals.map { "\"\(VisibleText.of($0))\"" }.joined(separator: ", ")
                return "\(file):\(key.number): certificates of authority \"\(key.name)\"\(origin) with the principal \(names) may run command \"\(name(of: key.grant.command))\""
            }
            return "\(file):\(key.number): key \"\(key.name)\"\(origin) may run command \"\(name(of: key.grant.command))\""
        }
    }

    var notes: [String] {
        var notes: [String] = []
        if !options.takesAnyLine {
            notes.append("sshd ran a key's command whatever its owner asked for; here the command is asked for by its name, as in ssh \(login)@host \(commands[0].name)")
        }
        let unrestricted = keys.filter(\.grant.wasUnrestricted).count
        if unrestricted > 0 {
            notes.append("\(unrestricted == 1 ? "1 key" : "\(unrestricted) keys") had no \"restrict\": forwarding, terminals and ~/.ssh/rc are gone here")
        }
        if keys.contains(where: { !$0.grant.command.environment.isEmpty }) {
            notes.append("sshd obeys \"environment\" only where PermitUserEnvironment says so; here it counts")
        }
        if keys.contains(where: { $0.grant.principals != nil }) {
            notes.append("sshd took a certificate without principals for anybody's; here it opens nothing, and its key id must be a name")
        }
        notes.append("the commands run in the sandbox \"tool\", which writes nothing and has no network: give them one that fits")
        return notes
    }

    /// The policy, with a test for each key.
    func text(from file: String) -> String {
        let head = [
            "# Made by \"postern import\" from \(VisibleText.of(file)). Read it before it goes live: what each command needs of the machine, its",
            "# sandbox must allow; \"tool\", the default, reads the system's programs, writes nothing and has no network.",
            "version = 1", "",
        ]
        let listed = keys.filter { $0.grant.principals == nil }
        let lines = head + listed.flatMap(table) + authorities + commands.flatMap { table(of: $0.command, $0.name) } + keys.flatMap(test)
        return lines.map { $0 + "\n" }.joined()
    }

    private func table(of key: ImportedKey) -> [String] {
        var lines = ["[key.\(Self.bare(key.name))]", "public  = \(Self.quoted(key.line))", "may     = [\(Self.quoted(name(of: key.grant.command)))]"]
        if !key.grant.from.isEmpty { lines.append("from    = [\(key.grant.from.map(Self.quoted).joined(separator: ", "))]") }
        if let expires = key.grant.expires { lines.append("expires = \(Moment.text(expires))") }
        if !key.grant.needsTouch { lines.append("touch   = false") }
        if key.grant.needsPIN { lines.append("pin     = true") }
        return lines + [""]
    }

    /// Of each authority one table, with the principals of all its lines.
    private var authorities: [String] {
        var lines: [String] = []
        var written: Set<String> = []
        for key in keys where key.grant.principals != nil && written.insert(key.name).inserted {
            let grants = keys.filter { $0.name == key.name }.flatMap { other in (other.grant.principals ?? []).map { ($0, name(of: other.grant.command)) } }
            lines += ["[authority.\(Self.bare(key.name))]", "public     = \(Self.quoted(key.line))"]
            lines.append("principals = { \(grants.map { "\(Self.quoted($0.0)) = [\(Self.quoted($0.1))]" }.joined(separator: ", ")) }")
            lines.append("")
        }
        return lines
    }

    private func table(of command: ForcedCommand, _ name: String) -> [String] {
        var lines = ["[command.\(Self.bare(name))]", "as    = \(Self.quoted(options.user))"]
        if let login = options.login, login != options.user { lines.append("login = \(Self.quoted(login))") }
        lines.append("usage = \(Self.quoted(options.takesAnyLine ? "*" : name))")
        lines.append("run   = [\(command.argv.map(Self.quoted).joined(separator: ", "))]")
        if !command.environment.isEmpty {
            lines.append("env   = { \(command.environment.map { "\($0.name) = \(Self.quoted($0.value))" }.joined(separator: ", ")) }")
        }
        return lines + [""]
    }

    private func test(of key: ImportedKey) -> [String] {
        let command = key.grant.command
        let asker =
            key.grant.principals.map { names in
                ["authority  = \(Self.quoted(key.name))", "principals = [\(names.map(Self.quoted).joined(separator: ", "))]"]
            } ?? ["key     = \(Self.quoted(key.name))"]
        return ["[[test]]"] + asker + [
            "login   = \(Self.quoted(login))",
            "command = \(Self.quoted(options.takesAnyLine ? "anything" : name(of: command)))", "expect  = \"allow\"",
            "argv    = [\(command.argv.map(Self.quoted).joined(separator: ", "))]", "",
        ]
    }

    /// A name as a part of a table's header.
    private static func bare(_ name: String) -> String { name.contains(".") ? quoted(name) : name }

    /// A basic string of TOML 1.0.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.properties.generalCategory == .format:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\U" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
