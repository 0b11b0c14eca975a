import Policy

/// What two versions of a command's `rsync` differ in.
enum RsyncVariations {
    static func between(_ old: RsyncRules?, _ new: RsyncRules?) -> [Variation] {
        var found: [Variation] = []
        guard let old, let new else {
            found.compare("rsync", old?.root, new?.root, .other) { $0 ?? "none" }
            return found
        }
        found.compare("rsync root", old.root, new.root, .other) { $0 }
        found.compareElements("rsync access", old.access.map(\.word), new.access.map(\.word))
        return found
    }
}

extension RsyncRules {
    /// Whether every line that `other` takes is taken here too. Who may overwrite takes no more lines: it does more with them.
    func includes(_ other: RsyncRules) -> Bool {
        Set(other.access).subtracting([.overwrite]).isSubset(of: access)
    }
}
