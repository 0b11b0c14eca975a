/// What can be wrong with bytes that should be RFC 4251 data.
public enum WireError: Error, Equatable, Sendable {
    /// The data ended before a field did.
    case truncated(needed: Int, remaining: Int)
    /// A field is longer than its limit.
    case tooLong(length: Int, limit: Int)
    /// Bytes were left after the last field.
    case trailing(count: Int)
    /// A string that must be UTF-8 is not.
    case notUTF8
    /// A name-list holds an empty name, or a byte outside printable US-ASCII.
    case badNameList
    /// An `mpint` is negative or not in its shortest form.
    case badInteger
    /// A message has another number than the one asked for, or one that its layer does not know.
    case unknownMessage(UInt8)
    /// A field holds a value its message does not allow.
    case badValue(String)
}

/// Reads RFC 4251 §5 data types from bytes, one after the other.
///
/// It keeps the array and a position, so reading copies only what a field holds.
public struct WireReader: Sendable {
    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    public init(_ bytes: [UInt8]) {
        self.init(bytes, in: bytes.indices)
    }

    /// Reads only `range` of `bytes`; it must lie inside them.
    public init(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// How many bytes are left.
    public var remaining: Int { end - position }

    public mutating func byte() throws(WireError) -> UInt8 {
        try need(1)
        defer { position += 1 }
        return bytes[position]
    }

    /// Reads a `boolean`: zero is false, every other value is true.
    public mutating func boolean() throws(WireError) -> Bool {
        try byte() != 0
    }

    public mutating func uint32() throws(WireError) -> UInt32 {
        try need(4)
        defer { position += 4 }
        return UInt32(bytes[position]) << 24 | UInt32(bytes[position + 1]) << 16
            | UInt32(bytes[position + 2]) << 8 | UInt32(bytes[position + 3])
    }

    public mutating func uint64() throws(WireError) -> UInt64 {
        let high = try uint32()
        return try UInt64(high) << 32 | UInt64(uint32())
    }

    /// Reads exactly `count` bytes.
    public mutating func raw(_ count: Int) throws(WireError) -> [UInt8] {
        Array(bytes[try take(count)])
    }

    /// Reads a `string` (RFC 4251 §5): a `uint32` length, then that many bytes.
    ///
    /// - Parameter limit: the largest length accepted, in bytes.
    /// - Throws: ``WireError/tooLong(length:limit:)`` before reading a byte of a longer string.
    public mutating func string(limit: Int) throws(WireError) -> [UInt8] {
        Array(bytes[try stringRange(limit: limit)])
    }

    /// Reads a `string` as the range of the array it stands in, without a copy.
    public mutating func stringRange(limit: Int) throws(WireError) -> Range<Int> {
        let length = Int(try uint32())
        guard length <= limit else { throw .tooLong(length: length, limit: limit) }
        return try take(length)
    }

    /// Reads a `string` that RFC 4251 §5 wants as UTF-8 text.
    public mutating func text(limit: Int) throws(WireError) -> String {
        guard let text = String(validating: try string(limit: limit), as: UTF8.self) else { throw .notUTF8 }
        return text
    }

    /// Reads a `name-list` (RFC 4251 §5): comma-separated names of printable US-ASCII, none of them empty.
    public mutating func nameList(limit: Int = 8192) throws(WireError) -> [String] {
        let list = bytes[try stringRange(limit: limit)]
        if list.isEmpty { return [] }
        var names: [String] = []
        for name in list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard !name.isEmpty, name.allSatisfy({ 0x21...0x7e ~= $0 }) else { throw .badNameList }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names
    }

    /// Reads an `mpint` that may not be negative, as big-endian bytes without leading zeros.
    public mutating func unsignedInteger(limit: Int) throws(WireError) -> [UInt8] {
        let bytes = try string(limit: limit)
        guard let first = bytes.first else { return [] }
        if first == 0 {
            // RFC 4251 §5: unnecessary leading zeros must not be there.
            guard bytes.count > 1, bytes[1] & 0x80 != 0 else { throw .badInteger }
            return Array(bytes.dropFirst())
        }
        guard first & 0x80 == 0 else { throw .badInteger }
        return bytes
    }

    /// Reads all that is left.
    public mutating func rest() -> [UInt8] {
        defer { position = end }
        return Array(bytes[position..<end])
    }

    /// Ends the reading: nothing may be left.
    public func finish() throws(WireError) {
        guard remaining == 0 else { throw .trailing(count: remaining) }
    }

    private mutating func take(_ count: Int) throws(WireError) -> Range<Int> {
        try need(count)
        defer { position += count }
        return position..<position + count
    }

    private func need(_ count: Int) throws(WireError) {
        guard count <= remaining else { throw .truncated(needed: count, remaining: remaining) }
    }
}
