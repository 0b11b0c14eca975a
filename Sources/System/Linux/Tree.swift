internal import CLinux

// Files beneath a directory that is open, by names of bytes. No symbolic link is followed and no other mount entered, so that a path leads
// nowhere else, whatever is put there meanwhile (openat2(2)).
extension Descriptor {
    /// Opens a file beneath this directory.
    ///
    /// - Parameter path: relative, without NUL.
    public func openBeneath(_ path: [UInt8], _ flags: OpenFlags = [], mode: UInt32 = 0) throws(Errno) -> Descriptor {
        let how = [UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC)), UInt64(mode), Self.beneath]
        let name = try Self.ended(path)
        // SAFETY: the path ends with a NUL; struct open_how is three numbers of 64 bits; the call reads both while they are lent.
        let opened = try unsafe name.withUnsafeBufferPointer { (name) throws(Errno) in
            try unsafe how.withUnsafeBufferPointer { (how) throws(Errno) in
                try checked {
                    postern_call(
                        Int(SYS_openat2), UInt(bitPattern: Int(number)), UInt(bitPattern: name.baseAddress), UInt(bitPattern: how.baseAddress), 24)
                }
            }
        }
        return Descriptor(owning: Int32(opened))
    }

    /// RESOLVE_NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH.
    private static let beneath: UInt64 = 0x1 | 0x2 | 0x4 | 0x8

    /// A file without a name in this directory, to be read and written; not every file system has such.
    public func openUnnamed(mode: UInt32) throws(Errno) -> Descriptor {
        // SAFETY: the string is a constant that ends with a NUL.
        Descriptor(owning: try checked { unsafe postern_openat(number, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode) })
    }

    /// What is known of a name in this directory, no link followed.
    public func status(of name: [UInt8]) throws(Errno) -> FileStatus {
        let name = try Self.ended(name)
        var status = stat()
        // SAFETY: fstatat(2) reads the name, which ends with a NUL, and fills the structure.
        try checked { unsafe fstatat(number, name, &status, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(status)
    }

    public func makeDirectory(_ name: [UInt8], mode: UInt32) throws(Errno) {
        let name = try Self.ended(name)
        // SAFETY: the name ends with a NUL.
        try checked { unsafe mkdirat(number, name, mode) }
    }

    /// Removes a name in this directory.
    public func remove(_ name: [UInt8], isDirectory: Bool = false) throws(Errno) {
        let name = try Self.ended(name)
        // SAFETY: the name ends with a NUL.
        try checked { unsafe unlinkat(number, name, isDirectory ? AT_REMOVEDIR : 0) }
    }

    /// Gives what is called `name` here another name in `directory`.
    ///
    /// - Parameter replacing: what has that name is lost; else ``Errno/exists``.
    public func rename(_ name: [UInt8], to other: [UInt8], in directory: Descriptor, replacing: Bool) throws(Errno) {
        let (name, other) = (try Self.ended(name), try Self.ended(other))
        // SAFETY: both names end with a NUL.
        try checked { unsafe renameat2(number, name, directory.number, other, replacing ? 0 : UInt32(RENAME_NOREPLACE)) }
    }

    /// Gives what is called `name` here a further name in `directory`, which must be free.
    public func link(_ name: [UInt8], to other: [UInt8], in directory: Descriptor) throws(Errno) {
        let (name, other) = (try Self.ended(name), try Self.ended(other))
        // SAFETY: both names end with a NUL.
        try checked { unsafe linkat(number, name, directory.number, other, 0) }
    }

    /// Gives this open file a name in `directory`, which must be free: ``openUnnamed(mode:)`` has none.
    public func link(to name: [UInt8], in directory: Descriptor) throws(Errno) {
        let name = try Self.ended(name)
        do throws(Errno) {
            // SAFETY: both strings end with a NUL.
            try checked { unsafe linkat(number, "", directory.number, name, AT_EMPTY_PATH) }
        } catch .notFound {
            // Before Linux 6.10 that is root's; by its descriptor a process names its own file.
            // SAFETY: as above.
            try checked { unsafe linkat(AT_FDCWD, "/proc/self/fd/\(number)", directory.number, name, AT_SYMLINK_FOLLOW) }
        }
    }

    /// The path with a NUL behind it; one with a NUL in it is refused, since the kernel would see its beginning only.
    private static func ended(_ path: [UInt8]) throws(Errno) -> [CChar] {
        guard !path.contains(0) else { throw .invalidArgument }
        return path.map { CChar(bitPattern: $0) } + [0]
    }
}

extension Descriptor {
    /// The names in this directory, `.` and `..` left out, in no order: for directories that only we fill.
    public func names() throws(Errno) -> [[UInt8]] {
        let reader = try DirectoryReader(self)
        var names: [[UInt8]] = []
        while let name = reader.next() { if !DirectoryReader.isDots(name) { names.append(name) } }
        return names
    }
}

/// The names in a directory, read one after the other.
@safe public final class DirectoryReader {
    // SAFETY: opened in `init`, closed in `deinit`, used by one thread since the class is not sendable.
    private let stream: OpaquePointer

    /// Takes a descriptor of its own of the directory.
    public init(_ directory: Descriptor) throws(Errno) {
        let own = try directory.openBeneath(Array(".".utf8), .directory)
        let number = try checked { postern_fcntl(own.number, F_DUPFD_CLOEXEC, 3) }
        // SAFETY: the stream takes over the number where it is made.
        guard let stream = unsafe fdopendir(number) else {
            let error = Errno.last
            _ = close(number)
            throw error
        }
        unsafe self.stream = stream
    }

    deinit {
        // SAFETY: it is open, and nobody else has it.
        _ = unsafe closedir(stream)
    }

    /// Whether a name is `.` or `..`.
    public static func isDots(_ name: [UInt8]) -> Bool { name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) }

    /// The next name, `.` and `..` among them; nil at the end.
    public func next() -> [UInt8]? {
        // SAFETY: readdir(3) returns nil or an entry that stays until the next call, with a name that ends with a NUL.
        guard let entry = unsafe readdir(stream) else { return nil }
        return unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in unsafe Array(name.prefix { $0 != 0 }) }
    }
}
