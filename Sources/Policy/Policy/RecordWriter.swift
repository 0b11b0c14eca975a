/// Writes the fields of a compiled policy: little-endian numbers, and texts and lists after their count.
struct RecordWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func integer<Number: FixedWidthInteger>(_ value: Number) {
        var rest = value
        for _ in 0..<Number.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// A count or an index.
    mutating func count(_ value: Int) {
        guard let number = UInt32(exactly: value) else { preconditionFailure("a count that a policy cannot hold") }
        integer(number)
    }

    mutating func raw(_ value: [UInt8]) { bytes += value }

    mutating func blob(_ value: [UInt8]) {
        count(value.count)
        bytes += value
    }

    mutating func text(_ value: String) {
        count(value.utf8.count)
        bytes += value.utf8
    }

    mutating func duration(_ value: Duration) {
        integer(value.components.seconds)
        integer(value.components.attoseconds)
    }

    mutating func list<Element>(_ values: [Element], _ write: (inout RecordWriter, Element) -> Void) {
        count(values.count)
        for value in values { write(&self, value) }
    }

    mutating func optional<Value>(_ value: Value?, _ write: (inout RecordWriter, Value) -> Void) {
        bool(value != nil)
        if let value { write(&self, value) }
    }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
