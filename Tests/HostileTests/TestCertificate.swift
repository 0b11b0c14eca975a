import MonitorProtocol
import SSHKeys
import SSHWire
import Sodium

/// A user certificate as OpenSSH PROTOCOL.certkeys has it, that says whatever a test wants.
struct TestCertificate {
    var key: [UInt8]
    var kind: UInt32 = 1
    var keyID = "carol"
    var principals = ["developers"]
    var options: [(name: String, data: [UInt8])] = []
    /// What the certificate says, if not the key of `authority`.
    var signer: [UInt8]?
    /// Who signs.
    var authority: Ed25519SigningKey

    static let algorithm = "ssh-ed25519-cert-v01@openssh.com"

    var blob: [UInt8] {
        var writer = WireWriter()
        writer.text(Self.algorithm)
        writer.text("nonce")
        writer.string(key)
        writer.uint64(1)
        writer.uint32(kind)
        writer.text(keyID)
        var list = WireWriter()
        for principal in principals { list.text(principal) }
        writer.string(list.bytes)
        writer.uint64(0)
        writer.uint64(.max)
        var critical = WireWriter()
        for option in options {
            critical.text(option.name)
            critical.string(option.data)
        }
        writer.string(critical.bytes)
        writer.text("")
        writer.text("")
        writer.string(PublicKey(ed25519: signer ?? authority.publicKey).blob)
        writer.string(encodedSignature(authority.sign(writer.bytes)))
        return writer.bytes
    }

    /// A right signature for `session` by the owner of the key, or by somebody else.
    func authentication(_ user: String, _ session: [UInt8], by owner: Ed25519SigningKey) -> FrontendMessage {
        let credential = FrontendMessage.Credential(user: user, algorithm: Self.algorithm, key: blob)
        return .authenticate(credential, signature: credential.signature(by: owner, session))
    }
}
