internal import CLinux

/// A directory for what the processes of a gateway know in common, and nobody else may look into.
public enum StateDirectory {
    /// Where it is unless somebody says otherwise: for root `/run/postern`, for a normal user `$XDG_RUNTIME_DIR/postern`, or one below `/tmp`.
    public static var standard: String {
        if Users.currentUID == 0 { return "/run/postern" }
        if let runtime = Environment.value(of: "XDG_RUNTIME_DIR"), runtime.hasPrefix("/") { return "\(runtime)/postern" }
        return "/tmp/postern-run-\(Users.currentUID)"
    }

    /// Makes it where it is missing.
    ///
    /// - Throws: ``Errno/accessDenied`` where somebody else owns it or may write it, so that nobody lays a trap for us.
    public static func make(_ path: String, mode: UInt32 = 0o755) throws(Errno) {
        try makeMissingDirectory(path, mode: mode)
        let status = try openFile(path, [.directory, .noFollow]).status()
        guard status.uid == Users.currentUID, status.mode & 0o022 == 0 else { throw .accessDenied }
    }
}
