/// Reads a regular expression; each method reads what it is named for and stops behind it.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    /// Of each scalar, and of the end.
    private let offsets: [Int]
    private var position = 0
    private var depth = 0

    init(_ text: String) throws(MatcherError) {
        guard text.utf8.count <= Matcher.patternLimit else {
            throw MatcherError(.tooLong(limit: Matcher.patternLimit), at: Matcher.patternLimit)
        }
        scalars = Array(text.unicodeScalars)
        offsets = scalars.reduce(into: [0]) { $0.append(($0.last ?? 0) + UTF8.width($1)) }
    }

    mutating func pattern() throws(MatcherError) -> Pattern {
        if next == "^" { position += 1 }
        let pattern = try choice()
        if position < scalars.count { throw fault(.stray(")"), at: position) }
        return pattern
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func fault(_ reason: MatcherError.Reason, at index: Int) -> MatcherError {
        MatcherError(reason, at: offsets[index])
    }

    private mutating func choice() throws(MatcherError) -> Pattern {
        var choices = [try sequence()]
        while next == "|" {
            position += 1
            choices.append(try sequence())
        }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func sequence() throws(MatcherError) -> Pattern {
        var items: [Pattern] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if scalar == "$", position == scalars.count - 1, depth == 0 {
                position += 1
                break
            }
            items.append(try repetition(of: try atom()))
        }
        return items.count == 1 ? items[0] : .sequence(items)
    }

    private mutating func atom() throws(MatcherError) -> Pattern {
        let start = position
        let scalar = scalars[position]
        position += 1
        switch scalar {
        case "(": return try group(openedAt: start)
        case "[": return .scalars(try characterClass(openedAt: start))
        case ".": return .scalars(.dot)
        case "\\": return .scalars(try escape().set)
        case "*", "+", "?": throw fault(.nothingToRepeat, at: start)
        case "{": throw fault(.badCount, at: start)
        case "]", "}": throw fault(.stray(Character(scalar)), at: start)
        case "^", "$": throw fault(.anchorInside(Character(scalar)), at: start)
        default: return .scalars(ScalarSet(scalar))
        }
    }

    private mutating func group(openedAt start: Int) throws(MatcherError) -> Pattern {
        if next == "?" { throw fault(.groupOption, at: position) }
        guard depth < Matcher.depthLimit else { throw fault(.tooDeep(limit: Matcher.depthLimit), at: start) }
        depth += 1
        let inside = try choice()
        depth -= 1
        guard next == ")" else { throw fault(.unclosed("("), at: start) }
        position += 1
        return inside
    }

    private mutating func repetition(of atom: Pattern) throws(MatcherError) -> Pattern {
        let counts: (min: Int, max: Int?)
        switch next {
        case "*": counts = (0, nil)
        case "+": counts = (1, nil)
        case "?": counts = (0, 1)
        case "{": counts = try count()
        default: return atom
        }
        position += 1
        if let scalar = next, ["*", "+", "?", "{"].contains(scalar) { throw fault(.repeatedTwice, at: position) }
        return .repeated(atom, min: counts.min, max: counts.max)
    }

    /// Reads `{n`, `{n,` or `{n,m` and stops before the brace that must follow.
    private mutating func count() throws(MatcherError) -> (min: Int, max: Int?) {
        let start = position
        position += 1
        guard let min = try number() else { throw fault(.badCount, at: start) }
        var max: Int? = min
        if next == "," {
            position += 1
            max = try number()
        }
        guard next == "}" else { throw fault(.badCount, at: start) }
        if let max, max < min { throw fault(.reversed, at: start) }
        return (min, max)
    }

    private mutating func number() throws(MatcherError) -> Int? {
        let start = position
        var value = 0
        while let scalar = next, let digit = Int(String(scalar)), scalar.isASCII {
            value = value * 10 + digit
            guard value <= Matcher.countLimit else { throw fault(.countTooLarge(limit: Matcher.countLimit), at: start) }
            position += 1
        }
        return position > start ? value : nil
    }

    /// Reads what follows a backslash; `single` is the scalar when it stands for only one.
    private mutating func escape() throws(MatcherError) -> (set: ScalarSet, single: Unicode.Scalar?) {
        guard let scalar = next else { throw fault(.lastBackslash, at: position - 1) }
        position += 1
        switch scalar {
        case "d": return (.digits, nil)
        case "D": return (ScalarSet.digits.inverted, nil)
        case "w": return (.word, nil)
        case "W": return (ScalarSet.word.inverted, nil)
        case "s": return (.space, nil)
        case "S": return (ScalarSet.space.inverted, nil)
        case "t": return (ScalarSet("\t"), "\t")
        case "n": return (ScalarSet("\n"), "\n")
        case "r": return (ScalarSet("\r"), "\r")
        default:
            guard scalar.isASCII, scalar.value >= 0x20, scalar.value < 0x7f, !isNameByte(UInt8(scalar.value)) || scalar == "_" else {
                throw fault(.unknownEscape(Character(scalar)), at: position - 2)
            }
            return (ScalarSet(scalar), scalar)
        }
    }

    private mutating func characterClass(openedAt start: Int) throws(MatcherError) -> ScalarSet {
        let isNegated = next == "^"
        if isNegated { position += 1 }
        guard next != "]" else { throw fault(.emptyClass, at: start) }
        var set = ScalarSet([])
        var previous: Unicode.Scalar?
        var isFirst = true
        while let scalar = next, scalar != "]" {
            if scalar == "-", !isFirst, position + 1 < scalars.count, scalars[position + 1] != "]" {
                set = set.union(try range(from: previous))
                previous = nil
            } else {
                let item = try classItem()
                set = set.union(item.set)
                previous = item.single
            }
            isFirst = false
        }
        guard next == "]" else { throw fault(.unclosed("["), at: start) }
        position += 1
        return isNegated ? set.inverted : set
    }

    private mutating func classItem() throws(MatcherError) -> (set: ScalarSet, single: Unicode.Scalar?) {
        let scalar = scalars[position]
        if scalar == "[" { throw fault(.bracketInClass, at: position) }
        position += 1
        return scalar == "\\" ? try escape() : (ScalarSet(scalar), scalar)
    }

    /// Reads the rest of a range whose first scalar was `first`, beginning with the `-`.
    private mutating func range(from first: Unicode.Scalar?) throws(MatcherError) -> ScalarSet {
        let dash = position
        position += 1
        guard let first, let last = try classItem().single else { throw fault(.badRange, at: dash) }
        guard first <= last else { throw fault(.reversed, at: dash) }
        return ScalarSet([first.value...last.value])
    }
}
