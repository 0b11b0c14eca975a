/// Writes RFC 4251 §5 data types one after the other.
public struct WireWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// Starts with a message number (RFC 4250 §4.1).
    public init(_ message: MessageNumber) {
        bytes = [message.rawValue]
    }

    public mutating func byte(_ value: UInt8) {
        bytes.append(value)
    }

    public mutating func boolean(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    public mutating func uint32(_ value: UInt32) {
        bytes.append(UInt8(truncatingIfNeeded: value >> 24))
        bytes.append(UInt8(truncatingIfNeeded: value >> 16))
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    public mutating func uint64(_ value: UInt64) {
        uint32(UInt32(truncatingIfNeeded: value >> 32))
        uint32(UInt32(truncatingIfNeeded: value))
    }

    public mutating func raw(_ value: some Collection<UInt8>) {
        bytes.append(contentsOf: value)
    }

    /// Writes a `string`: a `uint32` length, then the bytes.
    public mutating func string(_ value: some Collection<UInt8>) {
        uint32(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    public mutating func text(_ value: String) {
        string(Array(value.utf8))
    }

    /// Writes a `name-list`: the names joined with commas.
    public mutating func nameList(_ names: [String]) {
        text(names.joined(separator: ","))
    }

    /// Writes a non-negative `mpint` from big-endian bytes; leading zeros are left out (RFC 4251 §5).
    public mutating func unsignedInteger(_ bigEndian: some Collection<UInt8>) {
        let digits = bigEndian.drop { $0 == 0 }
        let signBit = (digits.first ?? 0) & 0x80 != 0
        uint32(UInt32(digits.count + (signBit ? 1 : 0)))
        if signBit { byte(0) }
        bytes.append(contentsOf: digits)
    }
}
