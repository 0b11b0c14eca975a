/// What to do about a request.
public enum Verdict: Equatable, Sendable {
    case run(Launch)
    /// Written to standard output; then the channel ends with `status`.
    case print(text: String, status: UInt32)
    /// As ``print(text:status:)``, with status 0, once it is known which repositories are there.
    case help(HelpPage)
    case refuse(Refusal)
}

/// Why a key may not log in. For the log: a client is never told.
public enum EntryRefusal: String, Hashable, Sendable {
    case notYetValid = "not yet valid"
    case expired
    case wrongAddress = "wrong address"
    case noCommandUnderLogin = "no command under this login"
}

/// Answers from the policy, without side effects: the same questions have the same answers.
public enum Decision {
    /// Whether a key may log in under a name.
    ///
    /// - Parameters:
    ///   - peer: the address of the client as text.
    ///   - now: seconds since 1970.
    ///   - commands: those of the key, in its order.
    public static func mayEnter(key: Key, login: String, from peer: String, now: Int64, commands: [Command]) -> Bool {
        entryRefusal(key: key, login: login, from: peer, now: now, commands: commands) == nil
    }

    /// Why a key may not log in under a name, or nil when it may: see ``mayEnter(key:login:from:now:commands:)``.
    public static func entryRefusal(key: Key, login: String, from peer: String, now: Int64, commands: [Command]) -> EntryRefusal? {
        if let notBefore = key.notBefore, now < notBefore { return .notYetValid }
        if let expires = key.expires, now >= expires { return .expired }
        if !AddressPattern.list(key.from, admits: peer) { return .wrongAddress }
        return commands.contains { $0.login.hasSameBytes(as: login) } ? nil : .noCommandUnderLogin
    }

    /// Decides about a request of an authenticated client.
    ///
    /// Whether the key may enter is decided again, since the policy and the time have changed since it did.
    /// - Parameters:
    ///   - environment: what the client sent with `env` requests, in order.
    ///   - commands: those of the key, in its order; the ones with another login play no part.
    public static func decide(
        _ request: Request, environment: [EnvironmentEntry], in session: Session, commands: [Command]
    ) -> Verdict {
        let entry = entryRefusal(
            key: session.key, login: session.login, from: session.peer.host, now: session.now, commands: commands)
        if let entry { return .refuse(Refusal(.entry(entry), commands: [])) }
        if let line = session.forcedLine, request != .exec(line) { return .refuse(Refusal(.otherThanForced(line), commands: [])) }
        let commands = commands.filter { $0.login.hasSameBytes(as: session.login) }
        switch request {
        case .shell: return Help.answer(for: session, commands: commands, isJSON: false)
        case .exec(let line): return decide(line, environment, session, commands)
        case .subsystem(let name):
            guard let command = commands.first(where: { $0.subsystem?.hasSameBytes(as: name) ?? false }) else {
                return .refuse(Refusal(.unknownSubsystem(name), commands: commands))
            }
            if let drop = command.drop { return .run(Launch(command, drop, line: nil, session: session)) }
            return .run(Launch(command, bindings: Bindings(), line: nil, environment: environment, session: session))
        }
    }

    private static func decide(
        _ line: [UInt8], _ environment: [EnvironmentEntry], _ session: Session, _ commands: [Command]
    ) -> Verdict {
        var isText = true
        do throws(CommandLineError) {
            try CommandLine.checkText(line)
        } catch {
            // The file names of a drop account need not be UTF-8.
            isText = false
            if !commands.contains(where: { $0.drop != nil }) || !DropCommandLine.isMeant(by: line) {
                return .refuse(Refusal(.syntax(error, line: line), commands: commands))
            }
        }
        let words = splitting(line)
        if case .success(let words) = words, let help = Help.answer(to: words, for: session, commands: commands) {
            return help
        }
        if let verdict = serveGit(words, environment, session, commands) { return verdict }
        var best: (failure: UsageFailure, command: Command)?
        var fault: Refusal.Reason?
        for command in commands {
            switch decide(line, drop: command, session) {
            case .success(let launch): return .run(launch)
            case .failure(let found): fault = fault ?? .drop(found)
            case nil: break
            }
            switch decide(words, rsync: command, session, commands) {
            case .success(let launch): return .run(launch)
            case .failure(let found): fault = fault ?? .rsync(found)
            case nil: break
            }
            guard let usage = command.usage, isText else { continue }
            switch outcome(usage, command, words) {
            case .matched(let bindings):
                let passed = usage.acceptsAnyLine ? line : nil
                var launch = Launch(command, bindings: bindings, line: passed, environment: environment, session: session)
                launch.paths = bindings.paths.map { check($0, of: command, line, words, commands) }
                return .run(launch)
            case .failed(let failure):
                if best.map({ $0.failure < failure }) ?? true { best = (failure, command) }
            case nil: continue
            }
        }
        if let fault { return .refuse(Refusal(fault, commands: commands)) }
        return .refuse(Refusal(reason(words, line, best), commands: commands))
    }

    private static func check(
        _ bound: Bindings.Path, of command: Command, _ line: [UInt8], _ words: Result<[Word], CommandLineError>, _ commands: [Command]
    ) -> Launch.PathCheck {
        guard case .success(let words) = words else { preconditionFailure("a path in a line that is no list of words") }
        let word = words[bound.word]
        let place = Refusal.Place(command: command.name, line: line, range: word.range)
        let refusal = Refusal(.leadsOut(bound.argument, of: bound.directory, value: word.text, place), commands: commands)
        let prefix = bound.directory == "/" ? 1 : bound.directory.utf8.count + 1
        return Launch.PathCheck(directory: bound.directory, path: String(decoding: bound.path.utf8.dropFirst(prefix), as: UTF8.self), refusal: refusal)
    }

    /// Nil when the line is none of git's, or a command before takes it, or no command is for git.
    private static func serveGit(
        _ words: Result<[Word], CommandLineError>, _ environment: [EnvironmentEntry], _ session: Session, _ commands: [Command]
    ) -> Verdict? {
        guard case .success(let words) = words, commands.contains(where: { $0.git != nil }) else { return nil }
        guard let request = GitRequest(words.map(\.text)) else { return nil }
        for command in commands {
            if let service = command.git, let name = RepositoryName(request.path) {
                guard case .matched(let target) = service.outcome(request, name, commands) else { continue }
                return .run(Launch(command, target, environment: environment, session: session))
            }
            if let usage = command.usage, case .matched = outcome(usage, command, .success(words)) { return nil }
        }
        return .refuse(Refusal(GitService.refusal(request, commands), commands: commands))
    }

    private static func splitting(_ line: [UInt8]) -> Result<[Word], CommandLineError> {
        do throws(CommandLineError) {
            return .success(try CommandLine.split(line))
        } catch {
            return .failure(error)
        }
    }

    /// Nil when the line is no list of words and the usage needs one.
    private static func outcome(
        _ usage: Usage, _ command: Command, _ words: Result<[Word], CommandLineError>
    ) -> UsageMatch.Outcome? {
        if usage.acceptsAnyLine { return .matched(Bindings()) }
        guard case .success(let words) = words else { return nil }
        var match = UsageMatch(usage, arguments: command.arguments, words: words.map(\.text))
        return match.outcome()
    }

    private static func reason(
        _ words: Result<[Word], CommandLineError>, _ line: [UInt8], _ best: (failure: UsageFailure, command: Command)?
    ) -> Refusal.Reason {
        switch words {
        case .failure(let error): return .syntax(error, line: line)
        case .success(let words):
            // Where not even the first word is right, nothing was meant for this command.
            guard let (failure, command) = best, failure.word > 0 else { return .notACommand(line) }
            let range = failure.word < words.count ? words[failure.word].range : line.count..<line.count
            let place = Refusal.Place(command: command.name, line: line, range: range)
            switch failure.kind {
            case .otherLiteral: return .notACommand(line)
            case .unexpected: return .unexpectedWord(words[failure.word].text, place)
            case .missing(let argument, let type): return .missingArgument(argument, type, place)
            case .wrong(let argument, let type):
                return .wrongArgument(argument, type, value: words[failure.word].text, place)
            }
        }
    }
}

/// The exit statuses that are the gateway's own (DESIGN §4.1).
public enum ExitStatus {
    /// Of help.
    public static let success: UInt32 = 0
    /// Another command has the lock.
    public static let busy: UInt32 = 75
    /// The command wrote more than its `output_limit`.
    public static let wroteTooMuch: UInt32 = 123
    /// The command ran longer than its `timeout`.
    public static let timedOut: UInt32 = 124
    /// Postern could not start the command.
    public static let notStarted: UInt32 = 125
    /// What ``Verdict/refuse(_:)`` ends with.
    public static let refused: UInt32 = 126
    /// The program of the command is not there.
    public static let programMissing: UInt32 = 127
}
