/// The times of one connection: until when to authenticate, when to ask whether the peer is there, when to give up.
///
/// All times are since any fixed beginning; nothing here reads a clock.
struct Timers: Sendable {
    struct Limits: Sendable {
        var loginGrace: Duration?
        var idle: Duration?
        var keepalive: Duration?
    }

    enum Due: Equatable, Sendable {
        case loginGrace
        case idle
        case keepalive
        case silence
    }

    private let limits: Limits
    private let start: Duration
    private var isAuthenticated = false
    /// The last channel message; keepalives and their answers are none, or no connection would ever be idle.
    private var lastUsed: Duration
    /// The last byte from the peer, or the last keepalive to it.
    private var lastAsked: Duration
    private var unanswered = 0

    /// DESIGN §3.1: three unanswered end the connection.
    private static let mostUnanswered = 3

    init(_ limits: Limits, now: Duration) {
        self.limits = limits
        start = now
        lastUsed = now
        lastAsked = now
    }

    mutating func authenticated(now: Duration) {
        isAuthenticated = true
        used(now: now)
        heard(now: now)
    }

    /// Bytes came from the peer: it lives.
    mutating func heard(now: Duration) {
        lastAsked = now
        unanswered = 0
    }

    /// The peer opened, closed or used a channel.
    mutating func used(now: Duration) { lastUsed = now }

    /// A keepalive went to the peer.
    mutating func asked(now: Duration) {
        lastAsked = now
        unanswered += 1
    }

    /// When something is due next; nil for never.
    func deadline(isBusy: Bool) -> Duration? {
        guard isAuthenticated else { return limits.loginGrace.map { start + $0 } }
        let keepalive = limits.keepalive.map { lastAsked + $0 }
        let idle = isBusy ? nil : limits.idle.map { lastUsed + $0 }
        return [keepalive, idle].compactMap { $0 }.min()
    }

    /// What is due now.
    func due(now: Duration, isBusy: Bool) -> Due? {
        guard isAuthenticated else {
            return limits.loginGrace.map { start + $0 <= now } == true ? .loginGrace : nil
        }
        if !isBusy, let idle = limits.idle, lastUsed + idle <= now { return .idle }
        guard let keepalive = limits.keepalive, lastAsked + keepalive <= now else { return nil }
        return unanswered >= Self.mostUnanswered ? .silence : .keepalive
    }
}
