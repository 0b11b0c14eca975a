import Files

/// A line of a listing in the form of `ls -l`, which clients show as it is (draft-ietf-secsh-filexfer-02 §7). Times are UTC.
enum LongName {
    /// - Parameter now: seconds since 1970: what is half a year away has its year instead of the hour.
    static func of(_ entry: DirectoryEntry, now: Int64) -> [UInt8] {
        let attributes = entry.attributes
        let columns = [
            permissions(attributes), right("\(attributes.links)", 3), left("\(attributes.uid)", 8), left("\(attributes.gid)", 8),
            right("\(attributes.size)", 8), time(attributes.modified, now: now),
        ]
        return Array((columns.joined(separator: " ") + " ").utf8) + entry.name
    }

    private static func permissions(_ attributes: FileAttributes) -> String {
        var text = attributes.kind.letter
        for shift in [UInt32(6), 3, 0] {
            let bits = attributes.mode >> shift
            text += (bits & 4 != 0 ? "r" : "-") + (bits & 2 != 0 ? "w" : "-") + (bits & 1 != 0 ? "x" : "-")
        }
        return text
    }

    private static func time(_ seconds: Int64, now: Int64) -> String {
        let halfYear: Int64 = 365 * 86_400 / 2
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let (year, month, day) = civil(days)
        let date = "\(months[month - 1]) \(right("\(day)", 2)) "
        if seconds > now || now - seconds > halfYear { return date + right("\(year)", 5) }
        let rest = seconds - days * 86_400
        return date + two(rest / 3600) + ":" + two(rest % 3600 / 60)
    }

    /// The date of a day counted from 1970-01-01, by eras of 400 years that begin in March.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }
    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
