extension Launch {
    /// The server of rsync, in the directory of its command.
    init(_ command: Command, _ rules: RsyncRules, _ line: RsyncCommandLine, session: Session, commands: [Command]) {
        let root = rules.root(for: session.key.name)
        var environment = CommandEnvironment.entries(for: command, line: nil, sent: [], session: session)
        // popt reads a file there, and a client may be able to write in the account's own (CVE-2019-3464).
        environment.removeAll { $0.name == "HOME" }
        environment.append(EnvironmentEntry(name: "HOME", value: "/nonexistent"))
        self.init(command: command, argv: line.argv(under: rules), environment: environment, directory: root)
        if !line.changes { self.command.sandbox = rules.readingSandbox }
        paths = line.paths.map {
            PathCheck(directory: root, path: $0.plain, refusal: Refusal(.rsync(.leadsOut($0.argument)), commands: commands))
        }
    }
}

extension Decision {
    /// What a command for rsync does about a line, nil where it is not for it.
    static func decide(
        _ words: Result<[Word], CommandLineError>, rsync command: Command, _ session: Session, _ commands: [Command]
    ) -> Result<Launch, RsyncCommandLine.Fault>? {
        guard let rules = command.rsync, case .success(let words) = words, RsyncCommandLine.isMeant(by: words) else { return nil }
        do throws(RsyncCommandLine.Fault) {
            let line = try RsyncCommandLine(parsing: words.map(\.text))
            try line.check(against: rules)
            return .success(Launch(command, rules, line, session: session, commands: commands))
        } catch {
            return .failure(error)
        }
    }
}
