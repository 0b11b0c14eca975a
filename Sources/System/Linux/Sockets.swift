internal import CLinux

/// A numeric internet address and a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// IPv4 or IPv6 in its usual text; an IPv4 address mapped into IPv6 is written as IPv4.
    public var host: String
    public var port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `[ADDR:]PORT`, an IPv6 address in brackets; without an address it is all of them.
    public init?(_ text: String) {
        var host = "::"
        var port = text[...]
        if let colon = text.lastIndex(of: ":") {
            var address = text[..<colon]
            port = text[text.index(after: colon)...]
            if address.first == "[" {
                guard address.last == "]", address.count > 2 else { return nil }
                address = address.dropFirst().dropLast()
            } else if address.contains(":") || address.isEmpty {
                return nil
            }
            host = String(address)
        }
        guard !port.isEmpty, port.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt16(port) else { return nil }
        self.init(host: host, port: number)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension Descriptor {
    /// A listening TCP socket. Port 0 takes a free one, which ``localAddress()`` tells. `::` is IPv4 too.
    public static func listen(on address: SocketAddress, backlog: Int32 = 128) throws(Errno) -> Descriptor {
        // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
        Descriptor(owning: try checked { unsafe postern_socket(address.host, address.port, max(1, backlog)) })
    }

    /// A TCP socket connected to a numeric address.
    public static func connect(to address: SocketAddress) throws(Errno) -> Descriptor {
        // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
        Descriptor(owning: try checked { unsafe postern_socket(address.host, address.port, 0) })
    }

    /// Takes the next connection of a listening socket; nil when there is none now.
    public func accept() throws(Errno) -> Descriptor? {
        guard let accepted = try unlessBlocking({ postern_accept(number) }) else { return nil }
        return Descriptor(owning: accepted)
    }

    public func peerAddress() throws(Errno) -> SocketAddress { try address(ofPeer: true) }
    public func localAddress() throws(Errno) -> SocketAddress { try address(ofPeer: false) }

    private func address(ofPeer: Bool) throws(Errno) -> SocketAddress {
        var host = [CChar](repeating: 0, count: Int(POSTERN_HOST_BYTES))
        var port: UInt16 = 0
        // SAFETY: the call writes at most POSTERN_HOST_BYTES with a NUL, and the port.
        try checked { unsafe postern_socket_address(number, ofPeer, &host, &port) }
        let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return SocketAddress(host: text, port: port)
    }

    public var isSocket: Bool {
        do throws(Errno) { return try status().kind == .socket } catch { return false }
    }

    /// Sends small segments at once.
    public func setNoDelay() throws(Errno) { try set(Int32(IPPROTO_TCP), TCP_NODELAY) }

    /// Acknowledges what has come at once. The kernel forgets it: set it again after each read.
    public func setQuickAck() throws(Errno) { try set(Int32(IPPROTO_TCP), TCP_QUICKACK) }

    /// Probes a connection that is silent for long.
    public func setKeepAlive() throws(Errno) { try set(SOL_SOCKET, SO_KEEPALIVE) }

    private func set(_ level: Int32, _ option: Int32) throws(Errno) {
        var yes: Int32 = 1
        // SAFETY: setsockopt(2) reads the four bytes of the integer.
        try checked { unsafe setsockopt(number, level, option, &yes, socklen_t(MemoryLayout<Int32>.size)) }
    }

    /// Ends sending (false) or receiving (true) on a socket.
    public func shutDown(receiving: Bool) throws(Errno) {
        try checked { shutdown(number, Int32(receiving ? SHUT_RD : SHUT_WR)) }
    }
}
