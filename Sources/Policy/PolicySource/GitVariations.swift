import Policy

/// What two versions of a command's `git` differ in.
enum GitVariations {
    static func compare(_ old: GitService?, _ new: GitService?, _ found: inout [Variation]) {
        guard let old, let new else {
            found.compare("git", old, new, .other) { $0.map { "root \"\($0.root)\"" } ?? "none" }
            return
        }
        found.compare("git root", old.root, new.root, .other) { $0 }
        found.compareElements("git repositories", old.repositories.map(\.description), new.repositories.map(\.description))
        found.compare("git access", old.access, new.access, new.access == .write ? .wider : .narrower) { "\($0)" }
        found.compare("git create", old.creates, new.creates, new.creates ? .wider : .narrower) { "\($0)" }
        // The first rule that answers decides: what an order of them allows is not compared.
        found.compare("git refs", old.refs, new.refs, .other) { $0.isEmpty ? "none" : $0.map(\.description).joined(separator: "; ") }
        found.compare("git hooks", old.hooks, new.hooks, .other) { $0 ?? "none" }
        found.compare("git max_pack", old.maxPack, new.maxPack, .ofLimit(old.maxPack, new.maxPack)) { $0.map { Quantity.text(bytes: $0) } ?? "none" }
    }
}

extension GitService {
    /// Whether every request that `other` takes is taken here too; false only means that nobody knows.
    func includes(_ other: GitService) -> Bool {
        let all = repositories.map(\.description)
        return access.rawValue >= other.access.rawValue
            && (all.contains("**") || other.repositories.allSatisfy { all.contains($0.description) })
    }
}
