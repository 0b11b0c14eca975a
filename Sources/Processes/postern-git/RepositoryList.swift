import Linux
import Policy

/// Names the repositories beneath a root that match the patterns of a task, as far as it gets within its limits.
struct RepositoryList {
    private let root: Descriptor
    private let patterns: [RepositoryPattern]
    private let deadline: Duration
    private var names: Set<RepositoryName> = []
    private var bytes = 0
    private var entries = 0
    /// Nothing was left out.
    private var isWhole = true

    /// Names of files and directories that are looked at, and directories above each other.
    private static let mostEntries = 50_000
    private static let mostComponents = 10
    private static let patience: Duration = .seconds(2)

    init(_ task: GitListTask, _ root: Descriptor) {
        self.root = root
        patterns = task.patterns
        deadline = Clock.monotonic + Self.patience
    }

    /// One name a line, and how it ended.
    mutating func text() -> String {
        // Those above come before those below: what is cut off is deep down.
        var waiting = [""]
        for _ in 0..<Self.mostComponents where !waiting.isEmpty { waiting = waiting.flatMap { look(in: $0) } }
        if !waiting.isEmpty { isWhole = false }
        let lines = names.map { "\($0)" }.sorted() + [isWhole ? GitListTask.end : GitListTask.more]
        return lines.map { "\($0)\n" }.joined()
    }

    /// - Parameter path: of a directory, from the root; empty: the root itself.
    /// - Returns: the directories in it that are no repositories.
    private mutating func look(in path: String) -> [String] {
        var below: [String] = []
        do throws(Errno) {
            let reader = try DirectoryReader(path.isEmpty ? root : try openBeneath(root, path, [.pathOnly, .directory]))
            while let bytes = reader.next() {
                guard bytes.first != UInt8(ascii: "."), let name = String(validating: bytes, as: UTF8.self) else { continue }
                entries += 1
                guard isWhole, entries <= Self.mostEntries, Clock.monotonic < deadline else {
                    isWhole = false
                    return []
                }
                let place = path.isEmpty ? name : "\(path)/\(name)"
                if isDirectoryToEnter(place) { below.append(place) }
            }
        } catch {
            // What this user may not read holds nothing for the client either.
        }
        return below.sorted()
    }

    /// Takes a repository's name; a directory behind a symbolic link may be one, but is not looked through.
    private mutating func isDirectoryToEnter(_ place: String) -> Bool {
        guard let name = RepositoryName(place) else { return false }
        do throws(Errno) {
            let (directory, isLink) = try open(place)
            guard Repository.isRepository(directory) else { return !isLink && !place.hasSuffix(".git") }
            take(name)
        } catch {}
        return false
    }

    private func open(_ place: String) throws(Errno) -> (Descriptor, isLink: Bool) {
        do throws(Errno) {
            return (try openBeneath(root, place, [.pathOnly, .directory, .noFollow]), false)
        } catch {
            return (try openBeneath(root, place, [.pathOnly, .directory]), true)
        }
    }

    private mutating func take(_ name: RepositoryName) {
        guard patterns.contains(where: { $0.matches(name) }), !names.contains(name) else { return }
        bytes += "\(name)".utf8.count + 1
        guard names.count < GitListTask.mostNames, bytes <= GitListTask.mostBytes else {
            isWhole = false
            return
        }
        names.insert(name)
    }
}
