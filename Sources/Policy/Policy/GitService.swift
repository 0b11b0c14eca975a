/// What a command of type `git` serves (DESIGN §3.2).
public struct GitService: Equatable, Sendable {
    public enum Access: UInt8, Sendable, CaseIterable { case read = 1, write }

    /// Absolute: the directory that the repositories are in.
    public var root: String
    /// At least one.
    public var repositories: [RepositoryPattern]
    public var access: Access
    /// A push to a repository that is not there makes it.
    public var creates = false
    /// What pushes may do, for each ref.
    public var refs: [RefRule] = []
    /// An absolute directory with hooks; nil: none but our own.
    public var hooks: String?
    /// Bytes of one push.
    public var maxPack: UInt64?

    public init(root: String, repositories: [RepositoryPattern], access: Access) {
        self.root = root
        self.repositories = repositories
        self.access = access
    }

    /// The program that is run.
    public static let program = "/usr/bin/git"
    /// What the client may say in `GIT_PROTOCOL` (gitprotocol-v2(5)).
    public static let protocolPattern = "version=[0-2](:[0-9A-Za-z=._-]{1,64}){0,4}"
}

/// What a client of git asks for.
public struct GitRequest: Equatable, Sendable {
    /// The programs of a server (git-upload-pack(1) and its like); the raw value is the name behind `git-`.
    public enum Program: String, Sendable, CaseIterable {
        case uploadPack = "upload-pack"
        case receivePack = "receive-pack"
        case uploadArchive = "upload-archive"

        /// The words behind `git`; the repository is the current directory.
        var words: [String] {
            switch self {
            case .uploadPack: ["upload-pack", "--strict", "."]
            case .receivePack: ["receive-pack", "."]
            case .uploadArchive: ["upload-archive", "."]
            }
        }
    }

    public var program: Program
    /// As the client wrote it.
    public var path: String

    var needed: GitService.Access { program == .receivePack ? .write : .read }

    /// Nil when the words are not for git: `git-upload-pack PATH` or `git upload-pack PATH`, and nothing else.
    init?(_ words: [String]) {
        var words = words[...]
        if words.first == "git", words.count == 3 {
            words = words.dropFirst()
        } else if words.count == 2, let name = words.first, name.hasPrefix("git-") {
            words[words.startIndex] = String(name.dropFirst(4))
        } else {
            return nil
        }
        guard let name = words.first, let path = words.last, let program = Program(rawValue: name) else { return nil }
        self.program = program
        self.path = path
    }
}

/// A repository to open, for whoever starts git in it.
public struct GitTarget: Equatable, Sendable {
    public var service: GitService
    public var program: GitRequest.Program
    public var name: RepositoryName
    /// What the client is told when there is no such repository: the same as of one that it may not have.
    public var missing: Refusal

    /// Whether git writes to the repository.
    public var writes: Bool { program == .receivePack }
}
