public import SSHBase
import SSHKeys

/// The key with which a server proved who it is.
public struct ServerHostKey: Equatable, Sendable {
    /// The host and port as they were given to connect to.
    public let host: String
    /// See ``host``.
    public let port: Int
    /// The key; where there is a certificate, the one that it is for.
    public let key: SSHPublicKey
    /// The certificate, where the server showed one.
    public let certificate: SSHCertificate?

    /// What a server shows, as ``KnownHosts/judge(_:at:)`` takes it.
    public init(host: String, port: Int, key: SSHPublicKey, certificate: SSHCertificate? = nil) {
        (self.host, self.port, self.key, self.certificate) = (host, port, key, certificate)
    }

    /// - Parameter blob: the key, or the certificate.
    init(host: String, port: Int, blob: [UInt8]) throws(SSHFailure) {
        do throws(KeyError) {
            if let certificate = try? Certificate(blob: blob) {
                self.init(host: host, port: port, key: SSHPublicKey(certificate.key), certificate: SSHCertificate(certificate))
            } else {
                self.init(host: host, port: port, key: SSHPublicKey(try PublicKey(blob: blob)), certificate: nil)
            }
        } catch {
            throw .badKey("\(error)")
        }
    }
}

/// Who decides whether a server is the one that was meant. There is no way to connect without.
public struct HostKeyVerifier: Sendable {
    /// What one decision needs.
    struct Judge: Sendable {
        /// Whether the server is asked for a certificate.
        var wantsCertificate = false
        /// Why the key is refused; nil where it is trusted.
        let fault: @Sendable (ServerHostKey) async -> String?
    }

    let judge: @Sendable (_ host: String, _ port: Int) throws(SSHFailure) -> Judge

    /// Trusts the keys that a known_hosts file has for the server; the file is read when a connection is made.
    ///
    /// - Parameters:
    ///   - path: the file's.
    ///   - alias: the name to look for instead of the server's, whatever its port (ssh_config(5), HostKeyAlias); nil: none.
    public static func knownHosts(at path: String, as alias: String? = nil) -> HostKeyVerifier {
        HostKeyVerifier { (host, port) throws(SSHFailure) in Self.judge(try KnownHosts(contentsOf: path), host, port, alias) }
    }

    /// Trusts the keys that are known for the server.
    ///
    /// - Parameters:
    ///   - known: what is known.
    ///   - alias: as in ``knownHosts(at:as:)``.
    public static func knownHosts(_ known: KnownHosts, as alias: String? = nil) -> HostKeyVerifier {
        HostKeyVerifier { (host, port) throws(SSHFailure) in Self.judge(known, host, port, alias) }
    }

    /// Trusts these keys, whatever the server is called.
    public static func key(_ keys: SSHPublicKey...) -> HostKeyVerifier {
        HostKeyVerifier { (_, _) throws(SSHFailure) in Judge { keys.contains($0.key) ? nil : "it is \($0.key), not one of those that are trusted" } }
    }

    /// Trusts certificates for the server's name that this authority signed.
    public static func authority(_ authority: SSHPublicKey) -> HostKeyVerifier {
        HostKeyVerifier { (_, _) throws(SSHFailure) in
            Judge(wantsCertificate: true) { shown in
                guard let certificate = shown.certificate else { return "it is \(shown.key), without a certificate" }
                guard certificate.signer == authority else { return "its certificate is signed by \(certificate.signer)" }
                return certificate.faultForHost(shown.host, at: nil)
            }
        }
    }

    /// Asks for each server; true trusts its key.
    public static func asking(_ isTrusted: @escaping @Sendable (ServerHostKey) async -> Bool) -> HostKeyVerifier {
        HostKeyVerifier { (_, _) throws(SSHFailure) in Judge { await isTrusted($0) ? nil : "\($0.key) was refused" } }
    }

    private static func judge(_ known: KnownHosts, _ host: String, _ port: Int, _ alias: String?) -> Judge {
        let (name, namePort) = alias.map { ($0, KnownHostsLine.defaultPort) } ?? (host, port)
        return Judge(wantsCertificate: known.hasAuthority(host: name, port: namePort)) { shown in
            switch known.judge(ServerHostKey(host: name, port: namePort, key: shown.key, certificate: shown.certificate)) {
            case .trusted: nil
            case .unknown: "\(name)\(namePort == KnownHostsLine.defaultPort ? "" : ":\(namePort)") is not among the known hosts, and shows \(shown.key)"
            case .changed: "\(name) is known by another key than \(shown.key)"
            case .revoked: "\(shown.key) is revoked"
            case .badCertificate(let reason): "of the certificate of \(shown.key), \(reason)"
            }
        }
    }
}
