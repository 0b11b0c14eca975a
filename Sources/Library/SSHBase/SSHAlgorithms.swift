/// What two ends agreed on when they last exchanged keys, by the names of RFC 4250 §4.11 and its successors.
public struct SSHAlgorithms: Equatable, Sendable {
    /// Such as `mlkem768x25519-sha256`.
    public let keyExchange: String
    /// Such as `ssh-ed25519`.
    public let hostKey: String
    /// Such as `chacha20-poly1305@openssh.com`.
    public let cipherToServer: String
    /// Such as `chacha20-poly1305@openssh.com`.
    public let cipherToClient: String

    package init(keyExchange: String, hostKey: String, cipherToServer: String, cipherToClient: String) {
        self.keyExchange = keyExchange
        self.hostKey = hostKey
        self.cipherToServer = cipherToServer
        self.cipherToClient = cipherToClient
    }
}

/// The ciphers there are, most wanted first.
public enum SSHCipher: String, CaseIterable, Sendable {
    /// OpenSSH PROTOCOL.chacha20poly1305.
    case chacha20Poly1305 = "chacha20-poly1305@openssh.com"
    /// RFC 5647.
    case aes256GCM = "aes256-gcm@openssh.com"
    /// RFC 5647.
    case aes128GCM = "aes128-gcm@openssh.com"
}
