internal import CLinux

/// Why a file is not to be relied on.
public enum TrustError: Error, Equatable, Sendable, CustomStringConvertible {
    case notAbsolute(path: String)
    case missing(path: String)
    /// Someone else than root (and the user named) owns it.
    case owned(path: String, uid: UInt32)
    /// Its group or everybody may write it; `mode` is its permission bits.
    case writable(path: String, mode: UInt32)
    case tooManyLinks(path: String)
    /// It is not of the kind that was asked for.
    case wrongKind(path: String)
    case system(path: String, Errno)

    public var description: String {
        switch self {
        case .notAbsolute(let path): "\"\(path)\" is not an absolute path"
        case .missing(let path): "\"\(path)\" does not exist"
        case .owned(let path, let uid): "\"\(path)\" is owned by uid \(uid), who could change it"
        case .writable(let path, let mode): "\"\(path)\" can be written by others (mode \(String(mode, radix: 8)))"
        case .tooManyLinks(let path): "\"\(path)\" leads through too many symbolic links"
        case .wrongKind(let path): "\"\(path)\" is not a file of the right kind"
        case .system(let path, let errno): "\"\(path)\": \(errno)"
        }
    }
}

/// Opens files that only root, and one further user if named, can change: neither they nor any directory above them are
/// owned or can be written by someone else. Group permissions count whoever is in the group.
///
/// A sticky directory such as /tmp that everybody writes is fine: what a trusted user owns in it, nobody else can replace.
/// Symbolic links are followed step by step under the same rules. Every step is taken from the descriptor of the last.
public struct TrustedPath: Sendable {
    public enum Kind: Sendable { case file, directory }

    private let path: String
    private let trusted: UInt32?
    /// The directories from the root to where the walk is.
    private var directories: [Descriptor]
    private var names: [String] = []
    /// What is still to be walked, the next last.
    private var pending: [Substring]
    private var linksLeft = 40  // as the kernel's own limit

    /// Opens a file or directory for reading.
    ///
    /// - Parameter uid: trusted besides root.
    public static func open(_ path: String, _ kind: Kind = .file, trusting uid: UInt32? = nil) throws(TrustError) -> Descriptor {
        guard path.hasPrefix("/") else { throw .notAbsolute(path: path) }
        var walk = try TrustedPath(path, uid)
        return try walk.run(kind)
    }

    private init(_ path: String, _ uid: UInt32?) throws(TrustError) {
        self.path = path
        trusted = uid
        pending = Self.components(of: path)
        directories = [try Self.naming("/") { () throws(Errno) in try openFile("/", [.pathOnly, .directory]) }]
        try judge(directories[0])
    }

    private mutating func run(_ kind: Kind) throws(TrustError) -> Descriptor {
        while let name = pending.popLast() {
            if name == ".." {
                if directories.count > 1 {
                    directories.removeLast()
                    names.removeLast()
                }
                continue
            }
            let entry = try open(String(name), .pathOnly)
            switch try judge(entry, named: String(name)) {
            case .link: try follow(String(name))
            case .directory:
                directories.append(entry)
                names.append(String(name))
            case .file where pending.isEmpty && kind == .file:
                return try reopen(String(name), as: .file, expecting: entry)
            default: throw .wrongKind(path: whole(String(name)))
            }
        }
        guard kind == .directory else { throw .wrongKind(path: whole(nil)) }
        return try reopen(".", as: .directory, expecting: directories[directories.count - 1])
    }

    private mutating func follow(_ name: String) throws(TrustError) {
        linksLeft -= 1
        guard linksLeft >= 0 else { throw .tooManyLinks(path: path) }
        let directory = directories[directories.count - 1]
        let target = try Self.naming(whole(name)) { () throws(Errno) in try readLink(name, in: directory) }
        if target.hasPrefix("/") {
            directories.removeSubrange(1...)
            names.removeAll()
        }
        pending += Self.components(of: target)
    }

    /// Opens for reading what was judged by name only; anything but a plain file or directory was turned away before.
    private func reopen(_ name: String, as kind: FileStatus.Kind, expecting entry: Descriptor) throws(TrustError) -> Descriptor {
        let file = try open(name, .nonBlocking)
        let path = whole(name == "." ? nil : name)
        let (opened, expected) = try Self.naming(path) { () throws(Errno) in (try file.status(), try entry.status()) }
        guard opened.kind == kind, opened.device == expected.device, opened.inode == expected.inode else { throw .wrongKind(path: path) }
        try judge(opened, path)
        return file
    }

    private func open(_ name: String, _ flags: OpenFlags) throws(TrustError) -> Descriptor {
        let directory = directories[directories.count - 1]
        return try Self.naming(whole(name)) { () throws(Errno) in try openFile(name, flags.union(.noFollow), in: directory) }
    }

    @discardableResult
    private func judge(_ entry: Descriptor, named name: String? = nil) throws(TrustError) -> FileStatus.Kind {
        let path = whole(name)
        let status = try Self.naming(path) { () throws(Errno) in try entry.status() }
        try judge(status, path)
        return status.kind
    }

    private func judge(_ status: FileStatus, _ path: String) throws(TrustError) {
        guard status.uid == 0 || status.uid == trusted else { throw .owned(path: path, uid: status.uid) }
        // The mode of a symbolic link means nothing.
        if status.kind == .link { return }
        let isSticky = status.kind == .directory && status.mode & 0o1000 != 0
        guard status.mode & 0o022 == 0 || isSticky else { throw .writable(path: path, mode: status.mode) }
    }

    /// The path of an entry of the directory where the walk is.
    private func whole(_ name: String?) -> String { "/" + (names + (name.map { [$0] } ?? [])).joined(separator: "/") }

    /// The components in reverse, without empty ones and dots.
    private static func components(of path: String) -> [Substring] {
        path.split(separator: "/").filter { $0 != "." }.reversed()
    }

    private static func naming<Value>(_ path: String, _ body: () throws(Errno) -> Value) throws(TrustError) -> Value {
        do throws(Errno) {
            return try body()
        } catch .notFound {
            throw .missing(path: path)
        } catch {
            throw .system(path: path, error)
        }
    }
}
