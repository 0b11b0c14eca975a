internal import CLinux

extension Descriptor {
    /// Gives the open file to another user and group, which needs CAP_CHOWN.
    public func changeOwner(uid: UInt32, gid: UInt32) throws(Errno) { try checked { fchown(number, uid, gid) } }
}

/// Removes a directory that is empty; ``Errno/notEmpty`` when it is not.
public func removeDirectory(_ path: String) throws(Errno) {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    try checked { unsafe rmdir(path) }
}

extension Errno {
    public static let notEmpty = Errno(ENOTEMPTY)
}
