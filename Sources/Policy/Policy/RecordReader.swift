/// The bytes of a record are not what a ``RecordWriter`` wrote.
struct RecordFault: Error {}

/// Reads what ``RecordWriter`` wrote.
struct RecordReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() throws(RecordFault) -> UInt8 {
        let range = try take(1)
        return bytes[range.lowerBound]
    }

    mutating func bool() throws(RecordFault) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw RecordFault()
        }
    }

    mutating func integer<Number: FixedWidthInteger>(_: Number.Type = Number.self) throws(RecordFault) -> Number {
        let range = try take(Number.bitWidth / 8)
        return bytes[range].reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    mutating func count() throws(RecordFault) -> Int { Int(try integer(UInt32.self)) }

    mutating func raw(_ count: Int) throws(RecordFault) -> [UInt8] { Array(bytes[try take(count)]) }

    mutating func blob() throws(RecordFault) -> [UInt8] { try raw(try count()) }

    mutating func text() throws(RecordFault) -> String {
        guard let text = String(validating: try blob(), as: UTF8.self) else { throw RecordFault() }
        return text
    }

    mutating func duration() throws(RecordFault) -> Duration {
        let seconds: Int64 = try integer()
        return Duration(secondsComponent: seconds, attosecondsComponent: try integer())
    }

    mutating func list<Element>(_ read: (inout RecordReader) throws(RecordFault) -> Element) throws(RecordFault) -> [Element] {
        let count = try count()
        // Every element has at least one byte, so that no count asks for more memory than the record has bytes.
        guard count <= bytes.count - position else { throw RecordFault() }
        var values: [Element] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    mutating func optional<Value>(_ read: (inout RecordReader) throws(RecordFault) -> Value) throws(RecordFault) -> Value? {
        try bool() ? try read(&self) : nil
    }

    /// A `RawRepresentable` stored as its byte.
    mutating func coded<Value: RawRepresentable<UInt8>>(_: Value.Type = Value.self) throws(RecordFault) -> Value {
        guard let value = Value(rawValue: try byte()) else { throw RecordFault() }
        return value
    }

    /// Ends the reading: nothing may be left.
    func finish() throws(RecordFault) {
        guard position == bytes.count else { throw RecordFault() }
    }

    private mutating func take(_ count: Int) throws(RecordFault) -> Range<Int> {
        guard count <= bytes.count - position else { throw RecordFault() }
        defer { position += count }
        return position..<position + count
    }
}
