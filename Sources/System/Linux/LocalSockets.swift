internal import CLinux

// Sockets of this machine that keep message boundaries (unix(7)), with a name in the file system, or one that begins with "@" and is in none.
extension Descriptor {
    /// Makes one and listens on it, without waiting for anybody. Whoever may write the file may connect.
    ///
    /// - Throws: ``Errno/tooLongName`` for a path of more than 107 bytes.
    public static func listenLocally(at path: String) throws(Errno) -> Descriptor {
        let socket = try makeLocal(SOCK_SEQPACKET)
        try socket.bindLocally(to: path)
        try checked { CLinux.listen(socket.number, 8) }
        try socket.setNonBlocking()
        return socket
    }

    /// Connects to one.
    public static func connectLocally(to path: String) throws(Errno) -> Descriptor {
        let socket = try makeLocal(SOCK_SEQPACKET)
        try socket.connectLocally(to: path)
        return socket
    }

    /// Makes one that anybody who may write the file can send messages to, without connecting.
    ///
    /// - Throws: ``Errno/tooLongName`` for a path of more than 107 bytes.
    public static func receiveDatagrams(at path: String) throws(Errno) -> Descriptor {
        let socket = try makeLocal(SOCK_DGRAM)
        try socket.bindLocally(to: path)
        try socket.setNonBlocking()
        return socket
    }

    /// Connects to one that takes messages from everybody; sending waits so long for room.
    static func connectForDatagrams(to path: String, patienceSeconds: Int) throws(Errno) -> Descriptor {
        let socket = try makeLocal(SOCK_DGRAM)
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        // SAFETY: setsockopt(2) reads the structure.
        try checked { unsafe setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size)) }
        try socket.connectLocally(to: path)
        return socket
    }

    /// The process that listens where this socket has connected to.
    public func peerProcess() throws(Errno) -> Int32 {
        var peer = ucred()
        var length = socklen_t(MemoryLayout<ucred>.size)
        // SAFETY: getsockopt(2) fills at most as much as it is told there is.
        try checked { unsafe getsockopt(number, SOL_SOCKET, SO_PEERCRED, &peer, &length) }
        return peer.pid
    }

    private static func makeLocal(_ type: __socket_type) throws(Errno) -> Descriptor {
        let type = Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return Descriptor(owning: try checked { socket(AF_UNIX, type, 0) })
    }

    private func bindLocally(to path: String) throws(Errno) {
        let address = try LocalAddress(path)
        // SAFETY: bind(2) reads as much of the address as it is told.
        try checked { unsafe address.withPointer { unsafe bind(number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) } }
    }

    private func connectLocally(to path: String) throws(Errno) {
        let address = try LocalAddress(path)
        // SAFETY: connect(2) reads as much of the address as it is told.
        try checked { unsafe address.withPointer { unsafe CLinux.connect(number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) } }
    }
}

/// The address of a socket of this machine.
private struct LocalAddress {
    private var address = sockaddr_un()
    private let length: socklen_t

    init(_ path: String) throws(Errno) {
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        // unix(7): an abstract name begins with NUL, which is written as "@", and is as long as the address says.
        let isAbstract = bytes.first == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        // SAFETY: fewer bytes are written than the array of the structure has; it is zero behind them.
        let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard bytes.count < room.count else { return false }
            unsafe room.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw .tooLongName }
        let whole = MemoryLayout<sockaddr_un>.size
        length = socklen_t(isAbstract ? MemoryLayout<sa_family_t>.size + bytes.count : whole)
    }

    func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        // SAFETY: the structure begins as `sockaddr` does.
        unsafe withUnsafePointer(to: address) { unsafe body(UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), length) }
    }
}
