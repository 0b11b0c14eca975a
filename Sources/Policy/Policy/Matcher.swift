/// A pattern that a whole value must match, as the table of a deterministic automaton (DESIGN §3.2).
///
/// Matching takes one step a byte, whatever the pattern; all the work is done when it is compiled, within limits.
///
/// The syntax: characters; `\` before punctuation; `\d`, `\w`, `\s` (ASCII) and `\D`, `\W`, `\S`; `\t`, `\n`, `\r`; `.` for all
/// but a line feed; classes `[a-z]` and `[^a-z]`; `( )`, `|`, `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`. `^` at the start and `$` at
/// the end change nothing.
/// Characters are Unicode scalars, so that `.` and a negated class match all the bytes of one.
public struct Matcher: Equatable, Sendable {
    /// What was compiled, as it was written.
    public let pattern: String
    let table: Table

    /// Bytes of a pattern.
    public static let patternLimit = 1000
    /// The largest `n` or `m` in `{n,m}`.
    public static let countLimit = 1000
    /// Groups in groups.
    public static let depthLimit = 64
    /// States of the table; with at most 256 classes of bytes it has 2 MiB, usually 10 KiB.
    public static let stateLimit = 4096
    /// Nodes of the automaton that the table is made of.
    static let nodeLimit = 40_000
    /// Parts added, counted ones as often as they count.
    static let additionLimit = 200_000
    /// Nodes visited while the table is made: a second or so.
    static let visitLimit = 3_000_000

    /// Compiles a pattern.
    ///
    /// - Throws: ``MatcherError`` with the byte of the pattern; 0 when the pattern as a whole is too large.
    public init(_ pattern: String) throws(MatcherError) {
        self.pattern = pattern
        var parser = try PatternParser(pattern)
        table = try Automaton(try parser.pattern()).table()
    }

    /// A matcher that was compiled before; nil when the table is not one.
    init?(pattern: String, table: Table) {
        guard table.isSound else { return nil }
        self.pattern = pattern
        self.table = table
    }

    /// Whether all of `value` matches.
    public func matches(_ value: [UInt8]) -> Bool {
        table.isAccepting[table.state(after: value)]
    }

    /// Whether all of `value` matches.
    public func matches(_ value: String) -> Bool {
        matches(Array(value.utf8))
    }

    /// Whether some value that matches begins with `byte`.
    public func canBegin(with byte: UInt8) -> Bool {
        table.state(after: [byte]) != 0
    }
}

extension Matcher {
    /// A deterministic automaton: state 0 never accepts again, state 1 is the first.
    struct Table: Equatable, Sendable {
        /// 256 numbers, each below ``classCount``.
        let classOfByte: [UInt8]
        /// For each state a row with the next state for each class.
        let next: [UInt16]
        /// For each state.
        let isAccepting: [Bool]
        let classCount: Int

        init(classOfByte: [UInt8], next: [UInt16], isAccepting: [Bool]) {
            self.classOfByte = classOfByte
            self.next = next
            self.isAccepting = isAccepting
            classCount = Int(classOfByte.max() ?? 0) + 1
        }

        /// Whether ``state(after:)`` stays inside the table for every value.
        var isSound: Bool {
            classOfByte.count == 256 && isAccepting.count >= 2 && isAccepting.count <= Matcher.stateLimit
                && next.count == isAccepting.count * classCount && next.allSatisfy { Int($0) < isAccepting.count }
        }

        func state(after value: [UInt8]) -> Int {
            var state = 1
            for byte in value { state = Int(next[state * classCount + Int(classOfByte[Int(byte)])]) }
            return state
        }
    }
}
