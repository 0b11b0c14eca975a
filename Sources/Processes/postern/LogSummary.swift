import Policy
import PolicySource

/// What a log amounts to, for each key and command.
struct LogSummary {
    private struct Place: Hashable, Comparable {
        var key: String
        var command: String
        static func < (left: Place, right: Place) -> Bool { (left.key, left.command) < (right.key, right.command) }
    }

    private struct Row {
        /// Decided to be run.
        var count: Int64 = 0
        var refused: Int64 = 0
        /// Not started, or ended otherwise than with status 0.
        var failed: Int64 = 0
        var cpuMilliseconds: Int64 = 0
        var bytes: Int64 = 0
    }

    private var rows: [Place: Row] = [:]
    private var records: Int64 = 0
    private var broken: Int64 = 0
    private var lost: Int64 = 0
    private var first: String?
    private var last: String?

    /// More are summed up as "(others)": a log of any length fits into memory.
    private static let mostRows = 10_000
    private static let none = "-"

    mutating func addBroken() { broken += 1 }

    mutating func add(_ record: LogLine.Record) {
        records += 1
        first = min(first ?? record.time, record.time)
        last = max(last ?? record.time, record.time)
        switch record.event {
        case "decision":
            if record.text("verdict") == "run" { update(record) { $0.count &+= 1 } }
            if record.text("verdict") == "refuse" { update(record) { $0.refused &+= 1 } }
        case "authentication" where record.isRefusal: update(record) { $0.refused &+= 1 }
        case "suppressed": update(record) { $0.refused &+= record.number("count") ?? 0 }
        case "failed": update(record) { $0.failed &+= 1 }
        case "finished":
            update(record) { row in
                if record.number("status") != 0 { row.failed &+= 1 }
                row.cpuMilliseconds &+= record.number("cpu_ms") ?? 0
                row.bytes &+= record.number("bytes") ?? 0
            }
        case "lost": lost &+= record.number("count") ?? 0
        default: break
        }
    }

    private mutating func update(_ record: LogLine.Record, _ change: (inout Row) -> Void) {
        var place = Place(key: record.text("key") ?? Self.none, command: record.text("command") ?? Self.none)
        if rows[place] == nil, rows.count >= Self.mostRows { place = Place(key: "(others)", command: Self.none) }
        change(&rows[place, default: Row()])
    }

    // MARK: - As text

    var text: String {
        var lines = [["key", "command", "count", "refused", "failed", "cpu", "bytes"]]
        for (place, row) in rows.sorted(by: { $0.key < $1.key }) {
            lines.append([
                VisibleText.shortened(Array(place.key.utf8)), VisibleText.shortened(Array(place.command.utf8)), "\(row.count)", "\(row.refused)",
                "\(row.failed)", Self.seconds(row.cpuMilliseconds), "\(row.bytes)",
            ])
        }
        let span = if let first, let last { " from \(VisibleText.of(first)) to \(VisibleText.of(last))" } else { "" }
        var end = "\(records) records\(span)"
        if lost > 0 { end += "; \(lost) could not be written" }
        if broken > 0 { end += "; \(broken) broken lines" }
        return TextTable.text(lines) + end
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        return "\(whole).\(String("00\(rest.magnitude)".suffix(3)))s"
    }

    var json: JSONText {
        [
            "rows": .array(
                rows.sorted(by: { $0.key < $1.key }).map { place, row in
                    [
                        "key": .string(place.key), "command": .string(place.command), "count": .integer(row.count), "refused": .integer(row.refused),
                        "failed": .integer(row.failed), "cpu_ms": .integer(row.cpuMilliseconds), "bytes": .integer(row.bytes),
                    ]
                }),
            "records": .integer(records), "broken": .integer(broken), "lost": .integer(lost), "first": first.map { .string($0) } ?? .null,
            "last": last.map { .string($0) } ?? .null,
        ]
    }
}
