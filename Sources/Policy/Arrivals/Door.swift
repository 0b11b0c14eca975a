public import Policy

/// Whether another connection is let in, from what is known of those that are there and of its source.
public struct Door: Sendable {
    private let limits: ArrivalLimits
    private let loginGrace: Duration
    /// In milliseconds.
    private let now: UInt64

    public init(_ limits: ArrivalLimits, loginGrace: Duration, now: UInt64) {
        self.limits = limits
        self.loginGrace = loginGrace
        self.now = now
    }

    /// Why a connection is turned away, for its client and for the log.
    public struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
        public enum Reason: Equatable, Sendable {
            case penalty(Offence)
            case perSource(limit: Int)
            case unauthenticated(limit: Int)
            case connections(limit: Int)
        }

        public var reason: Reason
        /// Until another try may work; nil where nobody knows.
        public var seconds: Int?

        public init(_ reason: Reason, seconds: Int?) {
            self.reason = reason
            self.seconds = seconds
        }

        /// Whether it is for what its own source does or did.
        public var isOfSource: Bool {
            switch reason {
            case .penalty, .perSource: true
            case .unauthenticated, .connections: false
            }
        }

        public var description: String {
            switch reason {
            case .penalty(let offence): "connections from your address are refused \(offence.cause)\(again)"
            case .perSource(let limit): "\(limit) connection\(limit == 1 ? " from your address has" : "s from your address have") not logged in yet\(again)"
            case .unauthenticated: "too many connections have not logged in yet\(again)"
            case .connections: "there are too many connections; try again later"
            }
        }

        private var again: String {
            seconds.map { "; try again in \($0) second\($0 == 1 ? "" : "s")" } ?? ""
        }
    }

    /// Looks for a place.
    ///
    /// - Parameters:
    ///   - source: nil where neither limits per source nor penalties hold: it is exempt, a proxy, or not from the internet.
    ///   - conduct: what is remembered of the source.
    ///   - places: all that there are, in their order.
    /// - Returns: the first place that is free.
    public func admit(_ source: Source?, _ conduct: Conduct?, _ places: Places) throws(Refusal) -> Int {
        if source != nil, let conduct, let seconds = conduct.secondsLeft(now: now) {
            throw Refusal(.penalty(conduct.offence), seconds: seconds)
        }
        let isKnown = source == nil || conduct?.isKnown(now: now) == true
        var (taken, waiting, ofSource) = (0, 0, 0)
        var (oldest, oldestOfSource) = (now, now)
        var free: Int?
        let key = Source.bytes(of: source)
        for index in places.indices {
            let state = places.state(at: index)
            guard state != .free else {
                if free == nil { free = index }
                continue
            }
            taken += 1
            guard state.isWaiting else { continue }
            waiting += 1
            let began = places.taken(at: index)
            oldest = min(oldest, began)
            guard source != nil, places.isFrom(key, at: index) else { continue }
            ofSource += 1
            oldestOfSource = min(oldestOfSource, began)
        }
        let perSource = isKnown ? limits.perSource * 2 : limits.perSource
        if source != nil, ofSource >= perSource { throw Refusal(.perSource(limit: perSource), seconds: wait(for: oldestOfSource)) }
        // The rest is for those who have been here before: a flood from many addresses does not keep them out.
        let most = isKnown ? limits.unauthenticated : max(1, limits.unauthenticated - limits.unauthenticated / 4)
        if waiting >= most { throw Refusal(.unauthenticated(limit: most), seconds: wait(for: oldest)) }
        guard taken < limits.connections, let free else { throw Refusal(.connections(limit: limits.connections), seconds: nil) }
        return free
    }

    /// Until a connection that was begun then has logged in or is ended, in seconds.
    private func wait(for taken: UInt64) -> Int {
        let end = taken + loginGrace.wholeMilliseconds
        return end > now ? Int((end - now + 999) / 1000) : 1
    }
}

extension Offence {
    /// Why a source is turned away, for people: "after logins that failed".
    public var cause: String {
        switch self {
        case .failed: "after logins that failed"
        case .silent: "after connections without a login"
        case .slow: "after logins that took too long"
        case .violation: "after breaking the protocol"
        }
    }
}
