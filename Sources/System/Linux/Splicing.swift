internal import CLinux

// Bytes that go from pipe to pipe without being seen.
extension Descriptor {
    /// Moves what stands in this pipe into another, once (splice(2)). It never waits.
    ///
    /// - Parameter limit: the most to move, in bytes; at least one.
    /// - Returns: how many bytes were moved, 0 at the end, nil when there is nothing to move or no room.
    public func splice(into other: Descriptor, limit: Int) throws(Errno) -> Int? {
        precondition(limit > 0, "nothing to move")
        return try unlessBlocking { CLinux.splice(number, nil, other.number, nil, limit, UInt32(SPLICE_F_NONBLOCK | SPLICE_F_MOVE)) }
    }

    /// Has this pipe hold this many bytes (F_SETPIPE_SZ, fcntl(2)); a process may have only so much of that.
    public func setPipeSize(_ bytes: Int32) throws(Errno) { try checked { postern_fcntl(number, Self.setPipeSize, bytes) } }

    /// From linux/fcntl.h.
    private static let setPipeSize: Int32 = 1031

    /// From asm-generic/ioctls.h.
    private static let fionread: UInt = 0x541b

    /// How many bytes stand in this pipe (FIONREAD, ioctl_pipe(2)).
    public func waitingBytes() throws(Errno) -> Int {
        var count: Int32 = 0
        // SAFETY: the call writes one number.
        try checked { unsafe withUnsafeMutablePointer(to: &count) { postern_call(Int(SYS_ioctl), UInt(number), Self.fionread, UInt(bitPattern: $0), 0) } }
        return Int(count)
    }
}
