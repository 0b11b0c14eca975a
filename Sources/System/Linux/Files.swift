internal import CLinux

/// How a file is opened.
public struct OpenFlags: OptionSet, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let write = OpenFlags(rawValue: O_WRONLY)
    public static let readWrite = OpenFlags(rawValue: O_RDWR)
    public static let append = OpenFlags(rawValue: O_APPEND)
    public static let create = OpenFlags(rawValue: O_CREAT)
    /// With ``create``: fails when the name is taken.
    public static let exclusive = OpenFlags(rawValue: O_EXCL)
    public static let truncate = OpenFlags(rawValue: O_TRUNC)
    public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    /// Fails when the last component is a symbolic link.
    public static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    public static let directory = OpenFlags(rawValue: O_DIRECTORY)
    /// Only names the file: it can be looked at and executed, not read.
    public static let pathOnly = OpenFlags(rawValue: O_PATH)
}

/// Opens a file for reading, or as `flags` say; below `directory` when the path is relative.
public func openFile(
    _ path: String, _ flags: OpenFlags = [], mode: UInt32 = 0o600, in directory: Descriptor? = nil
) throws(Errno) -> Descriptor {
    let number = try checked {
        // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
        unsafe postern_openat(directory?.number ?? AT_FDCWD, path, flags.rawValue | O_CLOEXEC, mode)
    }
    return Descriptor(owning: number)
}

public func openDirectory(_ path: String, in directory: Descriptor? = nil) throws(Errno) -> Descriptor {
    try openFile(path, .directory, in: directory)
}

/// Reads a file whole.
///
/// - Throws: ``Errno/fileTooLarge`` when it has more than `limit` bytes.
public func readFile(_ path: String, limit: Int) throws(Errno) -> [UInt8] {
    try openFile(path).readAll(limit: limit)
}

/// Writes a file that must not exist yet.
public func createFile(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(Errno) {
    let file = try openFile(path, [.write, .create, .exclusive], mode: mode)
    do throws(Errno) {
        // The umask must not decide.
        try checked { fchmod(file.number, mode) }
        try file.writeAll(bytes)
        try file.synchronize()
    } catch {
        try removeFile(path)
        throw error
    }
}

/// Puts a file in the place of another: readers see the old one whole or the new one whole, also after a crash.
public func replaceFile(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(Errno) {
    let temporary = "\(path).new.\(getpid())"
    // A process of our id that was killed here may have left one.
    try removeFile(temporary)
    try createFile(temporary, bytes, mode: mode)
    do throws(Errno) {
        // SAFETY: the strings are passed as NUL-terminated copies that live during the call.
        try checked { unsafe rename(temporary, path) }
    } catch {
        try removeFile(temporary)
        throw error
    }
    try openDirectory(parent(of: path)).synchronize()
}

/// Removes a name; one that is not there is fine.
public func removeFile(_ path: String) throws(Errno) {
    do throws(Errno) {
        // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
        try checked { unsafe unlink(path) }
    } catch .notFound {
    }
}

public func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(Errno) {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    try checked { unsafe mkdir(path, mode) }
}

/// Where a symbolic link points, at most 4095 bytes.
public func readLink(_ path: String, in directory: Descriptor? = nil) throws(Errno) -> String {
    var target = [CChar](repeating: 0, count: 4096)
    let count = try checked {
        // SAFETY: readlinkat(2) writes at most as many bytes as the array has.
        unsafe readlinkat(directory?.number ?? AT_FDCWD, path, &target, target.count)
    }
    guard count < target.count else { throw Errno(ENAMETOOLONG) }
    return String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The file that this process runs, as an absolute path.
public func executablePath() throws(Errno) -> String { try readLink("/proc/self/exe") }

/// The directory of a path: all before the last component.
public func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

extension Descriptor {
    /// Waits until what was written is on disk (fsync(2)).
    public func synchronize() throws(Errno) { try checked { fsync(number) } }

    /// Where the next read or write is, in bytes from the first.
    public func offset() throws(Errno) -> Int64 { Int64(try checked { lseek(number, 0, SEEK_CUR) }) }

    /// Goes back to the first byte.
    public func rewind() throws(Errno) { try checked { lseek(number, 0, SEEK_SET) } }
}

/// A file that exists only in memory; `name` is for `/proc`.
public func memoryFile(named name: String) throws(Errno) -> Descriptor {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    Descriptor(owning: try checked { unsafe memfd_create(name, UInt32(MFD_CLOEXEC)) })
}
