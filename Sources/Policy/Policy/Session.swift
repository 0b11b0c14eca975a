/// What the gateway knows of a connection and of the key that opened it, at the time of one request.
public struct Session: Equatable, Sendable {
    /// One end of the connection, as `SSH_CONNECTION` shows it.
    public struct Endpoint: Hashable, Sendable {
        /// An address as text.
        public var host: String
        /// Of TCP.
        public var port: UInt16

        public init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }
    }

    /// The one that the client proved to have, as the policy now has it.
    public var key: Key
    /// The name that the client logged in with.
    public var login: String
    /// The client's end.
    public var peer: Endpoint
    /// The gateway's end.
    public var local: Endpoint
    /// Seconds since 1970.
    public var now: Int64
    /// What finds the request in the log; shown to the client.
    public var requestID: String
    /// `SHA256:…`, as ssh-keygen shows it.
    public var fingerprintText: String
    /// The only line that may be asked for, where a certificate says so with `force-command`.
    public var forcedLine: [UInt8]?

    public init(key: Key, login: String, peer: Endpoint, local: Endpoint, now: Int64, requestID: String, fingerprintText: String) {
        self.key = key
        self.login = login
        self.peer = peer
        self.local = local
        self.now = now
        self.requestID = requestID
        self.fingerprintText = fingerprintText
    }
}

/// What a client asks for on a session channel (RFC 4254 §6.5).
public enum Request: Equatable, Sendable {
    /// The command line, as it came.
    case exec([UInt8])
    case shell
    case subsystem(String)
}
