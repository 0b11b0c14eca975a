import Testing

@testable import SSH

@Suite("DESIGN §3.1: the times of a connection") struct TimersTests {
    static let limits = Timers.Limits(loginGrace: .seconds(20), idle: .seconds(900), keepalive: .seconds(30))

    private func authenticated(_ limits: Timers.Limits = limits, at now: Duration = .zero) -> Timers {
        var timers = Timers(limits, now: .zero)
        timers.authenticated(now: now)
        return timers
    }

    @Test func `before authentication only the grace counts, whatever is heard`() {
        var timers = Timers(Self.limits, now: .seconds(5))
        #expect(timers.deadline(isBusy: false) == .seconds(25))
        timers.heard(now: .seconds(24))
        #expect(timers.due(now: .milliseconds(24_999), isBusy: false) == nil)
        #expect(timers.due(now: .seconds(25), isBusy: false) == .loginGrace)
    }

    @Test func `three keepalives without an answer are silence`() {
        var timers = authenticated()
        for asked in 1...3 {
            #expect(timers.deadline(isBusy: true) == .seconds(30 * asked))
            #expect(timers.due(now: .seconds(30 * asked) - .nanoseconds(1), isBusy: true) == nil)
            #expect(timers.due(now: .seconds(30 * asked), isBusy: true) == .keepalive)
            timers.asked(now: .seconds(30 * asked))
        }
        #expect(timers.due(now: .seconds(119), isBusy: true) == nil)
        #expect(timers.due(now: .seconds(120), isBusy: true) == .silence)
    }

    @Test func `any byte is a sign of life`() {
        var timers = authenticated()
        for round in 1...100 {
            timers.asked(now: .seconds(30 * round))
            timers.heard(now: .seconds(30 * round + 1))
        }
        #expect(timers.deadline(isBusy: true) == .seconds(3031))
        #expect(timers.due(now: .seconds(3031), isBusy: true) == .keepalive)
    }

    @Test func `answers to keepalives do not keep an idle connection`() {
        var timers = authenticated()
        for round in 1..<30 {
            timers.asked(now: .seconds(30 * round))
            timers.heard(now: .seconds(30 * round))
        }
        #expect(timers.due(now: .seconds(899), isBusy: false) == nil)
        #expect(timers.deadline(isBusy: false) == .seconds(900))
        #expect(timers.due(now: .seconds(900), isBusy: false) == .idle)
    }

    @Test func `nothing is idle that runs something or used its channels`() {
        var timers = authenticated(Timers.Limits(loginGrace: nil, idle: .seconds(900), keepalive: nil), at: .seconds(10))
        #expect(timers.deadline(isBusy: true) == nil)
        #expect(timers.due(now: .seconds(5000), isBusy: true) == nil)
        timers.used(now: .seconds(5000))
        #expect(timers.deadline(isBusy: false) == .seconds(5900))
        #expect(timers.due(now: .seconds(5899), isBusy: false) == nil)
        #expect(timers.due(now: .seconds(5900), isBusy: false) == .idle)
    }

    @Test func `without limits nothing is ever due`() {
        var timers = Timers(Timers.Limits(), now: .zero)
        #expect(timers.deadline(isBusy: false) == nil)
        #expect(timers.due(now: .seconds(1 << 40), isBusy: false) == nil)
        timers.authenticated(now: .zero)
        #expect(timers.deadline(isBusy: false) == nil)
        #expect(timers.due(now: .seconds(1 << 40), isBusy: false) == nil)
    }
}
