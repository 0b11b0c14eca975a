/// What a push may do to some refs (DESIGN §3.2, `refs`).
///
/// A question that a rule leaves open is answered by the next one that matches; what none answers is allowed.
public struct RefRule: Equatable, Sendable {
    /// What a push does to a ref. ``push`` is asked of every one besides.
    public enum Act: String, Sendable, CaseIterable, Comparable {
        case push, create, change, delete, force

        public static func < (one: Act, other: Act) -> Bool { one.place < other.place }
        private var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// As in git's refspecs `*` stands for any characters, slashes too; `**` is the same.
    public var match: String
    /// What the rule says; what is not in it, it leaves open.
    public var answers: [Act: Bool]

    public init(match: String, answers: [Act: Bool]) {
        self.match = match
        self.answers = answers
    }

    /// Bytes of a pattern.
    public static let lengthLimit = 256
    /// Rules of a command.
    public static let countLimit = 64
    /// The variable by which the hook gets the rules; no client can set one with this prefix.
    public static let variable = "POSTERN_GIT_REFS"
    /// The variable with the directory of the policy's own hooks.
    public static let hooksVariable = "POSTERN_GIT_HOOKS"

    /// Whether `text` may stand in `match`: as refs do, it holds no space, control character, `~`, `^`, `:`, `?`, `[`, or backslash.
    public static func isPattern(_ text: String) -> Bool {
        guard text.utf8.count <= lengthLimit, text == "**" || text == "*" || text.hasPrefix("refs/") else { return false }
        return text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && !#"~^:?[\"#.utf8.contains($0) }
    }

    /// Whether the rules allow an act on a ref.
    public static func allows(_ act: Act, on ref: String, _ rules: [RefRule]) -> Bool {
        rules.first { $0.answers[act] != nil && ByteWildcard($0.match).matches(ref) }?.answers[act] ?? true
    }
}

extension RefRule {
    /// A line for each rule: `refs/tags/* change=0 delete=0`.
    public static func text(of rules: [RefRule]) -> String {
        rules.map { "\($0)" }.joined(separator: "\n")
    }

    /// The rules in a text; nil where it is none of ours.
    public static func rules(in text: String) -> [RefRule]? {
        var rules: [RefRule] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard let match = words.first, isPattern(match) else { return nil }
            var answers: [Act: Bool] = [:]
            for word in words.dropFirst() {
                guard let act = Act(rawValue: String(word.dropLast(2))), word.hasSuffix("=0") || word.hasSuffix("=1") else { return nil }
                answers[act] = word.hasSuffix("=1")
            }
            rules.append(RefRule(match: match, answers: answers))
        }
        return rules
    }
}

extension RefRule: CustomStringConvertible {
    public var description: String {
        ([match] + answers.sorted { $0.key < $1.key }.map { "\($0.key.rawValue)=\($0.value ? 1 : 0)" }).joined(separator: " ")
    }
}
