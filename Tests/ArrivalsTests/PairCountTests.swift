import Arrivals
import Testing

@Suite("How many pairs wait for connections")
struct PairCountTests {
    private let start: Duration = .seconds(1000)

    private func after(_ intervals: Int) -> Duration { start + PairCount.interval * intervals }

    @Test func `connections that find none make it grow, to a bound`() {
        var count = PairCount(now: start)
        #expect(count.wanted == PairCount.least)
        count.note(left: 0)
        #expect(count.wanted == PairCount.least)
        count.note(left: nil)
        #expect(count.wanted == PairCount.least * 2)
        for _ in 0..<100 { count.note(left: nil) }
        #expect(count.wanted == PairCount.most)
    }

    @Test func `what nobody needed for an interval goes, and the least stays`() {
        var count = PairCount(now: start)
        for _ in 0..<3 { count.note(left: nil) }
        count.look(now: after(1))
        #expect(count.wanted == PairCount.most)
        // Five were always left.
        count.note(left: 6)
        count.note(left: 5)
        count.look(now: after(1) + .seconds(1))
        #expect(count.wanted == PairCount.most)
        count.look(now: after(2))
        #expect(count.wanted == 3)
        // Nobody came.
        count.look(now: after(3))
        #expect(count.wanted == PairCount.least)
    }
}
