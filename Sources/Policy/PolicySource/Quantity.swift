/// Sizes and durations as people write them: `512MiB`, `10m`.
public enum Quantity {
    /// Bytes of a size such as `512MiB`, or nil.
    ///
    /// A whole number and one of B, KiB, MiB, GiB, TiB, without a space; nil also for what does not fit 63 bits.
    static func bytes(_ text: String) -> UInt64? {
        guard let (count, unit) = split(text) else { return nil }
        let shifts: [String: UInt64] = ["B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]
        guard let shift = shifts[unit] else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: 1 << shift)
        return overflow || product > UInt64(Int64.max) ? nil : product
    }

    /// A duration such as `500ms`, `20s`, `10m`, `1h`, `7d`, or nil; at most a year.
    public static func duration(_ text: String) -> Duration? {
        guard let (count, unit) = split(text), count <= yearMilliseconds else { return nil }
        let scales: [String: UInt64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let scale = scales[unit] else { return nil }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: scale)
        return overflow || milliseconds > yearMilliseconds ? nil : .milliseconds(milliseconds)
    }

    /// A duration in its largest whole unit.
    public static func text(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        let units: [(String, Int64)] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        for (unit, scale) in units where milliseconds >= scale && milliseconds % scale == 0 {
            return "\(milliseconds / scale)\(unit)"
        }
        return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
    }

    /// Bytes in their largest whole unit.
    public static func text(bytes: UInt64) -> String {
        let units: [(String, UInt64)] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)]
        for (unit, shift) in units where bytes >= 1 << shift && bytes % (1 << shift) == 0 { return "\(bytes >> shift)\(unit)" }
        return "\(bytes)B"
    }

    private static let yearMilliseconds: UInt64 = 366 * 86_400_000

    private static func split(_ text: String) -> (count: UInt64, unit: String)? {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let count = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
        return (count, String(decoding: text.utf8.dropFirst(digits.count), as: UTF8.self))
    }
}
