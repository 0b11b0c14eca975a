/// A path of a client of rsync, beneath the root of its command: what is written from the root begins there too.
struct RsyncPath: Equatable {
    /// For rsync, started in the root: relative, not an option, and a slash at the end where the client wrote one.
    var argument: String
    /// Its components, for looking at where they lead.
    var plain: String

    /// Nil for a path with `..`, or through what is a drop account's own.
    ///
    /// - Parameter keepsDots: with `--relative` a component `.` says where the names that are sent begin.
    init?(_ path: String, keepsDots: Bool) {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true).map { String($0) ?? "" }
        guard !parts.contains(".."), !parts.contains(Self.hidden), !path.utf8.contains(0) else { return nil }
        let names = parts.filter { $0 != "." }
        plain = names.isEmpty ? "." : names.joined(separator: "/")
        var shown = keepsDots ? Array(parts.drop { $0 == "." }) : names
        while shown.last == "." { shown.removeLast() }
        guard !shown.isEmpty else {
            argument = "."
            return
        }
        let isContents = path.utf8.last == UInt8(ascii: "/") || parts.last == "."
        argument = shown.joined(separator: "/") + (isContents ? "/" : "")
        // rsync reads options wherever they stand (popt).
        if argument.utf8.first == UInt8(ascii: "-") { argument = "./" + argument }
    }

    /// Whether a path is relative, and stays beneath where it begins.
    static func isBeneath(_ path: String) -> Bool {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String($0) ?? "" }
        return parts.allSatisfy { part in part != ".." && part != "." && part != "" && part != hidden }
    }

    /// What a drop account in the same place keeps there.
    static let hidden = ".postern"
}
