internal import CLinux

extension Users {
    /// The uid and gid of the first of these accounts that is in `/etc/passwd`, nil when none is there.
    ///
    /// For static programs: the C library's look-ups by name load shared objects there, and crash, as soon as the name service switch
    /// goes beyond local files.
    public static func local(named names: [String]) throws(Errno) -> (uid: UInt32, gid: UInt32)? {
        // SAFETY: fopen(3) reads the two strings during the call.
        guard let file = unsafe fopen("/etc/passwd", "re") else { throw Errno.last }
        // SAFETY: the stream is open and closed once.
        defer { unsafe fclose(file) }
        var entry = unsafe passwd()
        var buffer = [CChar](repeating: 0, count: 1 << 14)
        var found: UnsafeMutablePointer<passwd>? = nil
        // SAFETY: fgetpwent_r(3) writes into the entry and the buffer of that length; the entry's strings end with a NUL.
        var ids: [String: (uid: UInt32, gid: UInt32)] = [:]
        while unsafe fgetpwent_r(file, &entry, &buffer, buffer.count, &found) == 0 {
            // SAFETY: as above.
            let name = unsafe String(cString: entry.pw_name)
            if names.contains(name) { ids[name] = unsafe (entry.pw_uid, entry.pw_gid) }
        }
        return names.lazy.compactMap { ids[$0] }.first
    }
}
