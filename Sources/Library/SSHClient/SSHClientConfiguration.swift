public import Logging
public import SSHBase
import SSHCiphers
import SSHTransport

extension SSHClient {
    /// How a client behaves; what is not set is as it should be for most.
    public struct Configuration: Sendable {
        /// How long it may take to reach the server and agree on keys.
        public var connectTimeout: Duration = .seconds(30)
        /// How often a silent server is asked for a sign of life, once the user is authenticated; after three without an answer the
        /// connection ends. Nil: never.
        public var keepalive: Duration? = .seconds(30)
        /// The ciphers to offer, most wanted first.
        public var ciphers = SSHCipher.allCases
        /// New keys after so many bytes in either direction.
        public var rekeyAfterBytes: UInt64 = 1 << 30
        /// New keys after so long.
        public var rekeyAfter: Duration = .seconds(3600)
        /// Whether the server may open channels; see ``SSHClient/channels``.
        public var acceptsChannels = false
        /// Told of what a server says before it lets the user in; terminal control characters are the server's, too.
        public var onBanner: (@Sendable (String) -> Void)?
        /// Told of what happens to the connection; nil: nobody.
        public var logger: Logger?
        /// Whether the logger is told, at level trace, of each message too, with its fields; secrets and data are left out.
        public var logsMessages = false

        /// As it should be for most.
        public init() {}

        func transport(wantsCertificate: Bool) -> Transport.Configuration {
            var transport = Transport.Configuration(identification: Identification(software: "Postern_client"))
            transport.proposal.cipher = ciphers.compactMap { CipherName(rawValue: $0.rawValue) }
            if wantsCertificate { transport.proposal.hostKey.insert("ssh-ed25519-cert-v01@openssh.com", at: 0) }
            transport.rekeyAfterBytes = rekeyAfterBytes
            transport.rekeyAfter = rekeyAfter
            transport.tracesMessages = logsMessages && logger != nil
            return transport
        }
    }
}
