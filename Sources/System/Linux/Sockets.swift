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
        let (socket, kernelAddress) = try make(for: address)
        try socket.set(SOL_SOCKET, SO_REUSEADDR)
        // "::" takes IPv4 too, whatever the machine's default is.
        if kernelAddress.ss_family == AF_INET6 { try socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: 0) }
        // SAFETY: bind(2) reads the address, at most as long as the structure.
        try checked { unsafe withAddress(kernelAddress) { unsafe bind(socket.number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) } }
        try checked { CLinux.listen(socket.number, max(1, backlog)) }
        return socket
    }

    /// A TCP socket connected to a numeric address, from one of this machine's own.
    public static func connect(to address: SocketAddress, from own: SocketAddress? = nil) throws(Errno) -> Descriptor {
        let (socket, kernelAddress) = try make(for: address)
        if let own {
            guard let kernelAddress = sockaddr_storage(own) else { throw .addressNotAvailable }
            // SAFETY: bind(2) reads the address, at most as long as the structure.
            try checked { unsafe withAddress(kernelAddress) { unsafe bind(socket.number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) } }
        }
        // SAFETY: connect(2) reads the address, at most as long as the structure.
        try checked { unsafe withAddress(kernelAddress) { unsafe CLinux.connect(socket.number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) } }
        return socket
    }

    private static func make(for address: SocketAddress) throws(Errno) -> (Descriptor, sockaddr_storage) {
        guard let kernelAddress = sockaddr_storage(address) else { throw .addressNotAvailable }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return (Descriptor(owning: try checked { socket(Int32(kernelAddress.ss_family), type, 0) }), kernelAddress)
    }

    /// Takes the next connection of a listening socket; nil when there is none now.
    public func accept() throws(Errno) -> Descriptor? {
        guard let accepted = try unlessBlocking({ postern_accept(number) }) else { return nil }
        return Descriptor(owning: accepted)
    }

    public func peerAddress() throws(Errno) -> SocketAddress {
        // SAFETY: getpeername(2) fills at most as much as it is told there is.
        try unsafe address { unsafe getpeername(number, __SOCKADDR_ARG(__sockaddr__: $0), $1) }
    }

    public func localAddress() throws(Errno) -> SocketAddress {
        // SAFETY: getsockname(2) fills at most as much as it is told there is.
        try unsafe address { unsafe getsockname(number, __SOCKADDR_ARG(__sockaddr__: $0), $1) }
    }

    private func address(_ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) throws(Errno) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // SAFETY: the structure has room for every kind of address, and `length` says how much.
        try checked { unsafe withUnsafeMutablePointer(to: &storage) { unsafe ask(UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self), &length) } }
        guard let address = SocketAddress(storage) else { throw Errno(EAFNOSUPPORT) }
        return address
    }

    public var isSocket: Bool {
        do throws(Errno) { return try status().kind == .socket } catch { return false }
    }

    /// The next byte, which stays where it is; nil at the end.
    public func peek() throws(Errno) -> UInt8? {
        var byte: UInt8 = 0
        // SAFETY: recv(2) writes at most one byte.
        let count = try checked { unsafe recv(number, &byte, 1, Int32(MSG_PEEK)) }
        return count == 0 ? nil : byte
    }

    /// Sends small segments at once.
    public func setNoDelay() throws(Errno) { try set(Int32(IPPROTO_TCP), TCP_NODELAY) }

    /// Acknowledges what has come at once. The kernel forgets it: set it again after each read.
    public func setQuickAck() throws(Errno) { try set(Int32(IPPROTO_TCP), TCP_QUICKACK) }

    /// Probes a connection that is silent for long.
    public func setKeepAlive() throws(Errno) { try set(SOL_SOCKET, SO_KEEPALIVE) }

    private func set(_ level: Int32, _ option: Int32, to number: Int32 = 1) throws(Errno) {
        var value = number
        // SAFETY: setsockopt(2) reads the four bytes of the integer.
        try checked { unsafe setsockopt(self.number, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) }
    }

    /// Ends sending (false) or receiving (true) on a socket.
    public func shutDown(receiving: Bool) throws(Errno) {
        try checked { shutdown(number, Int32(receiving ? SHUT_RD : SHUT_WR)) }
    }
}

/// The address as the kernel takes it; its length is that of the largest kind, which bind(2) and connect(2) accept.
private func withAddress(_ address: sockaddr_storage, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    // SAFETY: every kind of address begins as `sockaddr` does, and lies within the structure.
    unsafe withUnsafePointer(to: address) {
        unsafe body(UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<sockaddr_storage>.size))
    }
}

extension sockaddr_storage {
    /// Nil for what is not a numeric address.
    fileprivate init?(_ address: SocketAddress) {
        self.init()
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        // SAFETY: inet_pton(3) reads the string to its NUL, and fills 4 or 16 bytes, which the structures have.
        if unsafe inet_pton(AF_INET, address.host, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = address.port.bigEndian
            // SAFETY: the structure is smaller than the storage.
            unsafe withUnsafeMutableBytes(of: &self) { storage in unsafe withUnsafeBytes(of: v4) { unsafe storage.copyMemory(from: $0) } }
        } else if unsafe inet_pton(AF_INET6, address.host, &v6.sin6_addr) == 1 {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = address.port.bigEndian
            // SAFETY: the structure is smaller than the storage.
            unsafe withUnsafeMutableBytes(of: &self) { storage in unsafe withUnsafeBytes(of: v6) { unsafe storage.copyMemory(from: $0) } }
        } else {
            return nil
        }
    }
}

extension SocketAddress {
    /// Nil for another family than the internet's.
    fileprivate init?(_ storage: sockaddr_storage) {
        // SAFETY: the bytes are read within the storage; ports and addresses are where sockaddr_in and sockaddr_in6 have them (ip(7), ipv6(7)).
        let bytes = unsafe withUnsafeBytes(of: storage) { unsafe Array($0) }
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        switch Int32(storage.ss_family) {
        case AF_INET: self.init(host: Self.text(AF_INET, bytes[4..<8]), port: port)
        case AF_INET6:
            let address = bytes[8..<24]
            let isMapped = address.prefix(10).allSatisfy { $0 == 0 } && address.dropFirst(10).prefix(2).allSatisfy { $0 == 0xff }
            self.init(host: isMapped ? Self.text(AF_INET, address.suffix(4)) : Self.text(AF_INET6, address), port: port)
        default: return nil
        }
    }

    private static func text(_ family: Int32, _ address: ArraySlice<UInt8>) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // SAFETY: inet_ntop(3) reads the 4 or 16 bytes of the family, and writes a text with a NUL of at most the length given.
        _ = unsafe inet_ntop(family, Array(address), &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
