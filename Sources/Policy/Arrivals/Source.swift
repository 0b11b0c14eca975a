public import Policy

/// Where a connection comes from, as far as limits tell apart: an address, or the network that it is in.
public struct Source: Hashable, Sendable {
    /// The first address of the network.
    public let network: IPAddress

    /// The source of an address; nil for text that is none, such as that of a peer that is no internet address.
    ///
    /// - Parameter host: IPv4-mapped IPv6 counts as IPv4; a zone (`%eth0`) is passed over.
    public init?(host: String, _ limits: ArrivalLimits) {
        let withoutZone = host.utf8.prefix { $0 != UInt8(ascii: "%") }
        guard let address = IPAddress(String(decoding: Array(withoutZone), as: UTF8.self))?.withoutMapping else { return nil }
        network = address.network(address.bitCount == 32 ? limits.ipv4Prefix : limits.ipv6Prefix)
    }

    /// Its form in the table: 16 bytes and the length of the address, or 17 zeros for none.
    static let length = 17

    static func bytes(of source: Source?) -> [UInt8] {
        guard let bytes = source?.network.bytes else { return [UInt8](repeating: 0, count: length) }
        return bytes + [UInt8](repeating: 0, count: 16 - bytes.count) + [UInt8(bytes.count)]
    }

    init?(bytes: ArraySlice<UInt8>) {
        guard let count = bytes.last, let address = IPAddress(bytes: bytes.prefix(Int(count))) else { return nil }
        network = address
    }
}
