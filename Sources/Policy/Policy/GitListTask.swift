/// What `postern-git` is told when it is to name the repositories beneath a root: see ``GitTask``.
public struct GitListTask: Equatable, Sendable {
    /// The directory of the repositories.
    public var root: String
    /// What is named: whatever else is there stays unsaid.
    public var patterns: [RepositoryPattern]

    public init(root: String, patterns: [RepositoryPattern]) {
        self.root = root
        self.patterns = patterns
    }

    /// Repositories that are named.
    public static let mostNames = 1000
    /// Bytes of all names, with a line feed behind each.
    public static let mostBytes = 64 * 1024
    /// The last line: all that match were named, or there may be more. No repository is called so.
    public static let end = "."
    public static let more = ".."

    public var environment: [EnvironmentEntry] {
        [
            EnvironmentEntry(name: "\(GitTask.prefix)ROOT", value: root),
            EnvironmentEntry(name: "\(GitTask.prefix)LIST", value: patterns.map(\.description).joined(separator: "\n")),
        ]
    }

    /// - Parameter value: of a variable.
    /// - Returns: nil for what the monitor never writes, and for another task.
    public init?(_ value: (String) -> String?) {
        guard let root = value("\(GitTask.prefix)ROOT"), let lines = value("\(GitTask.prefix)LIST") else { return nil }
        let patterns = lines.split(separator: "\n").map { RepositoryPattern(String($0)) }
        guard !patterns.contains(nil) else { return nil }
        self.init(root: root, patterns: patterns.compactMap(\.self))
    }
}
