/// What `postern-git` is told in its environment: a static program reads its arguments from /proc, which a sandbox has not.
public struct GitTask: Equatable, Sendable {
    public enum Opening: String, Sendable { case read, write, create }

    /// The directory of the repositories.
    public var root: String
    public var name: RepositoryName
    public var opening: Opening
    /// What is executed in the repository.
    public var argv: [String]
    /// What else of the machine it may use.
    public var paths: [PathRule]
    /// The program to be git's hook.
    public var hook: String

    public init(root: String, name: RepositoryName, opening: Opening, argv: [String], paths: [PathRule], hook: String) {
        self.root = root
        self.name = name
        self.opening = opening
        self.argv = argv
        self.paths = paths
        self.hook = hook
    }

    /// The descriptor by which `postern-git` and the hook report to the monitor.
    public static let reportDescriptor: Int32 = 3
    /// What it reports when there is no such repository.
    public static let missing = "missing"
    /// In front of every variable of a task; git gets none of them.
    public static let prefix = "POSTERN_OPEN_"

    public var environment: [EnvironmentEntry] {
        [
            entry("ROOT", root), entry("NAME", name.description), entry("OPENING", opening.rawValue),
            entry("ARGV", argv.joined(separator: "\n")), entry("HOOK", hook),
            entry("PATHS", paths.map { "\($0.access) \($0.path)" }.joined(separator: "\n")),
        ]
    }

    private func entry(_ name: String, _ value: String) -> EnvironmentEntry {
        EnvironmentEntry(name: Self.prefix + name, value: value)
    }

    /// - Parameter value: of a variable.
    /// - Returns: nil for what the monitor never writes.
    public init?(_ value: (String) -> String?) {
        func member(_ name: String) -> String? { value(Self.prefix + name) }
        guard let root = member("ROOT"), let name = member("NAME").flatMap({ RepositoryName($0) }), let hook = member("HOOK"),
            let opening = member("OPENING").flatMap(Opening.init), let argv = member("ARGV"), let lines = member("PATHS")
        else { return nil }
        var paths: [PathRule] = []
        for line in lines.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, let access = PathRule.Access.allCases.first(where: { "\($0)" == parts[0] }), parts[1].hasPrefix("/") else {
                return nil
            }
            paths.append(PathRule(path: parts[1], access: access, isRequired: false))
        }
        self.init(root: root, name: name, opening: opening, argv: argv.split(separator: "\n").map(String.init), paths: paths, hook: hook)
    }
}
