// What one rule of a policy allows, compared with what another does. Each answers true only for what is certain, so that a comparison
// of two policies can be relied on: false means "not all of it, or nobody knows".

extension Matcher {
    /// Whether every value that `other` matches is matched here too.
    ///
    /// Both tables are walked side by side; beyond a million pairs of states the answer is false.
    public func includes(_ other: Matcher) -> Bool {
        if table == other.table { return true }
        let (mine, theirs) = (table, other.table)
        let columns = Set((0..<256).map { Int(mine.classOfByte[$0]) << 8 | Int(theirs.classOfByte[$0]) })
        let start = 1 * theirs.isAccepting.count + 1
        var seen: Set<Int> = [start]
        var waiting = [start]
        while let pair = waiting.popLast() {
            let (one, two) = pair.quotientAndRemainder(dividingBy: theirs.isAccepting.count)
            if theirs.isAccepting[two], !mine.isAccepting[one] { return false }
            for column in columns {
                let next = Int(theirs.next[two * theirs.classCount + column & 0xff])
                // State 0 never accepts again.
                guard next != 0 else { continue }
                let pair = Int(mine.next[one * mine.classCount + column >> 8]) * theirs.isAccepting.count + next
                guard seen.insert(pair).inserted else { continue }
                guard seen.count <= Self.pairLimit else { return false }
                waiting.append(pair)
            }
        }
        return true
    }

    private static let pairLimit = 1 << 20
}

extension ArgumentType {
    /// Whether every value that `other` accepts is accepted here too, and gives the command the same word.
    public func includes(_ other: ArgumentType) -> Bool {
        if self == other { return true }
        switch (kind, other.kind) {
        case (.path, _), (_, .path): return false
        case (_, .oneOf(let choices)): return choices.allSatisfy(accepts)
        case (.integer(let mine), .integer(let theirs)):
            return mine.lowerBound <= theirs.lowerBound && theirs.upperBound <= mine.upperBound
        case (.word, .integer), (.hex, .integer), (.word, .semver), (.word, .hex): return true
        case (_, .integer(let range)) where range.upperBound - range.lowerBound < Self.choiceLimit:
            return range.allSatisfy { accepts(String($0)) }
        default:
            guard let mine = language, let theirs = other.language else { return false }
            return mine.includes(theirs)
        }
    }

    /// A matcher for exactly the values of the type; nil where there is none at hand.
    private var language: Matcher? {
        switch kind {
        case .match(let matcher): matcher
        case .word: Self.matcher(#"[A-Za-z0-9_@%+=:,./][A-Za-z0-9_@%+=:,./-]{0,255}"#)
        case .hex: Self.matcher("[0-9a-fA-F]{1,256}")
        case .oneOf, .integer, .path, .semver, .gitref: nil
        }
    }

    private static func matcher(_ pattern: String) -> Matcher? {
        do throws(MatcherError) { return try Matcher(pattern) } catch { return nil }
    }
}

extension AddressPattern {
    /// Whether every address in the network of `other` is in this one's.
    func covers(_ other: AddressPattern) -> Bool {
        other.prefixLength >= prefixLength && contains(other.network)
    }

    private func overlaps(_ other: AddressPattern) -> Bool { covers(other) || other.covers(self) }

    /// Whether every peer that the `from` list `others` admits is admitted by `list` too.
    public static func list(_ list: [AddressPattern], includes others: [AddressPattern]) -> Bool {
        if list.isEmpty { return true }
        if others.isEmpty { return false }
        let exclusions = others.filter(\.isExclusion)
        let admitted = others.filter { one in !one.isExclusion && !exclusions.contains { $0.covers(one) } }
        let isCovered = admitted.allSatisfy { one in list.contains { !$0.isExclusion && $0.covers(one) } }
        // What is excluded here must be excluded there, or never be admitted there.
        let isKept = list.filter(\.isExclusion).allSatisfy { excluded in
            exclusions.contains { $0.covers(excluded) } || !admitted.contains { $0.overlaps(excluded) }
        }
        return isCovered && isKept
    }
}

extension Usage {
    /// Whether every list of words that fits `other` fits here too, when the arguments have the same types.
    public func includes(_ other: Usage) -> Bool {
        if self == other || acceptsAnyLine { return true }
        if other.acceptsAnyLine { return false }
        // Which counts of the other's parts can be behind us.
        var reached: Set<Int> = [0]
        for part in parts {
            var next: Set<Int> = part.isOptional ? reached : []
            for count in reached where count < other.parts.count && part.includes(other.parts[count]) { next.insert(count + 1) }
            reached = next
        }
        return reached.contains(other.parts.count)
    }

    /// Whether some list of words may fit both; false only where it is certain.
    public func overlaps(_ other: Usage) -> Bool {
        guard case .literal(let mine)? = parts.first, case .literal(let theirs)? = other.parts.first else { return true }
        return mine.hasSameBytes(as: theirs)
    }
}

extension Usage.Part {
    fileprivate var isOptional: Bool {
        switch self {
        case .optionalLiteral, .optionalArgument: true
        case .literal, .argument, .arguments: false
        }
    }

    fileprivate func includes(_ other: Usage.Part) -> Bool {
        switch (self, other) {
        case (.optionalLiteral(let mine), .literal(let theirs)): mine.hasSameBytes(as: theirs)
        case (.optionalArgument(let mine), .argument(let theirs)), (.arguments(let mine), .argument(let theirs)): mine == theirs
        default: self == other
        }
    }
}

extension Network {
    /// Whether all that `other` reaches is reached here too.
    public func includes(_ other: Network) -> Bool {
        switch (self, other) {
        case (.any, _), (_, .none), (.unix, .unix): true
        case (.tcp(let mine, let dns), .tcp(let theirs, let theirDNS)):
            Set(theirs).isSubset(of: mine) && (dns || !theirDNS)
        default: false
        }
    }
}

extension PathRule {
    /// Whether all that `other` allows is allowed here too, as far as paths tell: where symbolic links lead is not looked at.
    public func includes(_ other: PathRule) -> Bool {
        let isAbove = path == "/" || other.path.hasSameBytes(as: path) || other.path.utf8.starts(with: (path + "/").utf8)
        return isAbove && (access == other.access || other.access == .read)
    }
}
