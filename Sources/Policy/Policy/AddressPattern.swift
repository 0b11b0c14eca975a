/// One entry of `from`: an address or a network, or, after `!`, one that is excluded.
///
/// The list works as sshd's `from=`: a matching `!` entry refuses, whatever else matches; otherwise at least one entry without
/// `!` must match, so that a list of exclusions alone admits nobody.
public struct AddressPattern: Hashable, Sendable {
    /// Written with `!`.
    public let isExclusion: Bool
    /// Its first address.
    public let network: IPAddress
    /// Leading bits that must agree: up to 32 for IPv4, 128 for IPv6.
    public let prefixLength: Int

    /// Parses `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32` or one of them after `!`.
    ///
    /// An IPv4-mapped IPv6 network (`::ffff:192.0.2.0/120`) is the IPv4 network.
    /// - Throws: ``AddressPatternError`` with the byte of `text`.
    public init(parsing text: String) throws(AddressPatternError) {
        let bytes = Array(text.utf8)
        isExclusion = bytes.first == UInt8(ascii: "!")
        let start = isExclusion ? 1 : 0
        let slash = bytes.firstIndex(of: UInt8(ascii: "/"))
        let written = String(decoding: bytes[start..<max(start, slash ?? bytes.count)], as: UTF8.self)
        guard let address = IPAddress(written) else { throw AddressPatternError(.notAnAddress(written), at: start) }
        var length = address.bitCount
        if let slash {
            let digits = bytes[(slash + 1)...]
            guard !digits.isEmpty, digits.count <= 3, digits.allSatisfy(isDigit), digits.count == 1 || digits.first != UInt8(ascii: "0"),
                let number = Int(String(decoding: digits, as: UTF8.self)), number <= length
            else { throw AddressPatternError(.badPrefixLength(limit: length), at: slash + 1) }
            length = number
        }
        guard address.hasOnlyZeros(after: length) else { throw AddressPatternError(.bitsBehindPrefix(length), at: start) }
        let mapped = address.withoutMapping
        let mapping = address.bitCount - mapped.bitCount
        // A network wider than all mapped addresses stays what it is.
        (network, prefixLength) = length >= mapping ? (mapped, length - mapping) : (address, length)
    }

    /// Whether the address lies in the network; whether that is an exclusion plays no part.
    public func contains(_ address: IPAddress) -> Bool {
        let address = address.withoutMapping
        return address.bitCount == network.bitCount && address.hasSamePrefix(as: network, length: prefixLength)
    }

    /// Whether a peer may come in by a `from` list; an empty list admits everybody, an address that cannot be read nobody else.
    ///
    /// - Parameter peer: an address as text; IPv4-mapped IPv6 counts as IPv4, a zone (`%eth0`) is passed over.
    public static func list(_ patterns: [AddressPattern], admits peer: String) -> Bool {
        if patterns.isEmpty { return true }
        let withoutZone = peer.utf8.prefix { $0 != UInt8(ascii: "%") }
        guard let address = IPAddress(String(decoding: Array(withoutZone), as: UTF8.self)) else { return false }
        let matching = patterns.filter { $0.contains(address) }
        return !matching.isEmpty && matching.allSatisfy { !$0.isExclusion }
    }
}

extension AddressPattern: CustomStringConvertible {
    /// The pattern as it can be parsed again.
    public var description: String {
        let suffix = prefixLength == network.bitCount ? "" : "/\(prefixLength)"
        return (isExclusion ? "!" : "") + network.description + suffix
    }
}

/// Why a `from` entry is not an address pattern.
public struct AddressPatternError: TextFault {
    /// What is wrong with the text.
    public enum Reason: Hashable, Sendable {
        case notAnAddress(String)
        case badPrefixLength(limit: Int)
        /// Bits behind the prefix of this length are not zero.
        case bitsBehindPrefix(Int)
    }

    /// The fault, with its evidence.
    public var reason: Reason
    /// Of the byte at fault.
    public var offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        switch reason {
        case .notAnAddress(let text):
            "\"\(VisibleText.of(text))\" is not an address; write IPv4 or IPv6 as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"
        case .badPrefixLength(let limit): "the number behind the slash is 0 to \(limit)"
        case .bitsBehindPrefix(let length): "the address has bits behind the first \(length); write the network's first address"
        }
    }
}
