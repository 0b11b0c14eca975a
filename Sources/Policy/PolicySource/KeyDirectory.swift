import Policy

/// The directory of a drop account or for rsync, often one for each key: it is made when it is first used, what it lies in is not.
struct KeyDirectory {
    let surroundings: Surroundings
    let allowed: Set<String>
    /// Who it is made by.
    let user: String

    func check(_ root: Located<String>, _ report: Report) {
        var parts = root.value.split(separator: "/")
        parts.removeLast()
        // What the key's name is part of depends on the key.
        let parent = "/" + parts.prefix { !$0.contains("<") }.joined(separator: "/")
        if surroundings.exists(parent) { return }
        report.warning(
            .missingPath, root.region, allowed: allowed, "directory \"\(parent)\" is not there: nothing can be made in it",
            hint: "make it, as \"install -d -o \(user) \(parent)\"")
    }
}
