import TOMLKit

/// One TOML file as a tree of values with their places.
enum Document {
    /// Reads a source, or reports why it cannot be read.
    static func read(_ file: SourceFile, _ report: Report) -> Table? {
        guard let text = text(of: file, report) else { return nil }
        do {
            let reader = DocumentReader(file: file, positions: try KeyPositions(file.bytes))
            return try reader.table(try TOMLTable(string: text), at: KeyPath(), Region(file, 0..<0))
        } catch {
            describe(error, file, report)
            return nil
        }
    }

    /// TOMLKit passes text on as a C string: a NUL would hide the rest of the file.
    private static func text(of file: SourceFile, _ report: Report) -> String? {
        if let nul = file.bytes.firstIndex(of: 0) {
            report.error(Region(file, nul..<nul + 1), "a NUL byte", hint: "a policy is text in UTF-8")
            return nil
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            let wrong = firstDifference(file.bytes)
            report.error(Region(file, wrong..<wrong + 1), "not UTF-8", hint: "a policy is text in UTF-8")
            return nil
        }
        return text
    }

    /// Where decoding with repairs first changes a byte.
    private static func firstDifference(_ bytes: [UInt8]) -> Int {
        let repaired = String(decoding: bytes, as: UTF8.self).utf8
        return zip(bytes, repaired).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? bytes.count - 1
    }

    private static func describe(_ error: any Error, _ file: SourceFile, _ report: Report) {
        switch error {
        case let error as TOMLParseError:
            let offset = file.offset(line: error.source.begin.line, column: error.source.begin.column)
            report.error(Region(file, offset..<offset + 1), "not TOML: \(plain(error.description))")
        case KeyPositions.Fault.nul(let offset):
            report.error(
                Region(file, offset..<offset + 6), "a NUL character in a string", hint: "no name, path or argument can hold one")
        case KeyPositions.Fault.deep(let offset):
            report.error(Region(file, offset..<offset + 1), "lists and tables are nested too deep")
        case KeyPositions.Fault.expected(let wanted, let offset):
            let hint = wanted == .escape ? "in single quotes a backslash is one, as in 'v[0-9]+\\.[0-9]+'" : nil
            report.error(Region(file, offset..<offset + 1), "not TOML: \(wanted.rawValue)", hint: hint)
        case let lost as DocumentReader.Lost:
            report.error(file: file.name, "not TOML: the place of \"\(lost.path)\" was not found")
        default:
            report.error(file: file.name, "cannot be read: \(error)")
        }
    }

    /// TOMLKit's sentence in our manner: lower case, no full stop.
    private static func plain(_ sentence: String) -> String {
        let text = sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}

/// Joins TOMLKit's values with the places that ``KeyPositions`` found.
///
/// Every value must have a place: what only one of the two sees is never taken as policy.
struct DocumentReader {
    struct Lost: Error { var path: KeyPath }

    let file: SourceFile
    let positions: KeyPositions

    func table(_ table: TOMLTable, at path: KeyPath, _ region: Region) throws -> Table {
        var entries: [Table.Entry] = []
        for name in table.keys {
            let path = path + name
            guard let place = positions[path], let value = table[name] else { throw Lost(path: path) }
            let node = try node(value, at: path, Region(file, place.value))
            entries.append(Table.Entry(key: Located(name, Region(file, place.key)), node: node))
        }
        entries.sort { $0.key.region.range.lowerBound < $1.key.region.range.lowerBound }
        return Table(entries: entries, region: region)
    }

    private func node(_ value: any TOMLValueConvertible, at path: KeyPath, _ region: Region) throws -> Node {
        Node(content: try content(value, at: path, region), region: region)
    }

    private func content(_ value: any TOMLValueConvertible, at path: KeyPath, _ region: Region) throws -> Node.Content {
        if let text = value.string { return .string(text) }
        if let number = value.int { return .integer(Int64(number)) }
        if let flag = value.bool { return .boolean(flag) }
        if let number = value.double { return .float(number) }
        if let table = value.table { return .table(try self.table(table, at: path, region)) }
        if let array = value.array { return .array(try elements(array, at: path)) }
        if let moment = value.dateTime { return .dateTime(Moment(moment)) }
        return .dateOrTime
    }

    private func elements(_ array: TOMLArray, at path: KeyPath) throws -> [Node] {
        try (0..<array.count).map { index in
            let path = path + index
            guard let place = positions[path] else { throw Lost(path: path) }
            return try node(array[index], at: path, Region(file, place.value))
        }
    }
}

extension Moment {
    init(_ moment: TOMLDateTime) {
        let time = CalendarTime(
            year: moment.date.year, month: moment.date.month, day: moment.date.day, hour: moment.time.hour, minute: moment.time.minute,
            second: moment.time.second)
        seconds = Self.seconds(time) - Int64((moment.offset?.offset ?? 0) * 60)
        hasOffset = moment.offset != nil
    }

    /// A time in UTC as seconds since 1970.
    static func seconds(_ time: CalendarTime) -> Int64 {
        let days = daysSince1970(year: time.year, month: time.month, day: time.day)
        return Int64(days * 86_400 + time.hour * 3600 + time.minute * 60 + time.second)
    }

    /// Days of the Gregorian calendar, counted in years that begin in March, so that a leap day is the last.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let years = month > 2 ? year : year - 1
        let months = (month + 9) % 12
        return years * 365 + years / 4 - years / 100 + years / 400 + (months * 306 + 5) / 10 + day - 1 - 719_468
    }
}
