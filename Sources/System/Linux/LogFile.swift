internal import CLinux

/// A log file that lines are appended to, whole or not at all.
///
/// It may be moved away at any time, as logrotate does: the next line finds that the name means another file, or none, and goes to a new one.
public final class LogFile {
    private let path: String
    private var file: Descriptor
    /// Which file it is: device and inode.
    private var identity: (UInt64, UInt64)

    /// Opens the file, or makes it with mode 0600.
    ///
    /// - Throws: also where the name is a symbolic link, or something else than a file (or a character device, as `/dev/null`).
    public init(_ path: String) throws(Errno) {
        self.path = path
        (file, identity) = try Self.open(path)
    }

    /// Appends one line, which ends with its line feed.
    public func append(_ line: [UInt8]) throws(Errno) {
        if try !isInPlace { try reopen() }
        guard let count = try file.write(line, line.indices) else { throw .wouldBlock }
        if count < line.count {
            try takeBack(count)
            throw .noSpace
        }
    }

    /// Opens what the name means now.
    public func reopen() throws(Errno) { (file, identity) = try Self.open(path) }

    private var isInPlace: Bool {
        get throws(Errno) {
            var status = stat()
            do throws(Errno) {
                // SAFETY: the path is passed as a NUL-terminated copy, and stat(2) fills the structure.
                try checked { unsafe stat(path, &status) }
            } catch .notFound {
                return false
            }
            return (UInt64(status.st_dev), UInt64(status.st_ino)) == identity
        }
    }

    /// Takes back the beginning of a line for which the disk had no room, unless another process has written behind it.
    private func takeBack(_ count: Int) throws(Errno) {
        let end = try file.offset()
        guard try file.status().size == end else { return }
        try checked { ftruncate(file.number, off_t(end) - off_t(count)) }
    }

    private static func open(_ path: String) throws(Errno) -> (Descriptor, (UInt64, UInt64)) {
        // Without waiting: a FIFO would wait for a reader.
        let file = try openFile(path, [.write, .append, .create, .noFollow, .nonBlocking], mode: 0o600)
        try file.setNonBlocking(false)
        var status = stat()
        // SAFETY: fstat(2) fills the structure.
        try checked { unsafe fstat(file.number, &status) }
        guard [S_IFREG, S_IFCHR].contains(Int32(status.st_mode) & S_IFMT) else { throw .invalidArgument }
        return (file, (UInt64(status.st_dev), UInt64(status.st_ino)))
    }
}
