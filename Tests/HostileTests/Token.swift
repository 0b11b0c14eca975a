import MonitorProtocol
import SSHKeys
import SSHWire
import Sodium

/// A security key as OpenSSH PROTOCOL.u2f has it, that signs whatever a test wants.
struct Token: Sendable {
    let key = Ed25519SigningKey.generate()

    private static let algorithm = "sk-ssh-ed25519@openssh.com"
    private static let application = "ssh:"

    private var blob: [UInt8] {
        var writer = WireWriter()
        writer.text(Self.algorithm)
        writer.string(key.publicKey)
        writer.text(Self.application)
        return writer.bytes
    }

    /// For the policy.
    var line: String { "\(Self.algorithm) \(Base64.encode(blob)) token" }

    func credential(_ user: String) -> FrontendMessage.Credential {
        FrontendMessage.Credential(user: user, algorithm: Self.algorithm, key: blob)
    }

    /// - Parameters:
    ///   - flags: what is signed; `said`: what the signature says instead.
    func authentication(
        _ user: String, _ session: [UInt8], flags: UInt8, saying said: UInt8? = nil, application: String = Self.application
    ) -> FrontendMessage {
        let credential = credential(user)
        let counter: [UInt8] = [0, 0, 0, 1]
        let signed = SHA256.hash(Array(application.utf8)) + [flags] + counter + SHA256.hash(credential.signedBytes(session))
        var writer = WireWriter()
        writer.text(Self.algorithm)
        writer.string(key.sign(signed))
        writer.raw([said ?? flags] + counter)
        return .authenticate(credential, signature: writer.bytes)
    }
}
