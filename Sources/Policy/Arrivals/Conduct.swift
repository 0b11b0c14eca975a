public import Policy

/// What a source did wrong before anybody logged in.
public enum Offence: UInt8, Sendable, CaseIterable {
    case failed = 1
    case silent
    case slow
    case violation

    func penalty(_ penalties: Penalties) -> Duration {
        switch self {
        case .failed: penalties.failed
        case .silent: penalties.silent
        case .slow: penalties.slow
        case .violation: penalties.violation
        }
    }
}

/// What is remembered of a source. All times are milliseconds of a clock that the processes of a machine share.
public struct Conduct: Equatable, Sendable {
    public var source: Source
    /// Until when its penalties last.
    public private(set) var penaltyEnd: UInt64 = 0
    /// They have reached the threshold, and hold until they are over.
    public private(set) var isTurnedAway = false
    /// The last thing that it was given a penalty for.
    public private(set) var offence = Offence.silent
    /// Until when a login counts; 0: there was none.
    public private(set) var knownUntil: UInt64 = 0
    /// When anything of this changed last: the oldest goes first.
    public private(set) var changed: UInt64 = 0
    /// When a refusal was logged last, and how many there were since.
    private var logged: UInt64 = 0
    private var unlogged: UInt32 = 0

    public init(source: Source) { self.source = source }

    /// Whether somebody logged in from here lately.
    public func isKnown(now: UInt64) -> Bool { knownUntil > now }

    /// How long it is turned away, in whole seconds that are begun; nil when it is not.
    public func secondsLeft(now: UInt64) -> Int? { isTurnedAway && penaltyEnd > now ? Int((penaltyEnd - now + 999) / 1000) : nil }

    /// Adds the penalty of an offence to what is left of others.
    public mutating func commit(_ offence: Offence, _ penalties: Penalties, now: UInt64) {
        if isKnown(now: now), offence == .failed || offence == .silent { return }
        let added = offence.penalty(penalties).wholeMilliseconds
        guard added > 0 else { return }
        if penaltyEnd <= now { isTurnedAway = false }
        penaltyEnd = min(max(penaltyEnd, now) + added, now + penalties.most.wholeMilliseconds)
        if penaltyEnd - min(penaltyEnd, now) >= penalties.threshold.wholeMilliseconds { isTurnedAway = true }
        self.offence = offence
        changed = now
    }

    /// Somebody has logged in: all is forgiven.
    public mutating func logIn(_ penalties: Penalties, now: UInt64) {
        penaltyEnd = 0
        isTurnedAway = false
        knownUntil = now + penalties.remember.wholeMilliseconds
        changed = now
    }

    /// Counts a refusal.
    ///
    /// - Returns: how many there were since one was logged, this one included; nil when one was logged within the last second.
    public mutating func countRefusal(now: UInt64) -> Int? {
        changed = now
        unlogged = unlogged == .max ? .max : unlogged + 1
        guard logged + 1000 <= now else { return nil }
        defer { (logged, unlogged) = (now, 0) }
        return Int(unlogged)
    }

    // MARK: - In the table

    /// In bytes.
    public static let length = 64

    public var bytes: [UInt8] {
        let head = Source.bytes(of: source) + [isTurnedAway ? 1 : 0, offence.rawValue, 0, 0, 0, 0, 0]
        let count = (0..<4).map { UInt8(truncatingIfNeeded: unlogged >> ($0 * 8)) }
        return head + [penaltyEnd, knownUntil, changed, logged].flatMap(Place.bytes(of:)) + count + [0, 0, 0, 0]
    }

    /// Reads one; nil where there is none.
    ///
    /// What cannot be, since it is further away than any policy allows, is taken for nothing: a damaged table turns nobody away for long.
    public init?(bytes: ArraySlice<UInt8>, now: UInt64) {
        precondition(bytes.count == Self.length, "no record")
        let start = bytes.startIndex
        guard let source = Source(bytes: bytes.prefix(Source.length)) else { return nil }
        self.source = source
        isTurnedAway = bytes[start + 17] == 1
        offence = Offence(rawValue: bytes[start + 18]) ?? .silent
        let times = (0..<4).map { Place.number(bytes[(start + 24 + $0 * 8)..<(start + 32 + $0 * 8)]) }
        penaltyEnd = times[0] <= now + Self.longest ? times[0] : 0
        knownUntil = times[1] <= now + Self.longest ? times[1] : 0
        changed = min(times[2], now)
        logged = min(times[3], now)
        unlogged = UInt32(truncatingIfNeeded: Place.number(bytes[(start + 56)..<(start + 60)]))
    }

    /// No policy can say more.
    private static let longest: UInt64 = 32 * 86_400_000
}

extension Duration {
    /// Never below zero.
    public var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) * 1000 + UInt64(max(0, attoseconds) / 1_000_000_000_000_000)
    }
}
