import Linux
import Testing

@Suite("RFC 3339: times in UTC") struct ClockTests {
    static let cases: [(Duration, String)] = [
        (.zero, "1970-01-01T00:00:00.000Z"),
        (.seconds(951_782_399) + .milliseconds(7), "2000-02-28T23:59:59.007Z"),
        (.seconds(951_782_400), "2000-02-29T00:00:00.000Z"),
        (.seconds(1_709_251_199) + .microseconds(999_999), "2024-02-29T23:59:59.999Z"),
        (.seconds(4_107_542_400), "2100-03-01T00:00:00.000Z"),
        (.seconds(253_402_300_799), "9999-12-31T23:59:59.000Z"),
    ]

    @Test(arguments: cases) func `a time is written to the millisecond`(unix: Duration, text: String) {
        #expect(Clock.rfc3339(unix: unix) == text)
    }

    @Test func `monotonic time does not go back`() {
        let before = Clock.monotonic
        #expect(Clock.monotonic >= before)
    }
}
