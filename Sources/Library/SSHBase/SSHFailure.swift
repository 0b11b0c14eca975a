/// Why something of an SSH connection did not work: the one error that `SSHClient` and `SSHServer` throw.
public enum SSHFailure: Error, Equatable, Sendable {
    /// No connection to that place could be made, or no socket opened there.
    case unreachable(place: String, reason: String)
    /// It took longer than it may.
    case timedOut(after: Duration, during: String)
    /// The server's key is not one that was trusted.
    case hostKeyRefused(reason: String)
    /// The two ends could not agree, or the peer broke the protocol; the connection is over.
    case protocolFault(String)
    /// The peer ended the connection with a message (RFC 4253 §11.1).
    case disconnected(reason: UInt32, message: String)
    /// The connection broke off.
    case connectionLost
    /// The connection was closed at this end.
    case connectionClosed
    /// The user is authenticated already: there is nothing more to attempt.
    case alreadyAuthenticated
    /// Another attempt to authenticate has no answer yet.
    case attemptIsOpen
    /// The server did not let the user in; these methods may be tried.
    case authenticationRefused(methods: [String])
    /// The peer did not open the channel (RFC 4254 §5.1).
    case channelRefused(reason: UInt32, message: String)
    /// As many channels are open as a connection may have.
    case tooManyChannels
    /// The peer did not do what was asked on a channel: "exec", "subsystem" and so on.
    case requestRefused(String)
    /// The channel is closed: nothing can be written to it.
    case channelClosed
    /// Writing after the end of the data was announced.
    case writingHasEnded
    /// A command wrote more than its caller wanted to take.
    case tooMuchOutput(limit: Int)
    /// A key, a certificate or a file of them is not usable.
    case badKey(String)
    /// A file could not be read or written.
    case badFile(path: String, reason: String)
    /// The server did not do what was asked of one of its files: a code of SFTP (2: there is none, 3: not allowed, 4: something else),
    /// and what the server says.
    case remoteFile(path: String, code: UInt32, message: String)
    /// The task was cancelled.
    case cancelled
}

/// For people.
extension SSHFailure: CustomStringConvertible {
    /// Lower case, without a full stop.
    public var description: String {
        switch self {
        case .unreachable(let place, let reason): "\(place) cannot be reached: \(reason)"
        case .timedOut(let after, let during): "\(during) took longer than \(after)"
        case .hostKeyRefused(let reason): "the host key is not trusted: \(reason)"
        case .protocolFault(let what): what
        case .disconnected(_, let message): "the peer ended the connection: \(message)"
        case .connectionLost: "the connection broke off"
        case .connectionClosed: "the connection is closed"
        case .alreadyAuthenticated: "the user is authenticated already"
        case .attemptIsOpen: "another attempt to authenticate is under way"
        case .authenticationRefused(let methods): "the server refused, and takes \(methods.joined(separator: ", "))"
        case .channelRefused(_, let message): "the peer opened no channel: \(message)"
        case .tooManyChannels: "too many channels are open"
        case .requestRefused(let name): "the peer refused \"\(name)\""
        case .channelClosed: "the channel is closed"
        case .writingHasEnded: "the end of the data was announced already"
        case .tooMuchOutput(let limit): "more than \(limit) bytes of output"
        case .badKey(let reason): reason
        case .badFile(let path, let reason): "\(path): \(reason)"
        case .remoteFile(let path, _, let message): "\(path): \(message)"
        case .cancelled: "cancelled"
        }
    }
}
