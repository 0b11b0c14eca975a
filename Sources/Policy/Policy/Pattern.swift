/// The syntax tree of a regular expression.
indirect enum Pattern: Equatable, Sendable {
    case scalars(ScalarSet)
    /// One after the other; none is the empty text.
    case sequence([Pattern])
    case choice([Pattern])
    /// At least `min` times, at most `max`; nil: without end.
    case repeated(Pattern, min: Int, max: Int?)
}

/// Why a pattern is not one of ours.
public struct MatcherError: TextFault {
    /// What is wrong with the pattern.
    public enum Reason: Hashable, Sendable {
        case tooLong(limit: Int)
        /// Groups in groups.
        case tooDeep(limit: Int)
        /// The automaton would be larger than a policy may hold.
        case tooManyStates(limit: Int)
        case nothingToRepeat
        /// A repetition directly behind another.
        case repeatedTwice
        /// `{` without `n}`, `n,}` or `n,m}` behind it.
        case badCount
        case countTooLarge(limit: Int)
        /// `{3,2}` or `[z-a]`.
        case reversed
        case unclosed(Character)
        /// `)`, `]` or `}` that closes nothing.
        case stray(Character)
        case emptyClass
        /// `[a-\d]` or `[\w-z]`.
        case badRange
        case bracketInClass
        case unknownEscape(Character)
        case lastBackslash
        /// `^` other than first, `$` other than last.
        case anchorInside(Character)
        /// `(?…`.
        case groupOption
    }

    /// The fault, with its evidence.
    public var reason: Reason
    /// Of the byte at fault.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        switch reason {
        case .tooLong(let limit): "a pattern has at most \(limit) bytes"
        case .tooDeep(let limit): "groups can stand in one another \(limit) deep"
        case .tooManyStates(let limit):
            "this pattern needs more than \(limit) states; use smaller counts, or fewer choices before something counted"
        case .nothingToRepeat: "there is nothing before this that could be repeated; write a backslash before it if you mean it"
        case .repeatedTwice: "what is repeated already is repeated again; leave one out, or put the first in a group"
        case .badCount: "a count is {n}, {n,} or {n,m}; write a backslash before the brace if you mean it"
        case .countTooLarge(let limit): "a count is at most \(limit)"
        case .reversed: "the second is before the first"
        case .unclosed(let opening): "this \"\(opening)\" is never closed"
        case .stray(let closing): "this \"\(closing)\" closes nothing; write a backslash before it if you mean it"
        case .emptyClass: "this class is empty; write a backslash before \"]\" if you mean it"
        case .badRange: "a range is from one character to another; write a backslash before \"-\" if you mean it"
        case .bracketInClass: "write a backslash before \"[\" in a class"
        case .unknownEscape(let escaped):
            "\"\\\(VisibleText.of(String(escaped)))\" has no meaning here; "
                + "\\d \\w \\s \\D \\W \\S \\t \\n \\r have, and a backslash before punctuation"
        case .lastBackslash: "there is nothing behind the last backslash"
        case .anchorInside(let anchor):
            "the whole value is matched, so \"\(anchor)\" can only be at the \(anchor == "^" ? "start" : "end"); "
                + "write a backslash before it if you mean it"
        case .groupOption: "groups have no options; write only the parenthesis"
        }
    }
}
