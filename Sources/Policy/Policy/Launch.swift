/// A command to start, with all that depends on the request.
public struct Launch: Equatable, Sendable {
    /// Account, sandbox, timeout, signals and what happens when the client goes are as the command has them.
    public var command: Command
    /// The first is an absolute path, or the name of a helper of ours: see ``DropRules/program``.
    public var argv: [String]
    /// Complete but for `TMPDIR`, each name once.
    public var environment: [EnvironmentEntry]
    /// Absolute.
    public var directory: String
    /// The repository that git is run in; nil for every other command.
    public var target: GitTarget?
    /// What the command is given as paths, to be looked at as its user before it starts.
    public var paths: [PathCheck] = []

    /// A path that must not lead out of a directory by symbolic links.
    public struct PathCheck: Equatable, Sendable {
        /// From the root.
        public var directory: String
        /// Relative to it, without `.`, `..` and empty parts.
        public var path: String
        /// What becomes of the request if it does.
        public var refusal: Refusal
    }

    init(command: Command, argv: [String], environment: [EnvironmentEntry], directory: String) {
        self.command = command
        self.argv = argv
        self.environment = environment
        self.directory = directory
    }

    init(_ command: Command, bindings: Bindings, line: [UInt8]?, environment: [EnvironmentEntry], session: Session) {
        self.command = command
        argv = command.run.flatMap { $0.words(for: bindings) }
        directory = command.directory ?? command.account.home
        self.environment = CommandEnvironment.entries(for: command, line: line, sent: environment, session: session)
    }
}

extension RunWord {
    /// The words that this one becomes: as many as there are values, one, or none where something optional was not given.
    func words(for bindings: Bindings) -> [String] {
        switch pieces.first {
        case .values(let name) where pieces.count == 1: bindings.values[name] ?? []
        case .flag(let literal) where pieces.count == 1: bindings.flags.contains(literal) ? [literal] : []
        default: joined(bindings).map { [$0] } ?? []
        }
    }

    private func joined(_ bindings: Bindings) -> String? {
        var word = ""
        for piece in pieces {
            switch piece {
            case .literal(let text): word += text
            case .value(let name):
                guard let value = bindings.values[name]?.first else { return nil }
                word += value
            case .values, .flag: preconditionFailure("a piece that must be alone in its word is not")
            }
        }
        return word
    }
}
