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
