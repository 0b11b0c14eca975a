internal import CLinux

// Reading, writing and changing an open file at any place in it.
extension Descriptor {
    /// Reads once from `offset` into `range` of `bytes`.
    ///
    /// - Returns: how many bytes came, 0 at the end.
    public func read(at offset: UInt64, into bytes: inout [UInt8], _ range: Range<Int>) throws(Errno) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the buffer")
        guard let place = off_t(exactly: offset) else { throw .invalidArgument }
        // SAFETY: the range lies inside the buffer.
        return try unsafe bytes.withUnsafeMutableBufferPointer { (buffer) throws(Errno) in
            guard let base = buffer.baseAddress else { return 0 }
            // SAFETY: pread(2) writes at most `range.count` bytes from the start of the range.
            return try checked { unsafe pread(number, base + range.lowerBound, range.count, place) }
        }
    }

    /// Reads once from `offset`, at most `count` bytes, and appends what came.
    ///
    /// - Returns: how many bytes came, 0 at the end.
    public func read(at offset: UInt64, count: Int, appendingTo bytes: inout [UInt8]) throws(Errno) -> Int {
        guard let place = off_t(exactly: offset) else { throw .invalidArgument }
        let before = bytes.count
        try bytes.append(addingCapacity: count) { (output: inout OutputSpan<UInt8>) throws(Errno) in
            // SAFETY: pread(2) writes at most `count` bytes of the capacity that was asked for, and says how many.
            try unsafe output.withUnsafeMutableBufferPointer { (buffer, initialized) throws(Errno) in
                guard let base = buffer.baseAddress else { return }
                initialized = try checked { unsafe pread(number, base, min(count, buffer.count), place) }
            }
        }
        return bytes.count - before
    }

    /// Writes all bytes at `offset`.
    public func writeAll(_ bytes: ArraySlice<UInt8>, at offset: UInt64) throws(Errno) {
        guard offset <= UInt64(Int64.max) - UInt64(bytes.count) else { throw .fileTooLarge }
        // SAFETY: the pointer is used only inside the closure.
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(Errno) in
            guard let base = buffer.baseAddress else { return }
            var position = 0
            while position < buffer.count {
                // SAFETY: pwrite(2) reads at most what is left of the buffer.
                position += try checked { unsafe pwrite(number, base + position, buffer.count - position, off_t(offset) + off_t(position)) }
            }
        }
    }

    /// Has the kernel begin to write what stands in this part of the file to the disk, and does not wait for it (sync_file_range(2)).
    public func startWriting(_ range: Range<UInt64>) throws(Errno) {
        guard let start = off_t(exactly: range.lowerBound), let count = off_t(exactly: range.upperBound - range.lowerBound) else { throw .invalidArgument }
        try checked { sync_file_range(number, start, count, UInt32(SYNC_FILE_RANGE_WRITE)) }
    }

    public func setLength(_ length: UInt64) throws(Errno) {
        guard let length = off_t(exactly: length) else { throw .fileTooLarge }
        try checked { ftruncate(number, length) }
    }

    public func setMode(_ mode: UInt32) throws(Errno) { try checked { fchmod(number, mode) } }

    /// When it was read and changed last, in seconds since 1970.
    public func setTimes(accessed: Int64, modified: Int64) throws(Errno) {
        let times = [timespec(tv_sec: Int(accessed), tv_nsec: 0), timespec(tv_sec: Int(modified), tv_nsec: 0)]
        // SAFETY: futimens(2) reads two times.
        try checked { unsafe futimens(number, times) }
    }

    /// Locks the open file against everybody else who does (flock(2)), until it is closed.
    ///
    /// - Returns: false when somebody else has it, where it is not waited for.
    @discardableResult
    public func lock(waiting: Bool) throws(Errno) -> Bool {
        try unlessBlocking { flock(number, LOCK_EX | (waiting ? 0 : LOCK_NB)) } != nil
    }

    public func unlock() throws(Errno) { try checked { flock(number, LOCK_UN) } }

    /// Of the file system that holds the file: bytes, then files, of each all and those that its user may still have.
    public func fileSystemSpace() throws(Errno) -> (bytes: UInt64, freeBytes: UInt64, files: UInt64, freeFiles: UInt64) {
        var space = statvfs()
        // SAFETY: fstatvfs(3) fills the structure.
        try checked { unsafe fstatvfs(number, &space) }
        let block = UInt64(space.f_frsize)
        return (block * UInt64(space.f_blocks), block * UInt64(space.f_bavail), UInt64(space.f_files), UInt64(space.f_favail))
    }
}

extension Errno {
    public static let tooLongName = Errno(ENAMETOOLONG)
    public static let crossesMount = Errno(EXDEV)
    public static let notSupported = Errno(EOPNOTSUPP)
}
