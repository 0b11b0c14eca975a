internal import CLinux

/// An open file descriptor, closed when the last reference to it goes. Always close-on-exec when made here.
public final class Descriptor: Sendable {
    /// The number the kernel knows it by.
    public let number: Int32

    /// Takes over an open descriptor that nothing else closes.
    public init(owning number: Int32) {
        precondition(number >= 0, "not a descriptor")
        self.number = number
    }

    deinit { _ = CLinux.close(number) }

    /// Those every process is started with; they stay open.
    public static let standardInput = Descriptor(owning: 0)
    public static let standardOutput = Descriptor(owning: 1)
    public static let standardError = Descriptor(owning: 2)

    /// Reads once into `range` of `bytes`.
    ///
    /// - Returns: how many bytes came, 0 at the end, nil when there is nothing yet.
    public func read(into bytes: inout [UInt8], _ range: Range<Int>) throws(Errno) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the buffer")
        // SAFETY: the range lies inside the buffer.
        return try unsafe bytes.withUnsafeMutableBufferPointer { (buffer) throws(Errno) in
            guard let base = buffer.baseAddress else { return 0 }
            // SAFETY: read(2) writes at most `range.count` bytes from the start of the range.
            return try unlessBlocking { unsafe CLinux.read(number, base + range.lowerBound, range.count) }
        }
    }

    /// Writes once from `range` of `bytes`.
    ///
    /// - Returns: how many bytes were taken, nil when none can be now.
    public func write(_ bytes: [UInt8], _ range: Range<Int>) throws(Errno) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the buffer")
        // SAFETY: the range lies inside the buffer.
        return try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(Errno) in
            guard let base = buffer.baseAddress else { return 0 }
            // SAFETY: write(2) reads at most `range.count` bytes from the start of the range.
            return try unlessBlocking { unsafe CLinux.write(number, base + range.lowerBound, range.count) }
        }
    }

    /// Writes all bytes to a blocking descriptor.
    public func writeAll(_ bytes: [UInt8]) throws(Errno) {
        var position = 0
        while position < bytes.count {
            guard let count = try write(bytes, position..<bytes.count) else { throw .wouldBlock }
            position += count
        }
    }

    /// Reads to the end of a blocking descriptor.
    ///
    /// - Throws: ``Errno/fileTooLarge`` when more than `limit` bytes come.
    public func readAll(limit: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: min(limit + 1, 64 * 1024))
        var count = 0
        while true {
            guard let more = try read(into: &bytes, count..<bytes.count) else { throw .wouldBlock }
            if more == 0 { return Array(bytes[..<count]) }
            count += more
            if count > limit { throw .fileTooLarge }
            if count == bytes.count { bytes += [UInt8](repeating: 0, count: min(count, limit + 1 - count)) }
        }
    }

    /// Makes reads and writes return nil instead of waiting. It holds for everyone who shares the open file.
    public func setNonBlocking(_ isOn: Bool = true) throws(Errno) {
        let flags = try checked { postern_fcntl(number, F_GETFL, 0) }
        try checked { postern_fcntl(number, F_SETFL, isOn ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) }
    }

    public func setCloseOnExec(_ isOn: Bool = true) throws(Errno) {
        try checked { postern_fcntl(number, F_SETFD, isOn ? FD_CLOEXEC : 0) }
    }

    /// Another descriptor of the same open file.
    public func duplicate() throws(Errno) -> Descriptor {
        Descriptor(owning: try checked { postern_fcntl(number, F_DUPFD_CLOEXEC, 3) })
    }

    /// A pipe: what is written to the second is read from the first.
    public static func pipe() throws(Errno) -> (reading: Descriptor, writing: Descriptor) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: pipe2(2) writes two numbers, and the array has room for two.
        try checked { unsafe pipe2(&ends, O_CLOEXEC) }
        return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
    }

    /// What the kernel knows about the open file.
    public func status() throws(Errno) -> FileStatus {
        var status = stat()
        // SAFETY: fstat(2) fills the structure.
        try checked { unsafe fstat(number, &status) }
        return FileStatus(status)
    }
}

/// The part of stat(2) that Postern looks at.
public struct FileStatus: Equatable, Sendable {
    public enum Kind: Equatable, Sendable { case file, directory, link, socket, other }
    public let kind: Kind
    /// The permission bits with set-uid, set-gid and sticky: 12 bits.
    public let mode: UInt32
    public let uid: UInt32
    public let gid: UInt32
    /// In bytes.
    public let size: Int64
    public let device: UInt64
    public let inode: UInt64
    /// Of the content, in nanoseconds since 1970.
    public let modified: Int64
    /// When it was read last, in nanoseconds since 1970.
    public let accessed: Int64
    /// Hard links.
    public let links: UInt64

    init(_ status: stat) {
        kind =
            switch Int32(status.st_mode) & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFSOCK: .socket
            default: .other
            }
        mode = status.st_mode & 0o7777
        uid = status.st_uid
        gid = status.st_gid
        size = Int64(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = status.st_mtim.nanoseconds
        accessed = status.st_atim.nanoseconds
        links = UInt64(status.st_nlink)
    }
}

extension timespec {
    /// Since 1970. 64 bits end in 2262, and a file may say that it is of a later year: that is the last moment then, or the first.
    fileprivate var nanoseconds: Int64 {
        let (product, isOver) = Int64(tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isStillOver) = product.addingReportingOverflow(Int64(tv_nsec))
        return isOver || isStillOver ? (tv_sec < 0 ? .min : .max) : sum
    }
}
