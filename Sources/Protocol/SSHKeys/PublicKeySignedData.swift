import SSHWire

/// What the signature of a publickey authentication covers (RFC 4252 §7).
public struct PublicKeySignedData: Equatable, Sendable {
    /// The exchange hash of the connection's first key exchange.
    public var sessionIdentifier: [UInt8]
    /// The name that the user logs in with.
    public var user: String
    /// The service that is asked for.
    public var service: String
    /// The algorithm and the blob as they stand in the request.
    public var algorithm: String
    public var blob: [UInt8]
    /// The server's host key, where the request is publickey-hostbound-v00@openssh.com (OpenSSH PROTOCOL §3.1).
    public var hostKey: [UInt8]?

    /// - Parameter hostKey: the host key's blob for a hostbound request, nil for a plain one.
    public init(
        sessionIdentifier: [UInt8], user: String, service: String = "ssh-connection", algorithm: String, blob: [UInt8],
        hostKey: [UInt8]? = nil
    ) {
        self.sessionIdentifier = sessionIdentifier
        self.user = user
        self.service = service
        self.algorithm = algorithm
        self.blob = blob
        self.hostKey = hostKey
    }

    /// What is signed.
    public var bytes: [UInt8] {
        var writer = WireWriter()
        writer.string(sessionIdentifier)
        writer.byte(MessageNumber.userAuthRequest.rawValue)
        writer.text(user)
        writer.text(service)
        writer.text(hostKey == nil ? "publickey" : "publickey-hostbound-v00@openssh.com")
        writer.boolean(true)
        writer.text(algorithm)
        writer.string(blob)
        if let hostKey { writer.string(hostKey) }
        return writer.bytes
    }
}
