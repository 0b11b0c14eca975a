import Linux
import Policy
import Sandbox

/// A repository that was opened beneath its root. Nothing that anybody renames or links afterwards changes which one it is.
struct Repository {
    let directory: Descriptor
    /// From the root.
    let path: String

    /// Repositories that lend each other objects: git follows no more than five (gitrepository-layout(5)).
    private static let mostLenders = 5
    private static let longestAlternates = 64 * 1024

    /// Opens the repository of a task, or makes it where that is asked for; nil when there is none.
    static func find(_ task: GitTask, _ root: Descriptor) throws(GitFault) -> Repository? {
        for path in ["\(task.name).git", "\(task.name)"] {
            guard let directory = open(path, root), isRepository(directory) else { continue }
            return Repository(directory: directory, path: path)
        }
        guard task.opening == .create else { return nil }
        guard let directory = try RepositoryMaker(root).make(task.name) else { return nil }
        return Repository(directory: directory, path: "\(task.name).git")
    }

    /// Nil when it is not there, or not for this user.
    private static func open(_ path: String, _ root: Descriptor) -> Descriptor? {
        do throws(Errno) { return try openBeneath(root, path, [.pathOnly, .directory]) } catch { return nil }
    }

    /// What makes a directory a repository: gitrepository-layout(5).
    static func isRepository(_ directory: Descriptor) -> Bool {
        do throws(Errno) {
            _ = try openBeneath(directory, "HEAD", .pathOnly)
            for name in ["objects", "refs"] { _ = try openBeneath(directory, name, [.pathOnly, .directory]) }
            return true
        } catch {
            return false
        }
    }

    /// From here on this process and git see of the root only this repository, and what it borrows from others.
    func confine(_ task: GitTask, _ root: Descriptor, _ hooks: String?) throws(GitFault) {
        let layer = try naming("landlock") { () throws(Errno) in try LandlockLayer() }
        for rule in task.paths {
            guard let place = Self.optional(rule.path) else { continue }
            try naming(rule.path) { () throws(Errno) in try layer.allow(rule.access.rights, beneath: place) }
        }
        try naming("repository") { () throws(Errno) in
            try layer.allow(task.opening == .read ? .read : .write, beneath: directory)
            for objects in lenders(root) { try layer.allow(.read, beneath: objects) }
            try layer.enter()
        }
    }

    /// What the sandbox names need not be there.
    private static func optional(_ path: String) -> Descriptor? {
        do throws(Errno) { return try openFile(path, .pathOnly) } catch { return nil }
    }

    // MARK: - Alternates

    /// The object directories that this repository borrows from, as far as they are beneath the root.
    private func lenders(_ root: Descriptor) -> [Descriptor] {
        var found: [Descriptor] = []
        var waiting = ["\(path)/objects"]
        for _ in 0..<Self.mostLenders {
            var next: [String] = []
            for objects in waiting {
                for line in alternates(of: objects, root) {
                    let other = line.hasPrefix("/") ? beneath(root, line) : "\(objects)/\(line)"
                    guard found.count < 64, let other, let directory = Self.open(other, root) else { continue }
                    found.append(directory)
                    next.append(other)
                }
            }
            waiting = next
        }
        return found
    }

    private func alternates(of objects: String, _ root: Descriptor) -> [String] {
        do throws(Errno) {
            let bytes = try openBeneath(root, "\(objects)/info/alternates", .nonBlocking).readAll(limit: Self.longestAlternates)
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
        } catch {
            return []
        }
    }

    /// An absolute path from the root; nil when it is elsewhere.
    private func beneath(_ root: Descriptor, _ path: String) -> String? {
        guard let root = Environment.value(of: "\(GitTask.prefix)ROOT"), path.hasPrefix(root + "/") else { return nil }
        return String(path.dropFirst(root.count + 1))
    }
}
