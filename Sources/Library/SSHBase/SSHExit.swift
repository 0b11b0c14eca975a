/// How a remote command ended (RFC 4254 §6.10).
public enum SSHExit: Hashable, Sendable {
    /// By itself, with a status; 0 is success.
    case status(UInt32)
    /// By a signal, whose name is without `SIG`.
    case signal(String, message: String)
    /// The channel was closed without a word about it.
    case unknown

    /// It ended by itself with status 0.
    public var isSuccess: Bool { self == .status(0) }
}
