public import SSHBase

/// What a user proves to be who they are with.
public enum SSHCredential: Sendable {
    /// A key pair.
    case key(SSHPrivateKey)
    /// A certificate, with the private half of its key.
    case certificate(SSHCertificate, SSHPrivateKey)
    /// A password. It goes to the server as it is, under the connection's encryption: the host key is what protects it.
    case password(String)
    /// Nothing: some servers let in by name alone, and all others say what they take.
    case none
}
