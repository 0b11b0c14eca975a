import Gcrypt
import Linux
import SSHBase
import SSHKeys
import Sodium

/// A known_hosts file: which keys servers have (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
///
/// Hashed names, patterns, `[host]:port`, `@cert-authority` and `@revoked` are understood; keys of types that are not spoken here count
/// as absent. A line that is malformed names no key, as for OpenSSH.
public struct KnownHosts: Sendable {
    /// What a file says of a key that a server shows.
    public enum Verdict: Equatable, Sendable {
        /// It is the server's.
        case trusted
        /// Nothing is known of this server.
        case unknown
        /// The server is known by another key.
        case changed
        /// The key, or its signer's, is revoked.
        case revoked
        /// It is a certificate that does not count here, for this reason.
        case badCertificate(String)
    }

    private let lines: [KnownHostsLine]

    /// The longest file that is read, in bytes.
    private static let limitBytes = 16 << 20

    /// Parses the text of a file.
    public init(text: String) {
        lines = text.split(whereSeparator: \.isNewline).compactMap { KnownHostsLine($0) }
    }

    /// Reads a file; one that is not there knows nobody.
    ///
    /// - Throws: ``SSHFailure/badFile(path:reason:)``.
    public init(contentsOf path: String) throws(SSHFailure) {
        do throws(Errno) {
            self.init(text: String(decoding: try readFile(path, limit: Self.limitBytes), as: UTF8.self))
        } catch {
            guard error == .notFound else { throw .badFile(path: path, reason: "\(error)") }
            self.init(text: "")
        }
    }

    /// What the file says of the key that a server showed.
    ///
    /// - Parameters:
    ///   - shown: the key, and the name and port that it is to be known by.
    ///   - unixSeconds: when, in seconds since 1970; nil: now.
    public func judge(_ shown: ServerHostKey, at unixSeconds: Int64? = nil) -> Verdict {
        let verdict = judge(shown, as: KnownHostsLine.name(host: shown.host, port: shown.port), at: unixSeconds)
        // As OpenSSH's client does: what is known of the host counts for its other ports too, unless more is known of those.
        guard verdict == .unknown, shown.port != KnownHostsLine.defaultPort else { return verdict }
        return judge(shown, as: shown.host.lowercased(), at: unixSeconds)
    }

    /// Whether a line names an authority for this server's certificates.
    func hasAuthority(host: String, port: Int) -> Bool {
        let names = [KnownHostsLine.name(host: host, port: port), host.lowercased()]
        return lines.contains { line in line.kind == .authority && names.contains(where: line.names) }
    }

    private func judge(_ shown: ServerHostKey, as name: String, at unixSeconds: Int64?) -> Verdict {
        let matching = lines.filter { $0.names(name) }
        let keys = [shown.key.encoded] + (shown.certificate.map { [$0.signer.encoded] } ?? [])
        if matching.contains(where: { $0.kind == .revoked && keys.contains($0.key) }) { return .revoked }
        let known = matching.filter { $0.kind == .host }
        if known.contains(where: { $0.key == shown.key.encoded }) { return .trusted }
        if let certificate = shown.certificate, matching.contains(where: { $0.kind == .authority && $0.key == certificate.signer.encoded }) {
            return certificate.faultForHost(shown.host, at: unixSeconds).map { .badCertificate($0) } ?? .trusted
        }
        return known.contains { $0.type == shown.key.algorithm } ? .changed : .unknown
    }
}

extension SSHCertificate {
    /// Why it does not identify a host; nil where it does (OpenSSH PROTOCOL.certkeys; a host's may have no principals and then fits all).
    func faultForHost(_ host: String, at unixSeconds: Int64?) -> String? {
        let name = host.lowercased()
        if !isForHosts { return "it is a user's certificate" }
        if isRestricted { return "it has options that are not understood" }
        if !principals.isEmpty, !principals.contains(where: { $0.lowercased() == name }) { return "it is not for \"\(host)\"" }
        return isInTime(at: unixSeconds) ? nil : "it is not valid now"
    }
}
