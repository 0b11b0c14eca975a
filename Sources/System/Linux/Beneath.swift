internal import CLinux

/// Opens what is beneath a directory, and nothing else (openat2(2)): `..` and symbolic links lead nowhere outside of it, and the links of
/// `/proc` lead nowhere at all. A symbolic link that stays beneath is followed.
public func openBeneath(_ directory: Descriptor, _ path: String, _ flags: OpenFlags = [], mode: UInt32 = 0) throws(Errno) -> Descriptor {
    // struct open_how: flags, mode, resolve. RESOLVE_NO_MAGICLINKS is 2, RESOLVE_BENEATH is 8.
    let how: [UInt64] = [UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC)), UInt64(mode), 2 | 8]
    // SAFETY: the call reads the string, which ends with a NUL, and three words.
    let number = unsafe path.withCString { path in
        unsafe how.withUnsafeBytes {
            postern_call(Int(SYS_openat2), UInt(UInt32(bitPattern: directory.number)), UInt(bitPattern: path), UInt(bitPattern: $0.baseAddress), UInt($0.count))
        }
    }
    guard number >= 0 else { throw Errno.last }
    return Descriptor(owning: Int32(number))
}

/// Makes an open directory the current one.
public func changeDirectory(to directory: Descriptor) throws(Errno) { try checked { fchdir(directory.number) } }

public func makeDirectory(_ path: String, mode: UInt32, in directory: Descriptor) throws(Errno) {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    try checked { unsafe mkdirat(directory.number, path, mode) }
}

/// Renames within a directory; what is there already stays if it is a directory with something in it.
public func rename(_ old: String, to new: String, in directory: Descriptor) throws(Errno) {
    // SAFETY: the strings are passed as NUL-terminated copies that live during the call.
    try checked { unsafe renameat(directory.number, old, directory.number, new) }
}

/// Removes a name beneath a directory.
public func remove(_ path: String, isDirectory: Bool, in directory: Descriptor) throws(Errno) {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    try checked { unsafe unlinkat(directory.number, path, isDirectory ? AT_REMOVEDIR : 0) }
}

public func makeLink(_ path: String, to target: String) throws(Errno) {
    // SAFETY: the strings are passed as NUL-terminated copies that live during the call.
    try checked { unsafe symlink(target, path) }
}

/// Whether this process may execute a file.
public func isExecutable(_ path: String) -> Bool {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    unsafe access(path, X_OK) == 0
}

/// The last component of the name that this process was started by; known without `/proc`, unlike its arguments.
public var ownName: String {
    // SAFETY: glibc keeps a string that ends with a NUL.
    unsafe String(cString: postern_own_name())
}

/// Replaces this process by a program.
///
/// - Returns: why it did not.
public func execute(_ path: String, arguments: [String], environment: [String]) -> Errno {
    // SAFETY: both tables end with nil, and their strings live during the call.
    unsafe withCStrings(arguments) { arguments in
        unsafe withCStrings(environment) { environment in
            _ = unsafe execve(path, arguments, environment)
            return Errno.last
        }
    }
}

private func withCStrings(_ words: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Errno) -> Errno {
    // SAFETY: each word is a copy that ends with a NUL and is freed after `body`; the table ends with nil.
    var table: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { for unsafe word in unsafe table { unsafe free(word) } }
    return unsafe table.withUnsafeMutableBufferPointer { table in
        guard let base = table.baseAddress else { preconditionFailure("an empty table") }
        return unsafe body(base)
    }
}
