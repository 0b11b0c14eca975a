import Policy

/// What a change does to what is allowed.
///
/// What cannot be decided counts as both: it may allow something new, and may refuse something old.
public struct Shift: Hashable, Sendable {
    /// Something may be allowed now that was not.
    public var allows: Bool
    /// Something may be refused now that was allowed.
    public var refuses: Bool

    public init(allows: Bool, refuses: Bool) {
        self.allows = allows
        self.refuses = refuses
    }

    /// Nobody's access changes: a text for people, a setting of the gateway.
    public static let none = Shift(allows: false, refuses: false)
    public static let wider = Shift(allows: true, refuses: false)
    public static let narrower = Shift(allows: false, refuses: true)
    /// Something else is allowed, or it cannot be told.
    public static let other = Shift(allows: true, refuses: true)

    /// From one rule to another, told by an `includes` that is true only for what is certain.
    static func between<Rule>(_ old: Rule, _ new: Rule, _ includes: (Rule, Rule) -> Bool) -> Shift {
        Shift(allows: !includes(old, new), refuses: !includes(new, old))
    }

    /// From one limit to another, nil being none.
    static func ofLimit<Limit: Comparable>(_ old: Limit?, _ new: Limit?) -> Shift {
        between(old, new) { outer, inner in
            guard let outer else { return true }
            return inner.map { $0 <= outer } ?? false
        }
    }
}

/// One thing that two versions of a rule differ in.
struct Variation: Equatable, Sendable {
    /// As the policy calls it: `run`, `<tag>`, `sandbox network`.
    var what: String
    var shift: Shift
    /// Nil: it was not there.
    var old: String?
    /// Nil: it is not there any more.
    var new: String?
}

extension Variation {
    /// Stands for a difference in what nobody here knows to compare: it counts as both, so that no new part of a policy is passed over.
    static let unknown = Variation(what: "something else", shift: .other, old: "one", new: "another")
}

extension [Variation] {
    /// Adds a variation if the two differ.
    mutating func compare<Value: Equatable>(
        _ what: String, _ old: Value, _ new: Value, _ shift: @autoclosure () -> Shift, _ text: (Value) -> String
    ) {
        if old != new {
            append(Variation(what: what, shift: shift(), old: text(old), new: text(new)))
        } else if !text(old).hasSameBytes(as: text(new)) {
            // Swift takes texts for equal that a gateway, which compares bytes, does not.
            append(Variation(what: what, shift: .other, old: text(old), new: text(new)))
        }
    }

    /// Adds a variation for each element that only one of the lists has.
    mutating func compareElements(_ what: String, _ old: [String], _ new: [String]) {
        let (before, after) = (Set(old), Set(new))
        for gone in before.subtracting(after).sorted() { append(Variation(what: what, shift: .narrower, old: gone)) }
        for come in after.subtracting(before).sorted() { append(Variation(what: what, shift: .wider, new: come)) }
    }
}
