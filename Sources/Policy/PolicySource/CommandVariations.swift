import Policy

/// What two versions of a command differ in.
enum CommandVariations {
    static func between(_ old: Command, _ new: Command) -> [Variation] {
        var found: [Variation] = []
        found.compare("login", old.login, new.login, .other) { $0 }
        compareAccounts(old.account, new.account, &found)
        found.compare("summary", old.summary, new.summary, .none) { "\"\($0)\"" }
        found.compare("usage", old.usage, new.usage, usage(old.usage, new.usage)) { $0.map { "\"\($0)\"" } ?? "none" }
        found.compare("subsystem", old.subsystem, new.subsystem, .other) { $0 ?? "none" }
        compareArguments(old, new, &found)
        found.compare("run", old.run, new.run, .other) { RuleText.of($0) }
        found.compare("stdin", old.takesInput, new.takesInput, new.takesInput ? .wider : .narrower) { $0 ? "stream" : "none" }
        compareEnvironment(old, new, &found)
        found.compareElements("signals", old.signals, new.signals)
        found.compare("directory", old.directory, new.directory, .other) { $0 ?? "the user's home" }
        found.compare("timeout", old.timeout, new.timeout, .ofLimit(old.timeout, new.timeout)) { $0.map(Quantity.text) ?? "none" }
        found.compare("on_disconnect", old.survivesDisconnect, new.survivesDisconnect, new.survivesDisconnect ? .wider : .narrower) {
            $0 ? "finish" : "kill"
        }
        found.compare("output_limit", old.outputLimit, new.outputLimit, .ofLimit(old.outputLimit, new.outputLimit)) {
            $0.map { Quantity.text(bytes: $0) } ?? "none"
        }
        found.compare("lock", old.lock, new.lock, .other) { $0 ?? "none" }
        found.compare("lock_wait", old.lockWait, new.lockWait, new.lockWait > old.lockWait ? .wider : .narrower, Quantity.text)
        GitVariations.compare(old.git, new.git, &found)
        found += DropVariations.between(old.drop, new.drop)
        found.comparePlaces("rsync", old.rsync, new.rsync)
        if hasMore(old, new) { found.append(.unknown) }
        return found
    }

    /// Whether they differ in more than what is compared here; sandboxes are compared apart, and where they stand means nothing.
    private static func hasMore(_ old: Command, _ new: Command) -> Bool {
        var rest = new
        rest.login = old.login
        rest.account = old.account
        rest.summary = old.summary
        rest.usage = old.usage
        rest.subsystem = old.subsystem
        rest.arguments = old.arguments
        rest.run = old.run
        rest.takesInput = old.takesInput
        rest.environment = old.environment
        rest.acceptEnvironment = old.acceptEnvironment
        rest.signals = old.signals
        rest.directory = old.directory
        rest.timeout = old.timeout
        rest.survivesDisconnect = old.survivesDisconnect
        rest.git = old.git
        rest.drop = old.drop
        rest.rsync = old.rsync
        rest.outputLimit = old.outputLimit
        rest.lock = old.lock
        rest.lockWait = old.lockWait
        rest.sandbox = old.sandbox
        rest.position = old.position
        return rest != old
    }

    /// Of an account that was not looked up only the name counts.
    private static func compareAccounts(_ old: Account, _ new: Account, _ found: inout [Variation]) {
        found.compare("as", old.name, new.name, .other) { $0 }
        guard old.name == new.name, old.isResolved, new.isResolved else { return }
        found.compare("uid", old.uid, new.uid, .other) { "\($0)" }
        found.compare("gid", old.gid, new.gid, .other) { "\($0)" }
        found.compareElements("group", old.groups.map { "\($0)" }, new.groups.map { "\($0)" })
        found.compare("home", old.home, new.home, .other) { $0 }
        found.compare("shell", old.shell, new.shell, .other) { $0 }
    }

    private static func usage(_ old: Usage?, _ new: Usage?) -> Shift {
        // With "*" a command finds the client's line in its environment, and else not.
        guard let old, let new, old.acceptsAnyLine == new.acceptsAnyLine else { return .other }
        return .between(old, new) { $0.includes($1) }
    }

    private static func compareArguments(_ old: Command, _ new: Command, _ found: inout [Variation]) {
        let names = Set(new.usage?.argumentNames ?? [])
        for name in old.usage?.argumentNames ?? [] where names.contains(name) {
            let (before, after) = (old.arguments[name] ?? .word, new.arguments[name] ?? .word)
            found.compare("<\(name)>", before, after, .between(before, after) { $0.includes($1) }) { RuleText.of($0) }
        }
    }

    private static func compareEnvironment(_ old: Command, _ new: Command, _ found: inout [Variation]) {
        found.compare("env", old.environment, new.environment, .other) { RuleText.of($0) }
        let names = Set(old.acceptEnvironment.keys).union(new.acceptEnvironment.keys)
        for name in names.sorted() {
            switch (old.acceptEnvironment[name], new.acceptEnvironment[name]) {
            case (let before?, let after?):
                found.compare("accept_env \(name)", before, after, .between(before, after) { $0.includes($1) }) { "'\($0.pattern)'" }
            case (let before, let after):
                let shift: Shift = after == nil ? .narrower : .wider
                found.append(
                    Variation(
                        what: "accept_env \(name)", shift: shift, old: before.map { "'\($0.pattern)'" },
                        new: after.map { "'\($0.pattern)'" }))
            }
        }
    }
}

/// Parts of a policy as short texts.
enum RuleText {
    /// The words of `run` as they are written in a policy.
    static func of(_ words: [RunWord]) -> String {
        "[" + words.map { "\"" + word($0) + "\"" }.joined(separator: ", ") + "]"
    }

    private static func word(_ word: RunWord) -> String {
        word.pieces.map { piece in
            switch piece {
            case .literal(let text): text
            case .value(let name): "<\(name)>"
            case .values(let name): "<\(name)>..."
            case .flag(let literal): "[\(literal)]"
            }
        }.joined()
    }

    /// The type of an argument as it is written in a policy.
    static func of(_ type: ArgumentType) -> String {
        switch type.kind {
        case .match(let matcher): "match '\(matcher.pattern)'"
        case .oneOf(let choices): "one_of \(choices.joined(separator: ", "))"
        case .integer(let range): "integer \(range.lowerBound) to \(range.upperBound)"
        case .path(let directory): "path_in \(directory)"
        case .word, .semver, .gitref, .hex: type.name
        }
    }

    static func of(_ service: GitService) -> String {
        "git \(service.access) \(service.repositories.map(\.description).joined(separator: " "))"
    }

    static func of(_ rules: RsyncRules) -> String {
        "rsync \(rules.access.map(\.word).joined(separator: " "))"
    }

    static func of(_ environment: [EnvironmentEntry]) -> String {
        environment.isEmpty ? "none" : environment.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }

    static func of(_ network: Network) -> String {
        switch network {
        case .none: "none"
        case .unix: "unix"
        case .tcp(let ports, let dns): (ports.sorted().map { "tcp:\($0)" } + (dns ? ["dns"] : [])).joined(separator: " ")
        case .any: "any"
        }
    }

    static func of(_ patterns: [AddressPattern]) -> String {
        patterns.isEmpty ? "anywhere" : patterns.map(\.description).joined(separator: " ")
    }
}
