internal import CLinux

extension Descriptor {
    /// Locks the open file against everyone else who locks it (flock(2)), until the last descriptor of it is closed: a process that is
    /// killed leaves no lock behind.
    ///
    /// - Returns: false when somebody else has it.
    public func tryLock() throws(Errno) -> Bool {
        do throws(Errno) {
            // The function of libc has the name of a structure.
            try checked { postern_call(Int(SYS_flock), UInt(number), UInt(LOCK_EX | LOCK_NB), 0, 0) }
            return true
        } catch .wouldBlock {
            return false
        }
    }

    /// The names in an open directory, `.` and `..` left out, in no order.
    public func names() throws(Errno) -> [String] {
        // fdopendir(3) takes over its descriptor, and the place in the directory is shared by duplicates: it is opened anew.
        let opened = try openDirectory(".", in: self)
        let copy = try checked { postern_fcntl(opened.number, F_DUPFD_CLOEXEC, 3) }
        // SAFETY: fdopendir(3) takes over the descriptor, which nothing else closes; closedir(3) ends both.
        guard let stream = unsafe fdopendir(copy) else {
            _ = CLinux.close(copy)
            throw Errno.last
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        // SAFETY: readdir(3) returns nil or an entry that stays until the next call, with a name that ends with a NUL.
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
