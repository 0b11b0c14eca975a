import Linux
import Policy

/// Makes a bare repository that is there whole or not at all, also when two pushes make it at once.
struct RepositoryMaker {
    private let root: Descriptor

    init(_ root: Descriptor) { self.root = root }

    /// - Returns: nil when a directory above it cannot hold repositories.
    func make(_ name: RepositoryName) throws(GitFault) -> Descriptor? {
        let above = name.components.dropLast()
        for count in 1..<(above.count + 1) {
            let path = above.prefix(count).joined(separator: "/")
            try naming(path) { () throws(Errno) in try makeMissing(path) }
            guard let directory = opened(path), !Repository.isRepository(directory) else { return nil }
        }
        guard let parent = above.isEmpty ? root : opened(above.joined(separator: "/")), let last = name.components.last else { return nil }
        return try naming("\(name)") { () throws(Errno) in try make("\(last).git", in: parent) }
    }

    private func opened(_ path: String) -> Descriptor? {
        do throws(Errno) { return try openBeneath(root, path, [.pathOnly, .directory]) } catch { return nil }
    }

    private func makeMissing(_ path: String) throws(Errno) {
        // The directory above was opened beneath the root a moment ago; it is opened so again, and only the last component is made.
        let parts = path.split(separator: "/")
        let parent = parts.count == 1 ? root : try openBeneath(root, parts.dropLast().joined(separator: "/"), [.pathOnly, .directory])
        do throws(Errno) { try makeDirectory(String(parts[parts.count - 1]), mode: 0o755, in: parent) } catch .exists {}
    }

    private func make(_ name: String, in parent: Descriptor) throws(Errno) -> Descriptor {
        let draft = ".postern-new-\(processID)-\(Clock.monotonic.components.attoseconds)"
        for path in [""] + Self.directories { try makeDirectory(path.isEmpty ? draft : "\(draft)/\(path)", mode: 0o755, in: parent) }
        for (path, text) in Self.files { try write(text, "\(draft)/\(path)", parent) }
        do throws(Errno) {
            try rename(draft, to: name, in: parent)
        } catch where error == .exists || error == .notEmpty {
            // Another push was first: its repository is as good.
            for (path, _) in Self.files { try remove("\(draft)/\(path)", isDirectory: false, in: parent) }
            for path in Self.directories.reversed() { try remove("\(draft)/\(path)", isDirectory: true, in: parent) }
            try remove(draft, isDirectory: true, in: parent)
        }
        try openBeneath(parent, ".", .directory).synchronize()
        return try openBeneath(parent, name, [.pathOnly, .directory])
    }

    private func write(_ text: String, _ path: String, _ parent: Descriptor) throws(Errno) {
        let file = try openBeneath(parent, path, [.write, .create, .exclusive], mode: 0o644)
        try file.writeAll(Array(text.utf8))
        try file.synchronize()
    }

    private static let directories = ["objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"]
    /// As `git init --bare` writes them: gitrepository-layout(5).
    private static let files = [
        ("HEAD", "ref: refs/heads/main\n"),
        ("config", "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"),
    ]
}
