/// A path as a client writes it, from the root that it is shown: `/` is that root, wherever it is.
///
/// It is resolved as text: `.` and empty components are left out, `..` takes the one before away and stops at the root. Since no
/// symbolic link is ever followed, that is where it leads.
public struct RemotePath: Hashable, Sendable {
    /// Without the `/` in front, as it was resolved; empty at the root.
    private var resolved: [UInt8] = []

    /// Bytes of a path.
    public static let lengthLimit = 4095
    /// Bytes of a name.
    public static let nameLimit = 255
    /// Components of a path.
    public static let depthLimit = 64

    private static let separator = UInt8(ascii: "/")

    public static let root = RemotePath()

    private init() {}

    /// - Throws: ``FileError/Kind/badMessage`` for what can be no path: a NUL, or too long.
    public init(_ bytes: [UInt8]) throws(FileError) {
        guard bytes.count <= Self.lengthLimit else { throw FileError(.badMessage, "the path is too long") }
        guard !bytes.contains(0) else { throw FileError(.badMessage, "the path holds a NUL") }
        resolved.reserveCapacity(bytes.count)
        var start = 0
        for end in 0...bytes.count where end == bytes.count || bytes[end] == Self.separator {
            try descend(bytes[start..<end])
            start = end + 1
        }
        try checkLimits()
    }

    private mutating func descend(_ name: ArraySlice<UInt8>) throws(FileError) {
        let dot = UInt8(ascii: ".")
        if name.isEmpty || name == [dot] { return }
        if name == [dot, dot] { return self = parent }
        guard name.count <= Self.nameLimit else { throw FileError(.badMessage, "the name is too long") }
        if !isRoot { resolved.append(Self.separator) }
        resolved += name
    }

    private func checkLimits() throws(FileError) {
        guard resolved.count <= Self.lengthLimit else { throw FileError(.badMessage, "the path is too long") }
        guard resolved.count(where: { $0 == Self.separator }) < Self.depthLimit else { throw FileError(.badMessage, "the path has too many parts") }
    }

    public var isRoot: Bool { resolved.isEmpty }

    /// Each 1 to ``nameLimit`` bytes, neither `.` nor `..`, without `/` and NUL.
    public var components: [ArraySlice<UInt8>] { resolved.split(separator: Self.separator) }

    /// Whether it is `name` at the root, or below that.
    public func isWithin(_ name: [UInt8]) -> Bool {
        resolved.starts(with: name) && (resolved.count == name.count || resolved[name.count] == Self.separator)
    }

    /// Where it is once `old` has become `new`.
    public func moved(from old: RemotePath, to new: RemotePath) -> RemotePath {
        guard isWithin(old.resolved) else { return self }
        var path = new
        path.resolved += resolved[old.resolved.count...]
        return path
    }

    /// The last component; empty at the root.
    public var name: [UInt8] { Array(resolved[(lastSeparator.map { $0 + 1 } ?? 0)...]) }

    /// The directory it stands in; the root's is the root.
    public var parent: RemotePath {
        var path = RemotePath()
        path.resolved = Array(resolved[..<(lastSeparator ?? 0)])
        return path
    }

    private var lastSeparator: Int? { resolved.lastIndex(of: Self.separator) }

    /// A name in this directory.
    ///
    /// - Throws: ``FileError/Kind/badMessage`` for what is no name: empty, `.`, `..`, with `/` or NUL, too long.
    public func appending(_ name: [UInt8]) throws(FileError) -> RemotePath {
        var path = self
        let isName = try RemotePath(name).resolved == name && !name.contains(Self.separator) && !name.isEmpty
        guard isName else { throw FileError(.badMessage, "\"\(VisibleName.text(name))\" is no file name") }
        try path.descend(name[...])
        try path.checkLimits()
        return path
    }

    /// From the root: `/a/b`.
    public var bytes: [UInt8] { [Self.separator] + resolved }

    /// Without the `/` in front; `.` for the root.
    public var relative: [UInt8] { isRoot ? [UInt8(ascii: ".")] : resolved }
}

extension RemotePath {
    /// As ``init(_:)``, where `~` and what begins with `~/` starts at the root too.
    public init(expanding bytes: [UInt8]) throws(FileError) {
        let isHome = bytes.first == UInt8(ascii: "~") && (bytes.count == 1 || bytes[1] == UInt8(ascii: "/"))
        try self.init(isHome ? Array(bytes.dropFirst()) : bytes)
    }
}
