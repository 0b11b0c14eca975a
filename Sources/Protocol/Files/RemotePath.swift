/// A path as a client writes it, from the root that it is shown: `/` is that root, wherever it is.
///
/// It is resolved as text: `.` and empty components are left out, `..` takes the one before away and stops at the root. Since no
/// symbolic link is ever followed, that is where it leads.
public struct RemotePath: Hashable, Sendable {
    /// Each 1 to ``nameLimit`` bytes, neither `.` nor `..`, without `/` and NUL.
    public private(set) var components: [[UInt8]]

    /// Bytes of a path.
    public static let lengthLimit = 4095
    /// Bytes of a name.
    public static let nameLimit = 255
    /// Components of a path.
    public static let depthLimit = 64

    public static let root = RemotePath()

    private init() { components = [] }

    /// - Throws: ``FileError/Kind/badMessage`` for what can be no path: a NUL, or too long.
    public init(_ bytes: some Collection<UInt8>) throws(FileError) {
        guard bytes.count <= Self.lengthLimit else { throw FileError(.badMessage, "the path is too long") }
        guard !bytes.contains(0) else { throw FileError(.badMessage, "the path holds a NUL") }
        components = []
        for name in bytes.split(separator: UInt8(ascii: "/")) where !name.elementsEqual(".".utf8) {
            if name.elementsEqual("..".utf8) {
                _ = components.popLast()
            } else {
                guard name.count <= Self.nameLimit else { throw FileError(.badMessage, "the name is too long") }
                components.append(Array(name))
            }
        }
        guard components.count <= Self.depthLimit else { throw FileError(.badMessage, "the path has too many parts") }
    }

    public var isRoot: Bool { components.isEmpty }

    /// The last component; empty at the root.
    public var name: [UInt8] { components.last ?? [] }

    /// The directory it stands in; the root's is the root.
    public var parent: RemotePath {
        var path = self
        _ = path.components.popLast()
        return path
    }

    /// A name in this directory.
    ///
    /// - Throws: ``FileError/Kind/badMessage`` for what is no name: empty, `.`, `..`, with `/` or NUL, too long.
    public func appending(_ name: [UInt8]) throws(FileError) -> RemotePath {
        guard !name.isEmpty, !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8), !name.contains(UInt8(ascii: "/")) else {
            throw FileError(.badMessage, "\"\(VisibleName.text(name))\" is no file name")
        }
        var path = try RemotePath(name)
        path.components = components + path.components
        guard path.components.count <= Self.depthLimit else { throw FileError(.badMessage, "the path has too many parts") }
        return path
    }

    /// From the root: `/a/b`.
    public var bytes: [UInt8] {
        isRoot ? [UInt8(ascii: "/")] : components.flatMap { [UInt8(ascii: "/")] + $0 }
    }

    /// Without the `/` in front; `.` for the root.
    public var relative: [UInt8] { isRoot ? [UInt8(ascii: ".")] : Array(bytes.dropFirst()) }
}

extension RemotePath {
    /// As ``init(_:)``, where `~` and what begins with `~/` starts at the root too.
    public init(expanding bytes: [UInt8]) throws(FileError) {
        let isHome = bytes.first == UInt8(ascii: "~") && (bytes.count == 1 || bytes[1] == UInt8(ascii: "/"))
        try self.init(isHome ? bytes.dropFirst() : bytes[...])
    }
}
