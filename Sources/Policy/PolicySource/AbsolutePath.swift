/// Paths as a policy may hold them: from the root, without detours.
enum AbsolutePath {
    /// The path as it stands, or nil after reporting what is wrong with it.
    static func check(_ path: Located<String>, _ report: Report) -> Located<String>? {
        guard path.value.utf8.first == UInt8(ascii: "/") else {
            report.error(
                path.region, "path \"\(path.value)\" is not absolute", hint: "write it from the root, as \"/srv/\(path.value)\"")
            return nil
        }
        let parts = path.value.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        guard !parts.contains("."), !parts.contains("..") else {
            report.error(path.region, "path \"\(path.value)\" goes through \".\" or \"..\"", hint: "write it without them")
            return nil
        }
        guard path.value.utf8.count <= longest else {
            report.error(path.region, "path is longer than \(longest) bytes")
            return nil
        }
        return Located("/" + parts.joined(separator: "/"), path.region)
    }

    /// `path` as it stands if it is absolute, otherwise beneath the directory of `file`.
    static func resolve(_ path: String, besides file: String) -> String {
        if path.utf8.first == UInt8(ascii: "/") { return path }
        guard let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(file[...slash]) + path
    }

    /// Of Linux, with the NUL at the end: PATH_MAX is 4096.
    private static let longest = 4095
}
