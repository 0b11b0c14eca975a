import SSHWire
import Sodium

/// A server's key: the half that clients know, and the one that signs key exchanges.
public struct HostKey: Sendable {
    /// The half that clients know.
    public let publicKey: PublicKey
    private let signingKey: Ed25519SigningKey

    /// The host key that signs with `signingKey`.
    public init(_ signingKey: Ed25519SigningKey) {
        self.signingKey = signingKey
        publicKey = PublicKey(ed25519: signingKey.publicKey)
    }

    /// The blob that a KEXINIT's host key algorithm stands for, as it goes into KEX_ECDH_REPLY.
    public var blob: [UInt8] { publicKey.blob }

    /// The encoded signature that this key is held by the server of a session (OpenSSH PROTOCOL §2.5, hostkeys-prove-00@openssh.com).
    public func proof(sessionIdentifier: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        writer.text("hostkeys-prove-00@openssh.com")
        writer.string(sessionIdentifier)
        writer.string(blob)
        return sign(writer.bytes)
    }

    /// The encoded signature over an exchange hash (RFC 4253 §8).
    public func sign(_ message: [UInt8]) -> [UInt8] {
        SignatureBlob(ed25519: signingKey.sign(message)).encoded
    }
}
