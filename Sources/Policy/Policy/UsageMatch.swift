/// What the client gave for the parts of a usage.
struct Bindings: Equatable, Sendable {
    /// By argument name; more than one only for `<name>...`.
    var values: [String: [String]] = [:]
    /// The `[literal]`s given.
    var flags: Set<String> = []
    /// The values of `path_in` arguments, in the order of the words.
    var paths: [Path] = []

    /// A value that must not lead out of its type's directory.
    struct Path: Equatable, Sendable {
        var argument: String
        var directory: String
        /// From the root.
        var path: String
        /// The index of its word.
        var word: Int
    }
}

/// Where a list of words stopped to fit a usage.
struct UsageFailure: Equatable, Comparable, Sendable {
    enum Kind: Equatable, Sendable {
        /// The word is not the literal, or there is no word.
        case otherLiteral
        /// There is no part left for the word.
        case unexpected
        case missing(argument: String, ArgumentType)
        case wrong(argument: String, ArgumentType)

        /// Of failures at the same word, the one with the higher rank tells more.
        var rank: Int {
            switch self {
            case .otherLiteral: 0
            case .unexpected: 1
            case .missing: 2
            case .wrong: 3
            }
        }
    }

    /// The index of the word, or the count of words.
    var word: Int
    var kind: Kind

    static func < (one: UsageFailure, other: UsageFailure) -> Bool {
        (one.word, one.kind.rank) < (other.word, other.kind.rank)
    }
}

/// Fits words to the parts of a usage, optional parts given where that works.
///
/// Every pair of part and word is tried once at most, so that the time is bounded by their product.
struct UsageMatch {
    enum Outcome: Equatable, Sendable {
        case matched(Bindings)
        case failed(UsageFailure)
    }

    private let parts: [Usage.Part]
    private let types: [String: ArgumentType]
    private let words: [String]
    /// Pairs from where no way leads to the end, as `part * (words + 1) + word`.
    private var deadEnds: Set<Int> = []
    private var furthest = UsageFailure(word: 0, kind: .otherLiteral)
    private var bindings = Bindings()

    init(_ usage: Usage, arguments: [String: ArgumentType], words: [String]) {
        parts = usage.parts
        types = arguments
        self.words = words
    }

    mutating func outcome() -> Outcome {
        fits(0, 0) ? .matched(bindings) : .failed(furthest)
    }

    /// Whether the words from `word` fit the parts from `part`; if so their values are in ``bindings``.
    private mutating func fits(_ part: Int, _ word: Int) -> Bool {
        guard part < parts.count else {
            if word < words.count { note(.unexpected, at: word) }
            return word == words.count
        }
        let pair = part * (words.count + 1) + word
        if deadEnds.contains(pair) { return false }
        let result = fitsNew(part, word)
        if !result { deadEnds.insert(pair) }
        return result
    }

    private mutating func fitsNew(_ part: Int, _ word: Int) -> Bool {
        switch parts[part] {
        case .literal(let literal):
            guard isWord(word, literal) else {
                note(.otherLiteral, at: word)
                return false
            }
            return fits(part + 1, word + 1)
        case .optionalLiteral(let literal):
            if isWord(word, literal), fits(part + 1, word + 1) {
                bindings.flags.insert(literal)
                return true
            }
            return fits(part + 1, word)
        case .argument(let name):
            guard accepts(word, name, isRequired: true), fits(part + 1, word + 1) else { return false }
            bind(name, word..<word + 1)
            return true
        case .optionalArgument(let name):
            if accepts(word, name, isRequired: false), fits(part + 1, word + 1) {
                bind(name, word..<word + 1)
                return true
            }
            return fits(part + 1, word)
        case .arguments(let name):
            for index in word..<max(words.count, word + 1) {
                guard accepts(index, name, isRequired: true) else { return false }
            }
            bind(name, word..<words.count)
            return true
        }
    }

    private func isWord(_ word: Int, _ literal: String) -> Bool {
        word < words.count && words[word].hasSameBytes(as: literal)
    }

    private mutating func accepts(_ word: Int, _ name: String, isRequired: Bool) -> Bool {
        let type = types[name] ?? .word
        guard word < words.count else {
            if isRequired { note(.missing(argument: name, type), at: word) }
            return false
        }
        if type.accepts(words[word]) { return true }
        note(.wrong(argument: name, type), at: word)
        return false
    }

    private mutating func bind(_ name: String, _ range: Range<Int>) {
        let type = types[name] ?? .word
        bindings.values[name] = words[range].map(type.resolved)
        // Words are bound from the last to the first.
        guard case .path(let directory) = type.kind else { return }
        bindings.paths = range.map { .init(argument: name, directory: directory, path: type.resolved(words[$0]), word: $0) } + bindings.paths
    }

    private mutating func note(_ kind: UsageFailure.Kind, at word: Int) {
        let failure = UsageFailure(word: word, kind: kind)
        if furthest < failure { furthest = failure }
    }
}
