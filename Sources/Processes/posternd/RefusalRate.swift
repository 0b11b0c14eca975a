/// How many requests that start nothing a connection may have recorded one by one: some at once, then one every other second. Of the rest
/// the number is recorded, so that a key's holder cannot fill the disk.
struct RefusalRate {
    private var credit = burst
    private var creditedAt: Duration = .zero
    private var passedOver = 0
    private var summarizedAt: Duration = .zero

    private static let burst = 30
    private static let pause: Duration = .seconds(2)
    /// Between two summaries.
    private static let period: Duration = .seconds(10)

    /// When a summary is due; nil: nothing was passed over.
    var deadline: Duration? { passedOver > 0 ? summarizedAt + Self.period : nil }

    /// Whether a request is recorded by itself; one that is not counts for the next summary.
    mutating func admits(now: Duration) -> Bool {
        while credit < Self.burst, creditedAt + Self.pause <= now {
            credit += 1
            creditedAt += Self.pause
        }
        if credit == Self.burst { creditedAt = now }
        if credit > 0 {
            credit -= 1
            return true
        }
        if passedOver == 0 { summarizedAt = max(summarizedAt, now - Self.period + Self.pause) }
        passedOver += 1
        return false
    }

    /// How many were passed over since the last time; nil for none.
    mutating func takePassedOver(now: Duration) -> Int? {
        guard passedOver > 0 else { return nil }
        defer { (passedOver, summarizedAt) = (0, now) }
        return passedOver
    }
}
