internal import CLinux

extension Descriptor {
    /// Gives the open file to another user and group, which needs CAP_CHOWN.
    public func changeOwner(uid: UInt32, gid: UInt32) throws(Errno) { try checked { fchown(number, uid, gid) } }
}

extension Descriptor {
    /// How many bytes a TCP connection has carried both ways, as the kernel counts; nil where it does not: it is no TCP connection.
    public var movedBytes: UInt64? {
        // struct tcp_info (linux/tcp.h): tcpi_bytes_acked at 120 and tcpi_bytes_received at 128, from Linux 4.1.
        var words = [UInt64](repeating: 0, count: 17)
        var size = socklen_t(words.count * 8)
        // SAFETY: getsockopt(2) writes at most `size` bytes, which the array has.
        let result = unsafe getsockopt(number, Int32(IPPROTO_TCP), TCP_INFO, &words, &size)
        return result == 0 ? words[15] &+ words[16] : nil
    }
}

/// Makes a directory, or leaves the one that is there as it is.
public func makeMissingDirectory(_ path: String, mode: UInt32) throws(Errno) {
    do throws(Errno) { try makeDirectory(path, mode: mode) } catch .exists {}
}

/// Removes a directory that is empty; ``Errno/notEmpty`` when it is not.
public func removeDirectory(_ path: String) throws(Errno) {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    try checked { unsafe rmdir(path) }
}

extension Errno {
    public static let notEmpty = Errno(ENOTEMPTY)
}
