internal import CLinux

/// A unix account.
public struct User: Equatable, Sendable {
    public var name: String
    public var uid: UInt32
    public var gid: UInt32
    /// All groups, `gid` included.
    public var groups: [UInt32]
    public var home: String
    public var shell: String
}

/// The accounts this machine knows; a static program sees local files only.
public enum Users {
    public static var currentUID: UInt32 { geteuid() }

    /// The account with a name, nil when there is none.
    public static func named(_ name: String) throws(Errno) -> User? {
        // SAFETY: as the calls inside say.
        try unsafe lookUp { (entry, buffer, count, found) in
            // SAFETY: `lookUp` passes what getpwnam_r(3) wants; the name is a NUL-terminated copy that lives during the call.
            unsafe getpwnam_r(name, entry, buffer, count, found)
        }
    }

    /// The account with a number, nil when there is none.
    public static func with(uid: UInt32) throws(Errno) -> User? {
        // SAFETY: as the calls inside say.
        try unsafe lookUp { (entry, buffer, count, found) in
            // SAFETY: `lookUp` passes what getpwuid_r(3) wants.
            unsafe getpwuid_r(uid, entry, buffer, count, found)
        }
    }

    private typealias Call = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func lookUp(_ call: Call) throws(Errno) -> User? {
        // SAFETY: the buffer and its length belong together; the entry's strings lie in the buffer.
        var buffer = [CChar](repeating: 0, count: 1 << 16)
        return try unsafe buffer.withUnsafeMutableBufferPointer { (buffer) throws(Errno) in
            guard let base = buffer.baseAddress else { return nil }
            var entry = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>? = nil
            let error = unsafe call(&entry, base, buffer.count, &found)
            guard error == 0 else { throw Errno(error) }
            guard unsafe found != nil else { return nil }
            return unsafe try user(entry)
        }
    }

    private static func user(_ entry: passwd) throws(Errno) -> User {
        // SAFETY: getpwnam_r(3) sets all strings, each ending with a NUL.
        let (name, home, shell) = unsafe (String(cString: entry.pw_name), String(cString: entry.pw_dir), String(cString: entry.pw_shell))
        let (uid, gid) = unsafe (entry.pw_uid, entry.pw_gid)
        return User(name: name, uid: uid, gid: gid, groups: try groups(of: name, gid), home: home, shell: shell)
    }

    private static func groups(of name: String, _ gid: UInt32) throws(Errno) -> [UInt32] {
        var groups = [gid_t](repeating: 0, count: maxGroups)
        var count = Int32(maxGroups)
        // SAFETY: getgrouplist(3) writes at most `count` groups.
        guard unsafe getgrouplist(name, gid, &groups, &count) >= 0 else { throw Errno(ERANGE) }
        return Array(groups.prefix(Int(count)))
    }

    /// The kernel's limit is 65536; nobody uses a tenth of this.
    private static let maxGroups = 4096
}
