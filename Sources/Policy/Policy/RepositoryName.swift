/// The name of a repository beneath a root: `team/app`, without the slash before it and the `.git` behind it.
public struct RepositoryName: Hashable, Sendable, CustomStringConvertible {
    /// At least one; none is empty, `.` or `..`, begins with `-`, or holds `/`, `~`, NUL or a control character.
    public let components: [String]

    /// Bytes of a name.
    public static let lengthLimit = 1024
    /// Bytes between two slashes, so that there is room for `.git` (NAME_MAX is 255).
    public static let componentLimit = 250

    /// Takes what a client gives as the path of a repository; nil for what cannot be one.
    ///
    /// Clients write `team/app`, `team/app.git`, and in URLs `/team/app.git`: all of them mean the same one.
    public init?(_ path: String) {
        var bytes = Array(path.utf8)[...]
        if bytes.first == UInt8(ascii: "/") { bytes = bytes.dropFirst() }
        if bytes.last == UInt8(ascii: "/") { bytes = bytes.dropLast() }
        guard bytes.count <= Self.lengthLimit else { return nil }
        var components = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
        guard var last = components.popLast() else { return nil }
        // What is inside of a repository is not another one.
        guard !components.contains(where: { $0.ends(with: Self.suffix) }) else { return nil }
        if last.ends(with: Self.suffix) { last.removeLast(Self.suffix.count) }
        components.append(last)
        guard components.allSatisfy(Self.isComponent) else { return nil }
        self.components = components.map { String(decoding: $0, as: UTF8.self) }
    }

    public var description: String { components.joined(separator: "/") }

    private static func isComponent(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, first != UInt8(ascii: "-"), bytes.count <= componentLimit else { return false }
        if bytes == [UInt8(ascii: ".")] || bytes == Array("..".utf8) { return false }
        return !bytes.contains { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "~") }
    }

    private static let suffix = Array(".git".utf8)
}

extension Collection where Element: Equatable {
    fileprivate func ends(with suffix: some Collection<Element>) -> Bool {
        count >= suffix.count && self.dropFirst(count - suffix.count).elementsEqual(suffix)
    }
}

/// Which repositories a rule is about: `team/**`.
///
/// `*` stands for any bytes but a slash, `**` as a component of its own for one or more components.
public struct RepositoryPattern: Hashable, Sendable, CustomStringConvertible {
    /// As it was written, without `.git` behind it.
    public let description: String

    /// Bytes of a pattern.
    public static let lengthLimit = 1024

    /// Nil for what cannot match any repository, or is too long.
    public init?(_ text: String) {
        guard text.utf8.first != UInt8(ascii: "/"), let name = RepositoryName(text) else { return nil }
        let isSound = name.components.allSatisfy { component in
            let stars = component.utf8.split(whereSeparator: { $0 != UInt8(ascii: "*") }).map(\.count).max() ?? 0
            return stars < 2 || component == "**"
        }
        guard isSound else { return nil }
        description = name.description
    }

    public func matches(_ name: RepositoryName) -> Bool {
        let components = description.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        let wildcard = Wildcard(pattern: components) { $0 == "**" }
        return wildcard.matches(name.components, leastOfStar: 1) { ByteWildcard($0).matches($1) }
    }
}
