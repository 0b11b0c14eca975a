/// A TOML value and where it stands.
struct Node: Sendable {
    enum Content: Sendable {
        case string(String)
        case integer(Int64)
        case boolean(Bool)
        case float(Double)
        case dateTime(Moment)
        /// A date or a time alone: nothing in a policy is one.
        case dateOrTime
        case array([Node])
        case table(Table)
    }
    var content: Content
    /// The value's bytes; for a table with a header, the header's.
    var region: Region

    /// What people call this kind of value.
    var kind: String {
        switch content {
        case .string: "a string"
        case .integer: "an integer"
        case .boolean: "a boolean"
        case .float: "a floating-point number"
        case .dateTime: "a date and time"
        case .dateOrTime: "a date or a time alone"
        case .array: "a list"
        case .table: "a table"
        }
    }
}

/// A TOML table, its entries in the order they were written.
struct Table: Sendable {
    struct Entry: Sendable {
        var key: Located<String>
        var node: Node
    }
    var entries: [Entry]
    var region: Region
}

/// A date and time of TOML.
public struct Moment: Sendable {
    /// Seconds since 1970, taking the time as UTC if it has no offset.
    var seconds: Int64
    var hasOffset: Bool

    /// A time in seconds since 1970 as TOML writes it, `2027-01-01T00:00:00Z`; for the years 0 to 9999.
    public static func text(_ seconds: Int64) -> String {
        let second = ((seconds % 86_400) + 86_400) % 86_400
        let (year, month, day) = date(daysSince1970: (seconds - second) / 86_400)
        return "\(text(Int(year), Int(month), Int(day)))T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))Z"
    }

    /// A date as TOML writes it, `2027-01-01`.
    static func text(_ year: Int, _ month: Int, _ day: Int) -> String {
        "\(padded(Int64(year), 4))-\(padded(Int64(month), 2))-\(padded(Int64(day), 2))"
    }

    /// Counted in years that begin in March, so that a leap day is the last, from 0000-03-01 on.
    private static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let year = yearOfEra + era * 400 + (month < 10 ? 0 : 1)
        return (year, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
