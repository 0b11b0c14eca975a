import Arrivals
import Policy
import Testing

@Suite("HAProxy proxy-protocol.txt: the PROXY header") struct ProxyHeaderTests {
    static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
    static let ssh = Array("SSH-2.0-client\r\n".utf8)

    private static func endpoint(_ host: String, _ port: UInt16) -> ProxyHeader.Endpoint? {
        IPAddress(host).map { ProxyHeader.Endpoint(address: $0, port: port) }
    }

    static func binary(_ version: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? rest.count
        return signature + [version, family, UInt8(length >> 8), UInt8(length & 0xff)] + rest
    }

    static let ipv4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x08, 0xae]
    static let ipv6: [UInt8] = [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1] + [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [2] + [0x30, 0x39, 0x08, 0xae]
    /// PP2_TYPE_NOOP and PP2_TYPE_UNIQUE_ID, as HAProxy sends them.
    static let extras: [UInt8] = [0x04, 0, 1, 0, 0x05, 0, 3, 1, 2, 3]

    static let relayed: [(bytes: [UInt8], client: String, server: String)] = [
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 12345 2222\r\n".utf8), "192.0.2.1", "198.51.100.2"),
        (Array("PROXY TCP6 2001:db8::1 2001:db8::2 12345 2222\r\n".utf8), "2001:db8::1", "2001:db8::2"),
        (binary(0x21, 0x11, ipv4), "192.0.2.1", "198.51.100.2"), (binary(0x21, 0x11, ipv4 + extras), "192.0.2.1", "198.51.100.2"),
        (binary(0x21, 0x21, ipv6), "2001:db8::1", "2001:db8::2"), (binary(0x21, 0x21, ipv6 + extras), "2001:db8::1", "2001:db8::2"),
    ]

    @Test(arguments: relayed) func `tells both ends, and where SSH begins`(bytes: [UInt8], client: String, server: String) throws {
        let ends = ProxyHeader.Ends.relayed(client: try #require(Self.endpoint(client, 12345)), server: try #require(Self.endpoint(server, 2222)))
        for rest in [[], Self.ssh] { #expect(try ProxyHeader.find(in: bytes + rest) == .header(ProxyHeader(ends: ends, count: bytes.count))) }
    }

    static let own: [[UInt8]] = [
        Array("PROXY UNKNOWN\r\n".utf8), Array("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n".utf8),
        binary(0x20, 0x00, []), binary(0x20, 0x11, ipv4), binary(0x20, 0x31, extras), binary(0x21, 0x00, []), binary(0x21, 0x00, extras),
    ]

    @Test(arguments: own) func `LOCAL, UNSPEC and UNKNOWN leave the connection its own ends`(bytes: [UInt8]) throws {
        for rest in [[], Self.ssh] { #expect(try ProxyHeader.find(in: bytes + rest) == .header(ProxyHeader(ends: .own, count: bytes.count))) }
    }

    @Test func `whatever is cut off is not yet known, and never asks for more than there is`() throws {
        for bytes in Self.relayed.map(\.bytes) + Self.own {
            for count in 0..<bytes.count {
                guard case .incomplete(let missing) = try ProxyHeader.find(in: Array(bytes[..<count])) else {
                    Issue.record("\(count) of \(bytes.count) bytes were enough")
                    continue
                }
                #expect(missing > 0 && count + missing <= bytes.count, "\(missing) after \(count) of \(bytes.count)")
            }
        }
    }

    static let others = ["SSH-2.0-client\r\n", "PRO XY", "proxy TCP4", "GET / HTTP/1.0\r\n", "\r\n\r\nX", "\0", "PROXY\r\n"]

    @Test(arguments: others) func `anything else is no header`(text: String) throws {
        #expect(try ProxyHeader.find(in: Array(text.utf8)) == .none)
    }

    static let wrong: [(bytes: [UInt8], fault: ProxyHeader.Fault)] = [
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 12345\r\n".utf8), .badWords),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 12345 2222 1\r\n".utf8), .badWords),
        (Array("PROXY TCP4  192.0.2.1 198.51.100.2 12345 2222\r\n".utf8), .badWords),
        (Array("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n".utf8), .badWords), (Array("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n".utf8), .badWords),
        (Array("PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n".utf8), .badWords), (Array("PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n".utf8), .badWords),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n".utf8), .badWords), (Array("PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n".utf8), .badWords),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.2 1 \r\n".utf8), .badWords), (Array("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n".utf8), .badWords),
        (Array("PROXY \r\n".utf8), .badWords), (Array("PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n".utf8), .badLine),
        (Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 0x61, count: 93), .badLine), (Array("PROXY \n".utf8), .badLine),
        (binary(0x11, 0x11, ipv4), .unknownVersion(1)), (binary(0x31, 0x11, ipv4), .unknownVersion(3)), (binary(0x22, 0x11, ipv4), .unknownCommand(2)),
        (binary(0x21, 0x12, ipv4), .unknownProtocol(0x12)), (binary(0x21, 0x31, [UInt8](repeating: 0, count: 216)), .unknownProtocol(0x31)),
        (binary(0x21, 0x11, Array(ipv4.dropLast())), .badLength(11)), (binary(0x21, 0x21, Array(ipv6.dropLast())), .badLength(35)),
        (binary(0x21, 0x11, ipv4, length: 2049), .badLength(2049)), (binary(0x20, 0x00, [], length: 65_535), .badLength(65_535)),
    ]

    @Test(arguments: wrong) func `a wrong one is refused for its reason`(bytes: [UInt8], fault: ProxyHeader.Fault) {
        #expect(throws: fault) { try ProxyHeader.find(in: bytes) }
    }

    @Test func `no bytes make it trap`() {
        var generator = SystemRandomNumberGenerator()
        for base in Self.relayed.map(\.bytes) + Self.own + Self.wrong.map(\.bytes) {
            for _ in 0..<200 {
                var bytes = base
                for _ in 0..<Int.random(in: 1...3, using: &generator) { bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator) }
                bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
                guard let finding = try? ProxyHeader.find(in: bytes) else { continue }
                if case .header(let header) = finding { #expect(header.count <= bytes.count) }
            }
        }
    }
}
