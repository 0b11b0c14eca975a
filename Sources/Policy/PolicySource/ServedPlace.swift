import Policy

/// A directory that a command serves, `drop` or `rsync`, and what clients may do there.
protocol ServedPlace {
    associatedtype Access: AccessRight
    var root: String { get }
    var access: [Access] { get }
}

/// One word of `access`.
protocol AccessRight: CaseIterable, Equatable {
    /// As a policy writes it.
    var word: String { get }
}

extension DropRules: ServedPlace {}
extension DropRules.Access: AccessRight {}
extension RsyncRules: ServedPlace {}
extension RsyncRules.Access: AccessRight {}

extension Report {
    /// Reads the words of `access`, each at most once.
    ///
    /// - Parameter region: where it stands, should it be empty.
    /// - Parameter place: whose words these are, where it is said.
    /// - Parameter hint: what to do about a word that is none; nil: as about every other.
    func access<Right: AccessRight>(
        _ words: [Located<String>], _ region: Region, of place: String? = nil, hint: (String) -> String? = { _ in nil }
    ) -> [Right] {
        var access: [Right] = []
        for word in words {
            guard let right = Right.allCases.first(where: { $0.word == word.value }) else {
                let choices = Right.allCases.map(\.word)
                error(
                    word.region, "\"\(word.value)\" is not a value of \"access\"" + (place.map { " for \($0)" } ?? ""),
                    hint: hint(word.value) ?? Suggestion.hint(for: word.value, among: choices) ?? "one of \(choices.joined(separator: ", "))")
                continue
            }
            if access.contains(right) { error(word.region, "\"\(word.value)\" is there twice") } else { access.append(right) }
        }
        if words.isEmpty { error(region, "\"access\" is empty", hint: "say what may be done, as access = [\"upload\"]") }
        return access
    }
}

extension [Variation] {
    /// Adds what two versions of such a place differ in.
    ///
    /// - Returns: both, where there are two.
    @discardableResult
    mutating func comparePlaces<Place: ServedPlace>(_ name: String, _ old: Place?, _ new: Place?) -> (old: Place, new: Place)? {
        guard let old, let new else {
            compare(name, old?.root, new?.root, .other) { $0 ?? "none" }
            return nil
        }
        compare("\(name) root", old.root, new.root, .other) { $0 }
        compareElements("\(name) access", old.access.map(\.word), new.access.map(\.word))
        return (old, new)
    }
}
