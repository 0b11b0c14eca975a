/// An IPv4 or IPv6 address.
public struct IPAddress: Hashable, Sendable {
    /// In network order: 4 or 16.
    public let bytes: [UInt8]

    /// Reads dotted decimal of four numbers without leading zeros, or IPv6 by RFC 4291 §2.2, without a zone; nil for anything else.
    public init?(_ text: String) {
        let written = Array(text.utf8)
        guard let bytes = written.contains(UInt8(ascii: ":")) ? Self.ipv6(written) : Self.ipv4(written[...]) else { return nil }
        self.bytes = bytes
    }

    private init(network bytes: [UInt8]) { self.bytes = bytes }

    /// 32 or 128.
    public var bitCount: Int { bytes.count * 8 }

    /// The IPv4 address of an IPv4-mapped one (RFC 4291 §2.5.5.2), any other as it is.
    public var withoutMapping: IPAddress {
        let prefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        return bytes.count == 16 && bytes.starts(with: prefix) ? IPAddress(network: Array(bytes[12...])) : self
    }

    /// From 4 or 16 bytes in network order.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = Array(bytes)
    }

    /// The first address of the network that has `length` leading bits of this one.
    public func network(_ length: Int) -> IPAddress {
        IPAddress(network: bytes.enumerated().map { $1 & Self.mask(of: length - $0 * 8) })
    }

    func hasSamePrefix(as other: IPAddress, length: Int) -> Bool {
        zip(bytes, other.bytes).enumerated().allSatisfy { index, pair in
            (pair.0 ^ pair.1) & Self.mask(of: length - index * 8) == 0
        }
    }

    func hasOnlyZeros(after length: Int) -> Bool {
        bytes.enumerated().allSatisfy { $1 & ~Self.mask(of: length - $0 * 8) == 0 }
    }

    /// The first `bits` of a byte; none below 0, all above 8.
    private static func mask(of bits: Int) -> UInt8 {
        bits <= 0 ? 0 : ~(bits >= 8 ? 0 : 0xff >> UInt8(bits))
    }

    private static func ipv4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let numbers = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard numbers.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for digits in numbers {
            guard (1...3).contains(digits.count), digits.allSatisfy(isDigit), digits.count == 1 || digits.first != UInt8(ascii: "0"),
                let byte = UInt8(String(decoding: digits, as: UTF8.self))
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func ipv6(_ text: [UInt8]) -> [UInt8]? {
        let colon = UInt8(ascii: ":")
        guard let gap = text.indices.dropLast().first(where: { text[$0] == colon && text[$0 + 1] == colon }) else {
            return groups(text[...], mayEndInIPv4: true).flatMap { $0.count == 16 ? $0 : nil }
        }
        // RFC 4291 §2.2: "::" stands once, for one or more groups of zeros.
        guard let head = groups(text[..<gap], mayEndInIPv4: false), let tail = groups(text[(gap + 2)...], mayEndInIPv4: true),
            head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// Groups of up to four hexadecimal digits with colons between them; none for no text.
    private static func groups(_ text: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> [UInt8]? {
        if text.isEmpty { return [] }
        let groups = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, group) in groups.enumerated() {
            if mayEndInIPv4, index == groups.count - 1, group.contains(UInt8(ascii: ".")) {
                guard let last = ipv4(group) else { return nil }
                bytes += last
                continue
            }
            let digits = group.compactMap(hexDigit)
            guard (1...4).contains(group.count), digits.count == group.count else { return nil }
            let value = digits.reduce(UInt16(0)) { $0 << 4 | UInt16($1) }
            bytes += [UInt8(value >> 8), UInt8(value & 0xff)]
        }
        return bytes
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text: dotted decimal, or RFC 5952 §4 for IPv6.
    public var description: String {
        if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        let text = groups.map { String($0, radix: 16) }
        guard let zeros = Self.longestZeros(in: groups) else { return text.joined(separator: ":") }
        return text[..<zeros.lowerBound].joined(separator: ":") + "::" + text[zeros.upperBound...].joined(separator: ":")
    }

    /// RFC 5952 §4.2: the first of the longest runs of two or more groups of zeros.
    private static func longestZeros(in groups: [UInt16]) -> Range<Int>? {
        var best = 0..<1
        for start in groups.indices {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > best.count { best = start..<end }
        }
        return best.count > 1 ? best : nil
    }
}
