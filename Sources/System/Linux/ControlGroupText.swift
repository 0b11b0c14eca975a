/// What the kernel's files on control groups say (cgroups(7), cgroup-v2.rst).
public enum ControlGroupText {
    /// The path of a process in the hierarchy of version 2, from `/proc/PID/cgroup`: the line `0::PATH`.
    ///
    /// - Returns: nil where there is none, or none below what this process sees as the root.
    public static func path(in text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("0::/") {
            let path = line.dropFirst(3)
            // From another namespace of control groups it begins with "/..", and of a group that was removed it ends in " (deleted)".
            if path.split(separator: "/").contains("..") || path.hasSuffix(" (deleted)") { return nil }
            return String(path)
        }
        return nil
    }

    /// The value of a line `NAME NUMBER`.
    public static func number(named name: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }

    /// Those of `wanted` that a list of words lacks.
    public static func missing(_ wanted: [String], in text: String) -> [String] {
        let words = text.split(whereSeparator: \.isWhitespace)
        return wanted.filter { !words.contains($0[...]) }
    }
}
