/// Where each key and value of a TOML document stands, which TOMLKit does not tell.
///
/// Walks the grammar of TOML 1.0.0 (https://toml.io/en/v1.0.0) and notes places; what values mean is TOMLKit's to say, which
/// must have accepted the document before. A walk that comes to something else ends with ``Fault``, never with wrong places.
struct KeyPositions {
    struct Place: Equatable {
        /// The key's bytes, quotes included; for an element of an array, the element's.
        var key: Range<Int>
        /// The value's bytes, quotes or brackets included; for a table with a header, the header's.
        var value: Range<Int>
    }

    enum Fault: Error, Equatable {
        /// The walk met a byte that it has no rule for.
        case unexpected(offset: Int)
        /// `\u0000`, at which TOMLKit would cut the string off.
        case nul(offset: Int)
        /// More arrays and inline tables in each other than ``deepest``.
        case deep(offset: Int)
    }

    private(set) var places: [KeyPath: Place] = [:]

    private var scanner: TOMLScanner
    /// How many tables each array of tables has so far.
    private var arrayCounts: [KeyPath: Int] = [:]
    /// The table of the last header.
    private var table = KeyPath()

    init(_ bytes: [UInt8]) throws(Fault) {
        scanner = TOMLScanner(bytes)
        scanner.skipByteOrderMark()
        while true {
            scanner.skipBlank(lines: true)
            guard let next = scanner.next else { return }
            if next == UInt8(ascii: "[") { try header() } else { try keyAndValue(in: table, depth: 0) }
            scanner.skipBlank(lines: false)
            guard scanner.isAtLineEnd else { throw .unexpected(offset: scanner.offset) }
        }
    }

    subscript(path: KeyPath) -> Place? { places[path] }

    /// `[a.b]` or `[[a.b]]`.
    private mutating func header() throws(Fault) {
        let start = scanner.offset
        let isArray = scanner.skip("[[")
        if !isArray { _ = scanner.skip("[") }
        let keys = try dottedKey()
        guard scanner.skip(isArray ? "]]" : "]") else { throw .unexpected(offset: scanner.offset) }
        table = KeyPath()
        for key in keys.dropLast() {
            table = table + key.name
            note(table, Place(key: key.range, value: start..<scanner.offset))
            if let count = arrayCounts[table] { table = table + (count - 1) }
        }
        guard let last = keys.last else { throw .unexpected(offset: start) }
        table = table + last.name
        let place = Place(key: last.range, value: start..<scanner.offset)
        if isArray {
            note(table, place)
            let count = arrayCounts[table, default: 0]
            arrayCounts[table] = count + 1
            table = table + count
        }
        // A header of its own is a better place than the one a sub-table's header implied.
        places[table] = place
    }

    /// `a.b = value`, beneath the table at `path`.
    private mutating func keyAndValue(in path: KeyPath, depth: Int) throws(Fault) {
        let keys = try dottedKey()
        guard scanner.skip("="), let first = keys.first, let last = keys.last else { throw .unexpected(offset: scanner.offset) }
        scanner.skipBlank(lines: false)
        var path = path
        for key in keys.dropLast() {
            path = path + key.name
            note(path, Place(key: key.range, value: first.range.lowerBound..<last.range.upperBound))
        }
        path = path + last.name
        let value = try value(at: path, depth: depth)
        note(path, Place(key: last.range, value: value))
    }

    /// Walks a value and what is in it, and returns its range.
    private mutating func value(at path: KeyPath, depth: Int) throws(Fault) -> Range<Int> {
        let start = scanner.offset
        guard depth < Self.deepest else { throw .deep(offset: start) }
        switch scanner.next {
        case UInt8(ascii: "["): try array(at: path, depth: depth + 1)
        case UInt8(ascii: "{"): try inlineTable(at: path, depth: depth + 1)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): try scanner.string()
        default: try scanner.bareValue()
        }
        return start..<scanner.offset
    }

    private mutating func array(at path: KeyPath, depth: Int) throws(Fault) {
        _ = scanner.skip("[")
        var index = 0
        while true {
            scanner.skipBlank(lines: true)
            if scanner.skip("]") { return }
            let element = path + index
            let range = try value(at: element, depth: depth)
            note(element, Place(key: range, value: range))
            index += 1
            scanner.skipBlank(lines: true)
            if scanner.skip(",") { continue }
            guard scanner.skip("]") else { throw .unexpected(offset: scanner.offset) }
            return
        }
    }

    private mutating func inlineTable(at path: KeyPath, depth: Int) throws(Fault) {
        _ = scanner.skip("{")
        scanner.skipBlank(lines: false)
        if scanner.skip("}") { return }
        while true {
            scanner.skipBlank(lines: false)
            try keyAndValue(in: path, depth: depth)
            scanner.skipBlank(lines: false)
            if scanner.skip(",") { continue }
            guard scanner.skip("}") else { throw .unexpected(offset: scanner.offset) }
            return
        }
    }

    private mutating func dottedKey() throws(Fault) -> [(name: String, range: Range<Int>)] {
        var keys: [(name: String, range: Range<Int>)] = []
        repeat {
            scanner.skipBlank(lines: false)
            keys.append(try scanner.simpleKey())
            scanner.skipBlank(lines: false)
        } while scanner.skip(".")
        return keys
    }

    /// Keeps the first place: where a table is opened is where it is looked for.
    private mutating func note(_ path: KeyPath, _ place: Place) {
        if places[path] == nil { places[path] = place }
    }

    /// A policy nests five deep.
    private static let deepest = 32
}
