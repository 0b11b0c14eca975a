/// What a client is told about what it may do: only its own commands under the name it logged in with.
enum Help {
    /// One line of the table.
    struct Row: Equatable, Sendable {
        var call: String
        var summary: String
    }

    /// The answer when the words are `help` or `help --json`.
    static func answer(to words: [Word], for session: Session, commands: [Command]) -> Verdict? {
        switch words.map(\.text) {
        case ["help"]: answer(for: session, commands: commands, isJSON: false)
        case ["help", "--json"]: answer(for: session, commands: commands, isJSON: true)
        default: nil
        }
    }

    static func answer(for session: Session, commands: [Command], isJSON: Bool) -> Verdict {
        let page = HelpPage(session, commands, isJSON: isJSON)
        return page.sources.isEmpty ? .print(text: page.text([]), status: ExitStatus.success) : .help(page)
    }

    /// Who the client is and what it may run: lines, each with its line feed.
    static func text(for session: Session, commands: [Command]) -> String {
        ([greeting(session)] + table(rows(for: commands), indent: "  ")).map { $0 + "\n" }.joined()
    }

    static func greeting(_ session: Session) -> String {
        "you are \(session.key.name), here as \(session.login); you may run:"
    }

    static func rows(for commands: [Command]) -> [Row] {
        commands.flatMap { command in
            if command.drop != nil { return [Row(call: "scp, sftp", summary: command.summary)] }
            if let rsync = command.rsync { return [Row(call: "rsync  \(rsync.access.map(\.word).joined(separator: ", "))", summary: command.summary)] }
            let calls = [command.usage.map(call), command.subsystem.map { "subsystem \($0)" }]
            return (calls.compactMap(\.self) + (command.git?.calls ?? [])).map { Row(call: $0, summary: command.summary) }
        }
    }

    /// The rows in two columns, four spaces apart; no space at a line's end.
    static func table(_ rows: [Row], indent: String) -> [String] {
        let width = rows.map(\.call.count).max() ?? 0
        return rows.map { row in
            let padding = String(repeating: " ", count: width - row.call.count + 4)
            return indent + (row.summary.isEmpty ? row.call : row.call + padding + row.summary)
        }
    }

    private static func call(_ usage: Usage) -> String {
        usage.acceptsAnyLine ? "(any command line)" : usage.description
    }

    static func json(for session: Session, commands: [Command], more: [JSONText.Member]) -> JSONText {
        .object(
            [
                .init("key", .string(session.key.name)), .init("login", .string(session.login)), .init("commands", .array(commands.map(json))),
                .init("limits", ["line_bytes": .integer(Int64(CommandLine.lineLimit)), "words": .integer(Int64(CommandLine.wordLimit))]),
            ] + more)
    }

    private static func json(_ command: Command) -> JSONText {
        let arguments = (command.usage?.parts ?? []).compactMap { part in
            part.argumentName.map { json(part, type: command.arguments[$0] ?? .word, name: $0) }
        }
        let timeout = command.timeout.map { JSONText.integer($0.components.seconds) } ?? .null
        return [
            "name": .string(command.name),
            "summary": .string(command.summary),
            "usage": command.usage.map { .string($0.description) } ?? .null,
            "subsystem": command.subsystem.map { .string($0) } ?? .null,
            "git": command.git.map(json) ?? .null,
            "drop": command.drop.map(json) ?? .null,
            "rsync": command.rsync.map { ["access": .array($0.access.map { .string($0.word) })] } ?? .null,
            "arguments": .array(arguments),
            "limits": [
                "timeout_seconds": timeout,
                "output_bytes": command.outputLimit.map { .integer(Int64(clamping: $0)) } ?? .null,
                "stdin": .bool(command.takesInput),
                "signals": .array(command.signals.map { .string($0) }),
                "environment": .array(command.acceptEnvironment.keys.sorted().map { .string($0) }),
            ],
        ]
    }

    private static func json(_ service: GitService) -> JSONText {
        [
            "repositories": .array(service.repositories.map { .string($0.description) }),
            "access": .string("\(service.access)"),
            "create": .bool(service.creates),
        ]
    }

    private static func json(_ drop: DropRules) -> JSONText {
        func limit(_ number: UInt64?) -> JSONText { number.map { .integer(Int64(clamping: $0)) } ?? .null }
        return [
            "access": .array(drop.access.map { .string($0.word) }),
            "names": .array(drop.names.map { .string($0) }),
            "max_file_bytes": limit(drop.maxFile), "quota_bytes": limit(drop.quota), "max_files": limit(drop.maxFiles),
        ]
    }

    private static func json(_ part: Usage.Part, type: ArgumentType, name: String) -> JSONText {
        var isRequired = true
        var isRepeated = false
        if case .optionalArgument = part { isRequired = false }
        if case .arguments = part { isRepeated = true }
        var members: [JSONText.Member] = [
            .init("name", .string(name)), .init("required", .bool(isRequired)), .init("repeated", .bool(isRepeated)),
            .init("type", .string(type.name)),
        ]
        switch type.kind {
        case .match(let matcher): members.append(.init("match", .string(matcher.pattern)))
        case .oneOf(let choices): members.append(.init("one_of", .array(choices.map { .string($0) })))
        case .integer(let range): members.append(.init("integer", [.integer(range.lowerBound), .integer(range.upperBound)]))
        case .path(let directory): members.append(.init("path_in", .string(directory)))
        case .word, .semver, .gitref, .hex: break
        }
        return .object(members)
    }
}

extension GitService {
    /// What a client may do, for people: a row for each pattern.
    fileprivate var calls: [String] {
        repositories.map { "git \(access == .write ? "fetch, push" : "fetch")  \($0)" }
    }
}
