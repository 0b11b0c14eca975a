internal import CLinux

/// What time it is, in the two senses of the word.
public enum Clock {
    /// Since an arbitrary moment; it never goes back and counts sleep too. For deadlines.
    public static var monotonic: Duration { read(CLOCK_BOOTTIME) }

    /// The clock that service managers go by: as ``monotonic``, but it stops while the machine sleeps.
    public static var uptime: Duration { read(CLOCK_MONOTONIC) }

    /// Since 1970, UTC. For people and validity periods.
    public static var unix: Duration { read(CLOCK_REALTIME) }

    /// Seconds since 1970.
    public static var unixSeconds: Int64 { unix.components.seconds }

    /// Now, as ``rfc3339(unix:)`` writes it.
    public static var timestamp: String { rfc3339(unix: unix) }

    private static func read(_ clock: Int32) -> Duration {
        var time = timespec()
        // SAFETY: clock_gettime(2) fills the structure.
        let result = unsafe clock_gettime(clock, &time)
        precondition(result == 0, "a clock of Linux is missing")
        return time.duration
    }

    /// A time as `2026-01-31T23:59:59.123Z` (RFC 3339), for the years 1970 to 9999.
    public static func rfc3339(unix: Duration) -> String {
        let (seconds, attoseconds) = unix.components
        let (days, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let date = civilDate(day: days)
        let time = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }.joined(separator: ":")
        let milliseconds = padded(attoseconds / 1_000_000_000_000_000, 3)
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T\(time).\(milliseconds)Z"
    }

    /// The date in the Gregorian calendar of a day counted from 1970-01-01, not before it.
    private static func civilDate(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // Counted from 0000-03-01, so that a leap day is the last of its year.
        let shifted = day + 719_468
        let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
