/// The help of a client that may reach repositories: it names them, once somebody has looked which are there.
public struct HelpPage: Equatable, Sendable {
    let session: Session
    /// Those of the client, in their order.
    let commands: [Command]
    let isJSON: Bool
    /// The directories to look through, each as one user: the first command of each, whose sandbox will do.
    public let sources: [Command]

    /// What was found in one of the directories.
    public struct Found: Equatable, Sendable {
        public var names: Set<RepositoryName>
        /// False when there may be more.
        public var isWhole: Bool

        public init(names: Set<RepositoryName>, isWhole: Bool) {
            self.names = names
            self.isWhole = isWhole
        }

        /// Reads what `postern-git` wrote. A name that is none is passed over.
        public init(output: [UInt8]) {
            let lines = output.split(separator: UInt8(ascii: "\n")).prefix(GitListTask.mostNames + 1).map { String(decoding: $0, as: UTF8.self) }
            names = Set(lines.compactMap { RepositoryName($0) })
            isWhole = lines.last == GitListTask.end
        }

        /// Nobody could look.
        public static let nothing = Found(names: [], isWhole: false)
    }

    init(_ session: Session, _ commands: [Command], isJSON: Bool) {
        self.session = session
        self.commands = commands
        self.isJSON = isJSON
        var sources: [Command] = []
        for command in commands where command.git != nil {
            if !sources.contains(where: { Self.isSamePlace($0, command) }) { sources.append(command) }
        }
        self.sources = sources
    }

    private static func isSamePlace(_ one: Command, _ other: Command) -> Bool {
        one.account == other.account && one.git?.root == other.git?.root
    }

    /// What is to be looked for in the place of a source: all that any of the client's commands for that place is about.
    public func task(of source: Command) -> GitListTask {
        let services = commands.filter { Self.isSamePlace($0, source) }.compactMap(\.git)
        return GitListTask(root: source.git?.root ?? "/", patterns: services.flatMap(\.repositories))
    }

    /// - Parameter found: of each of the ``sources``; none: nobody has looked.
    public func text(_ found: [Found]) -> String {
        let plain = isJSON ? Help.json(for: session, commands: commands, more: []).description + "\n" : Help.text(for: session, commands: commands)
        guard !found.isEmpty else { return plain }
        let (entries, isWhole) = entries(found, room: Self.mostBytes - plain.utf8.count)
        if isJSON {
            let repositories = entries.map { entry -> JSONText in ["name": .string("\(entry.name)"), "access": .string("\(entry.access)")] }
            let more: [JSONText.Member] = [.init("repositories", .array(repositories)), .init("all_repositories", .bool(isWhole))]
            return Help.json(for: session, commands: commands, more: more).description + "\n"
        }
        var lines = entries.map { "  \($0.access == .write ? "R W" : "R  ")  \(VisibleText.of("\($0.name)"))" }
        if !isWhole { lines.append(lines.isEmpty ? "  they could not be looked up" : "  and maybe more") }
        if lines.isEmpty { lines.append("  none yet") }
        return plain + (["your repositories:"] + lines).map { $0 + "\n" }.joined()
    }

    /// What the frontend takes as one text, with some to spare.
    private static let mostBytes = 80 * 1024
    /// Around a name, at most.
    private static let bytesAround = 40

    /// In the order of their names: what a fetch and a push would come to, whose first fitting command decides.
    private func entries(_ found: [Found], room: Int) -> (entries: [(name: RepositoryName, access: GitService.Access)], isWhole: Bool) {
        var room = room
        var entries: [(name: RepositoryName, access: GitService.Access)] = []
        for name in Set(found.flatMap(\.names)).sorted(by: { "\($0)" < "\($1)" }) where reaches(name, .read, found) {
            room -= max(VisibleText.of("\(name)").utf8.count, JSONText.string("\(name)").description.utf8.count) + Self.bytesAround
            guard room >= 0, entries.count < GitListTask.mostNames else { return (entries, false) }
            entries.append((name, reaches(name, .write, found) ? .write : .read))
        }
        return (entries, found.allSatisfy(\.isWhole))
    }

    private func reaches(_ name: RepositoryName, _ access: GitService.Access, _ found: [Found]) -> Bool {
        let command = commands.first { command in
            guard let git = command.git, git.access.rawValue >= access.rawValue else { return false }
            return git.repositories.contains { $0.matches(name) }
        }
        guard let command, let index = sources.firstIndex(where: { Self.isSamePlace($0, command) }), index < found.count else { return false }
        return found[index].names.contains(name)
    }
}
