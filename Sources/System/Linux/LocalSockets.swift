internal import CLinux

// Sockets with a name in the file system that keep message boundaries (unix(7), SOCK_SEQPACKET).
extension Descriptor {
    /// Makes one and listens on it, without waiting for anybody. Whoever may write the file may connect.
    ///
    /// - Throws: ``Errno/tooLongName`` for a path of more than 107 bytes.
    public static func listenLocally(at path: String) throws(Errno) -> Descriptor {
        let (socket, address) = try makeLocal(path)
        // SAFETY: bind(2) reads the address, as long as the structure.
        try checked { unsafe withLocalAddress(address) { unsafe bind(socket.number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) } }
        try checked { CLinux.listen(socket.number, 8) }
        try socket.setNonBlocking()
        return socket
    }

    /// Connects to one.
    public static func connectLocally(to path: String) throws(Errno) -> Descriptor {
        let (socket, address) = try makeLocal(path)
        // SAFETY: connect(2) reads the address, as long as the structure.
        try checked { unsafe withLocalAddress(address) { unsafe CLinux.connect(socket.number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) } }
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

    private static func makeLocal(_ path: String) throws(Errno) -> (Descriptor, sockaddr_un) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        // SAFETY: fewer bytes are written than the array of the structure has; it is zero behind them.
        let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard bytes.count < room.count else { return false }
            unsafe room.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw .tooLongName }
        let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return (Descriptor(owning: try checked { socket(AF_UNIX, type, 0) }), address)
    }
}

private func withLocalAddress(_ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    // SAFETY: the structure begins as `sockaddr` does.
    unsafe withUnsafePointer(to: address) {
        unsafe body(UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<sockaddr_un>.size))
    }
}
