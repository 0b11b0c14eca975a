internal import CLinux

// Locks of single bytes of a file (fcntl(2), "Advisory record locking"): the kernel gives them up when their process ends, however it does.
// One process must open the file only once: closing any descriptor of it gives up all of its locks.
extension Descriptor {
    /// Locks a byte for this process. The file must be open for writing.
    ///
    /// - Returns: false when another process has it.
    public func lockByte(at offset: UInt64) throws(Errno) -> Bool {
        var lock = Self.lock(at: offset)
        do throws(Errno) {
            try call(F_SETLK, &lock)
            return true
        } catch .wouldBlock {
            return false
        } catch .accessDenied {
            return false
        }
    }

    /// Whether another process has locked a byte.
    public func isByteLocked(at offset: UInt64) throws(Errno) -> Bool {
        var lock = Self.lock(at: offset)
        try call(F_GETLK, &lock)
        return lock.l_type != Int16(F_UNLCK)
    }

    private static func lock(at offset: UInt64) -> flock {
        flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: off_t(offset), l_len: 1, l_pid: 0)
    }

    private func call(_ command: Int32, _ lock: inout flock) throws(Errno) {
        // SAFETY: fcntl(2) reads the structure, and writes it for F_GETLK.
        try checked { unsafe withUnsafeMutablePointer(to: &lock) { postern_call(Int(SYS_fcntl), UInt(number), UInt(command), UInt(bitPattern: $0), 0) } }
    }
}
