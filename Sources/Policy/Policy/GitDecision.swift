// What a line of a git client comes to. Whether a repository exists plays no part: nothing is looked up on disk.

extension GitService {
    enum Outcome {
        case matched(GitTarget)
        case readOnly
        case noMatch
    }

    /// What this service has for a request.
    func outcome(_ request: GitRequest, _ name: RepositoryName, _ commands: [Command]) -> Outcome {
        guard repositories.contains(where: { $0.matches(name) }) else { return .noMatch }
        guard request.needed.rawValue <= access.rawValue else { return .readOnly }
        let missing = Refusal(.noRepository(request.path), commands: commands)
        return .matched(GitTarget(service: self, program: request.program, name: name, missing: missing))
    }

    /// Why no command takes a request.
    static func refusal(_ request: GitRequest, _ commands: [Command]) -> Refusal.Reason {
        guard let name = RepositoryName(request.path) else { return .badRepository(request.path) }
        let isReadOnly = commands.compactMap(\.git).contains { service in
            if case .readOnly = service.outcome(request, name, commands) { true } else { false }
        }
        return isReadOnly ? .readOnlyRepository(request.path) : .noRepository(request.path)
    }
}

extension Launch {
    /// Git in a repository.
    init(_ command: Command, _ target: GitTarget, environment: [EnvironmentEntry], session: Session) {
        self.init(command, bindings: Bindings(), line: nil, environment: environment, session: session)
        argv = [GitService.program] + target.program.words
        directory = target.service.root
        let forced = GitConfiguration.environment(for: target)
        self.environment.removeAll { entry in forced.contains { $0.name == entry.name } }
        self.environment += forced
        self.target = target
    }
}
