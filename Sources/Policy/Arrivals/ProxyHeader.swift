public import Policy

/// The header of the PROXY protocol, versions 1 and 2 (HAProxy, proxy-protocol.txt): whose connection a proxy passes on.
public struct ProxyHeader: Equatable, Sendable {
    /// One end of the connection that the client made.
    public struct Endpoint: Equatable, Sendable {
        public let address: IPAddress
        public let port: UInt16

        public init(address: IPAddress, port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    public enum Ends: Equatable, Sendable {
        /// The client, and what it connected to.
        case relayed(client: Endpoint, server: Endpoint)
        /// The proxy's own connection, or one of which it tells nothing: the ends are those of the connection itself.
        case own
    }

    public let ends: Ends
    /// Its length; SSH begins behind it.
    public let count: Int

    /// What is known of the beginning of a connection.
    public enum Finding: Equatable, Sendable {
        case header(ProxyHeader)
        /// It begins with something else.
        case none
        /// Not yet known; at least this many bytes more must come before it is worth another look. A header has no fewer.
        case incomplete(missing: Int)
    }

    public enum Fault: Error, Equatable, Sendable, CustomStringConvertible {
        /// A line of version 1 that is longer than 107 bytes with its end, or does not end in CR LF.
        case badLine
        /// A line with the wrong words, a bad address or port.
        case badWords
        /// Of version 2.
        case unknownVersion(UInt8)
        case unknownCommand(UInt8)
        case unknownProtocol(UInt8)
        /// Too short for its addresses, or longer than any real one.
        case badLength(Int)

        public var description: String {
            switch self {
            case .badLine: "a line that does not end within 107 bytes"
            case .badWords: "a line with other words than a protocol, two addresses and two ports"
            case .unknownVersion(let version): "version \(version)"
            case .unknownCommand(let command): "unknown command \(command)"
            case .unknownProtocol(let number): "unknown protocol \(number)"
            case .badLength(let length): "a length of \(length) bytes"
            }
        }
    }

    /// The longest that is read: with more TLVs than proxies send, and short enough to be there at once.
    public static let longest = 16 + mostBehind
    private static let mostBehind = 2048
    /// proxy-protocol.txt §2.1, with CR LF.
    private static let longestLine = 107

    private static let lineStart = Array("PROXY ".utf8)
    private static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]

    /// Looks at the first bytes of a connection.
    public static func find(in bytes: [UInt8]) throws(Fault) -> Finding {
        for (start, parse) in [(lineStart, line), (signature, binary)] as [([UInt8], ([UInt8]) throws(Fault) -> Finding)] {
            if bytes.count < start.count {
                if start.starts(with: bytes) { return .incomplete(missing: start.count - bytes.count) }
            } else if bytes.starts(with: start) {
                return try parse(bytes)
            }
        }
        return .none
    }

    // MARK: - Version 1

    private static func line(_ bytes: [UInt8]) throws(Fault) -> Finding {
        let line = bytes.prefix(longestLine)
        guard let end = line.firstIndex(of: 0x0a) else {
            guard line.count < longestLine else { throw .badLine }
            // CR LF, or LF where the CR is there.
            return .incomplete(missing: line.last == 0x0d ? 1 : 2)
        }
        guard line[end - 1] == 0x0d else { throw .badLine }
        let words = line[..<(end - 1)].split(separator: 0x20, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        // What stands behind UNKNOWN is to be ignored.
        if words.count > 1, words[1] == "UNKNOWN" { return .header(ProxyHeader(ends: .own, count: end + 1)) }
        guard words.count == 6, let length = ["TCP4": 4, "TCP6": 16][words[1]], let client = endpoint(words[2], words[4], length),
            let server = endpoint(words[3], words[5], length)
        else { throw .badWords }
        return .header(ProxyHeader(ends: .relayed(client: client, server: server), count: end + 1))
    }

    private static func endpoint(_ host: String, _ port: String, _ length: Int) -> Endpoint? {
        guard let address = IPAddress(host), address.bytes.count == length else { return nil }
        guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), port == "0" || !port.hasPrefix("0"), let number = UInt16(port)
        else { return nil }
        return Endpoint(address: address, port: number)
    }

    // MARK: - Version 2

    private static func binary(_ bytes: [UInt8]) throws(Fault) -> Finding {
        guard bytes.count >= 16 else { return .incomplete(missing: 16 - bytes.count) }
        guard bytes[12] >> 4 == 2 else { throw .unknownVersion(bytes[12] >> 4) }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        guard length <= mostBehind else { throw .badLength(length) }
        let end = 16 + length
        let isLocal = bytes[12] & 15 == 0
        guard isLocal || bytes[12] & 15 == 1 else { throw .unknownCommand(bytes[12] & 15) }
        let addressLength: Int
        switch (isLocal, bytes[13]) {
        // Whatever protocol it names: it is to be ignored.
        case (true, _): addressLength = 0
        case (false, 0x00): addressLength = 0
        case (false, 0x11): addressLength = 4
        case (false, 0x21): addressLength = 16
        // Datagrams, Unix sockets and what is to come have no SSH in them.
        case (false, let other): throw .unknownProtocol(other)
        }
        guard length >= addressLength * 2 + (addressLength > 0 ? 4 : 0) else { throw .badLength(length) }
        guard bytes.count >= end else { return .incomplete(missing: end - bytes.count) }
        guard addressLength > 0, let client = IPAddress(bytes: bytes[16..<(16 + addressLength)]),
            let server = IPAddress(bytes: bytes[(16 + addressLength)..<(16 + addressLength * 2)])
        else { return .header(ProxyHeader(ends: .own, count: end)) }
        let ports = 16 + addressLength * 2
        let clientPort = UInt16(bytes[ports]) << 8 | UInt16(bytes[ports + 1])
        let serverPort = UInt16(bytes[ports + 2]) << 8 | UInt16(bytes[ports + 3])
        // TLVs may follow. They say nothing that is needed here.
        return .header(
            ProxyHeader(
                ends: .relayed(client: Endpoint(address: client, port: clientPort), server: Endpoint(address: server, port: serverPort)), count: end))
    }

    public init(ends: Ends, count: Int) {
        self.ends = ends
        self.count = count
    }
}
