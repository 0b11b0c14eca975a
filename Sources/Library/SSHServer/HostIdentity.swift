import SSHBase
import SSHKeys
import SSHTransport

/// What a server proves itself with.
struct HostIdentity: Sendable {
    private let key: SSHPrivateKey
    private let certificate: SSHCertificate?

    static let identification = Identification(software: "Postern_server")

    init(_ key: SSHPrivateKey, _ certificate: SSHCertificate?) { (self.key, self.certificate) = (key, certificate) }

    /// What it can be asked for, most wanted first.
    var algorithms: [String] { (certificate.map { [$0.algorithm] } ?? []) + [key.publicKey.algorithm] }

    /// The key or certificate that a key exchange asked for.
    func blob(_ algorithm: String) -> [UInt8] {
        if let certificate, certificate.algorithm == algorithm { certificate.encoded } else { key.publicKey.encoded }
    }

    /// Whether one of its own is meant.
    func has(_ blob: [UInt8]) -> Bool { algorithms.contains { self.blob($0) == blob } }

    /// Signs a key exchange (RFC 4253 §8).
    func sign(_ request: SignatureRequest) -> SignatureAnswer {
        let blob = blob(request.hostKeyAlgorithm)
        let hash = ExchangeHash(
            clientVersion: Array(request.clientVersion.utf8), serverVersion: Array(Self.identification.line.utf8),
            clientKexInit: request.clientKexInit, serverKexInit: request.serverKexInit, hostKey: blob, clientShare: request.clientShare,
            serverShare: request.serverShare, sharedSecret: request.sharedSecret, hash: request.method.hash)
        return SignatureAnswer(hostKey: blob, signature: key.signature(of: hash.value))
    }
}
