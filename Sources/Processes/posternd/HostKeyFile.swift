import Linux
import SSHKeys
import Sodium

/// Reads the host key, which nobody but its owner may read or change.
func readHostKey(_ path: String, trusting trusted: UInt32?) throws(Fault) -> HostKey {
    let file = try naming("host key") { () throws(TrustError) in try TrustedPath.open(path, trusting: trusted) }
    let mode = try naming("host key \"\(path)\"") { () throws(Errno) in try file.status().mode & 0o777 }
    if path.hasSuffix(".pub") { throw Fault("host key \"\(path)\" is the public half by its name; the private one is the file without \".pub\"") }
    if mode & 0o077 != 0 { throw Fault("host key \"\(path)\" can be reached by others (mode \(String(mode, radix: 8))); chmod 600 \"\(path)\"") }
    var text = try naming("host key \"\(path)\"") { () throws(Errno) in try file.readAll(limit: PrivateKeyFile.limitBytes) }
    defer { wipe(&text) }
    return try naming("host key \"\(path)\"") { () throws(KeyError) in HostKey(try PrivateKeyFile(text: text).key) }
}
