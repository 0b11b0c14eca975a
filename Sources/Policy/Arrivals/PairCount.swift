/// How many pairs of processes a listener keeps waiting for connections: more after some had to do without, fewer again when they are not needed.
public struct PairCount: Sendable {
    /// How many there should be.
    public private(set) var wanted = least
    /// How many were waiting when there were fewest, since the last look.
    private var fewest = Int.max
    /// When it is looked at next whether there are too many, since the clock's beginning.
    public private(set) var nextLook: Duration

    public static let least = 2
    public static let most = 8
    /// How long a pair must have been too many before it goes.
    public static let interval: Duration = .seconds(60)

    public init(now: Duration) { nextLook = now + Self.interval }

    /// A connection has come, and took one of the pairs if there was any.
    ///
    /// - Parameter left: how many wait now; nil: there was none for it.
    public mutating func note(left: Int?) {
        fewest = min(fewest, left ?? 0)
        if left == nil { wanted = min(wanted * 2, Self.most) }
    }

    /// Once an interval: those that nobody has needed since the last one are wanted no more.
    public mutating func look(now: Duration) {
        guard nextLook <= now else { return }
        nextLook = now + Self.interval
        wanted = max(wanted - min(fewest, Self.most), Self.least)
        fewest = .max
    }
}
