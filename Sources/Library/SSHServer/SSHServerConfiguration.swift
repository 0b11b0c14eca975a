public import Logging
public import SSHBase

extension SSHServer {
    /// How a server behaves; what is not set is as it should be for most.
    public struct Configuration: Sendable {
        /// How long a user may take to authenticate.
        public var loginGrace: Duration = .seconds(20)
        /// Signatures and passwords that a connection may try.
        public var mostAttempts = 6
        /// Channels that a connection may have at once; 1 to 64.
        public var mostChannels = 16
        /// Connections at once; who comes then is turned away.
        public var mostConnections = 4096
        /// A connection without a channel ends after so long without a message; nil: never.
        public var idleTimeout: Duration? = .seconds(15 * 60)
        /// How often a silent client is asked for a sign of life; after three without an answer the connection ends. Nil: never.
        public var keepalive: Duration? = .seconds(30)
        /// The ciphers to offer.
        public var ciphers = SSHCipher.allCases
        /// New keys after so many bytes in either direction.
        public var rekeyAfterBytes: UInt64 = 1 << 30
        /// New keys after so long.
        public var rekeyAfter: Duration = .seconds(3600)
        /// What of clients' requests is served; what is refused here fails at the client, and the handler hears nothing of it.
        public var serves: @Sendable (SSHRequest) -> Bool = { _ in true }
        /// Told of what happens to connections; nil: nobody.
        public var logger: Logger?
        /// Whether the logger is told, at level trace, of each message too, with its fields; secrets and data are left out.
        public var logsMessages = false

        /// As it should be for most.
        public init() {}
    }
}

/// What a client asks a channel to do.
public enum SSHRequest: Hashable, Sendable {
    /// Run this command.
    case command(String)
    /// Begin an interactive session.
    case shell
    /// Start what this name stands for, such as `sftp`.
    case subsystem(String)
}
