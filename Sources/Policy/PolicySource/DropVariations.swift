import Policy

/// What two versions of a drop account differ in.
enum DropVariations {
    static func between(_ old: DropRules?, _ new: DropRules?) -> [Variation] {
        var found: [Variation] = []
        guard let (old, new) = found.comparePlaces("drop", old, new) else { return found }
        found.compare("drop max_file", old.maxFile, new.maxFile, .ofLimit(old.maxFile, new.maxFile), bytes)
        found.compare("drop quota", old.quota, new.quota, .ofLimit(old.quota, new.quota), bytes)
        found.compare("drop max_files", old.maxFiles, new.maxFiles, .ofLimit(old.maxFiles, new.maxFiles)) { $0.map { "\($0)" } ?? "no limit" }
        found.compare("drop names", old.names, new.names, .between(old.names, new.names, includes)) { names in
            names.isEmpty ? "any" : names.joined(separator: " ")
        }
        // What they run in is compared with the other sandboxes.
        found.compare("verify", old.verify?.words, new.verify?.words, .other) { $0?.joined(separator: " ") ?? "none" }
        found.compare("on_complete", old.onComplete?.words, new.onComplete?.words, .none) { $0?.joined(separator: " ") ?? "none" }
        return found
    }

    private static func includes(_ outer: [String], _ inner: [String]) -> Bool {
        outer.isEmpty || !inner.isEmpty && Set(inner).isSubset(of: Set(outer))
    }

    private static func bytes(_ limit: UInt64?) -> String { limit.map { Quantity.text(bytes: $0) } ?? "no limit" }
}
