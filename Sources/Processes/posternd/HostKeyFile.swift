import Linux
import SSHKeys
import Sodium

/// Reads the host key, which nobody but its owner may read or change.
func readHostKey(_ path: String, trusting trusted: UInt32?) throws(Fault) -> HostKey {
    let file = try naming("host key") { () throws(TrustError) in try TrustedPath.open(path, trusting: trusted) }
    var text = try naming("host key \"\(path)\"") { () throws(Errno) in
        let status = try file.status()
        guard status.mode & 0o077 == 0 else { throw Errno.accessDenied }
        return try file.readAll(limit: PrivateKeyFile.limitBytes)
    }
    defer { wipe(&text) }
    return try naming("host key \"\(path)\"") { () throws(KeyError) in HostKey(try PrivateKeyFile(text: text).key) }
}
