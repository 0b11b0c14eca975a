/// A set of Unicode scalars, and how UTF-8 spells it.
struct ScalarSet: Equatable, Sendable {
    /// In order, with gaps between them; no surrogates.
    private(set) var ranges: [ClosedRange<UInt32>]

    init(_ ranges: [ClosedRange<UInt32>]) {
        self.ranges = Self.merged(ranges)
    }

    init(_ scalar: Unicode.Scalar) {
        ranges = [scalar.value...scalar.value]
    }

    static let all = ScalarSet([0...0xd7ff, 0xe000...0x10ffff])
    static let digits = ScalarSet([0x30...0x39])
    /// `\w`: ASCII letters, digits and `_`.
    static let word = ScalarSet([0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
    /// `\s`: space, tab, line feed, vertical tab, form feed, carriage return.
    static let space = ScalarSet([0x09...0x0d, 0x20...0x20])
    /// `.`: everything but the line feed.
    static let dot = ScalarSet([0x0a...0x0a]).inverted

    var inverted: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= 0x10ffff { gaps.append(next...0x10ffff) }
        return ScalarSet(gaps)
    }

    func union(_ other: ScalarSet) -> ScalarSet {
        ScalarSet(ranges + other.ranges)
    }

    /// Sequences of byte ranges that together match exactly the UTF-8 of the scalars in the set.
    var byteSequences: [[ClosedRange<UInt8>]] {
        var sequences: [[ClosedRange<UInt8>]] = []
        for range in ranges {
            for limits in Self.limitsOfLengths where range.overlaps(limits) {
                Self.appendSequences(for: range.clamped(to: limits), to: &sequences)
            }
        }
        return sequences
    }

    /// RFC 3629 §3: what is spelled with one, two, three and four bytes.
    private static let limitsOfLengths: [ClosedRange<UInt32>] = [0...0x7f, 0x80...0x7ff, 0x800...0xffff, 0x1_0000...0x10_ffff]

    /// Splits a range of scalars of one length until it is a product of byte ranges.
    private static func appendSequences(for range: ClosedRange<UInt32>, to sequences: inout [[ClosedRange<UInt8>]]) {
        let (first, last) = (range.lowerBound, range.upperBound)
        let length = UTF8.width(Unicode.Scalar(first) ?? "\0")
        // Below this bit only continuation bytes differ; where the rest differs, they must run through all their values.
        for continuation in stride(from: 1, to: length, by: 1) {
            let mask: UInt32 = (1 << UInt32(6 * continuation)) - 1
            guard first & ~mask != last & ~mask else { continue }
            if first & mask != 0 {
                appendSequences(for: first...(first | mask), to: &sequences)
                appendSequences(for: (first | mask) + 1...last, to: &sequences)
                return
            }
            if last & mask != mask {
                appendSequences(for: first...(last & ~mask) - 1, to: &sequences)
                appendSequences(for: last & ~mask...last, to: &sequences)
                return
            }
        }
        sequences.append(zip(bytes(of: first, length), bytes(of: last, length)).map { $0...$1 })
    }

    private static func bytes(of value: UInt32, _ length: Int) -> [UInt8] {
        if length == 1 { return [UInt8(value)] }
        let lead: [UInt8] = [0, 0, 0xc0, 0xe0, 0xf0]
        return (0..<length).map { index in
            let bits = UInt8(value >> UInt32(6 * (length - 1 - index)) & 0x3f)
            return index == 0 ? lead[length] | bits : 0x80 | bits
        }
    }

    /// Sorted, joined where they touch, and without the surrogates, which no UTF-8 has.
    private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var merged: [ClosedRange<UInt32>] = []
        let scalars = ranges.flatMap { range in
            [0...0xd7ff, 0xe000...0x10ffff].filter(range.overlaps).map(range.clamped(to:))
        }
        for range in scalars.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }
}
