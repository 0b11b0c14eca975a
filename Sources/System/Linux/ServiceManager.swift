/// The service manager that has started this process and waits to hear from it (sd_notify(3)); one that never listens where there is none.
public struct ServiceManager {
    /// What a service manager can be told.
    public enum State: Equatable, Sendable {
        /// It serves: what depends on it may go on.
        case ready
        /// It reads its configuration anew, and will be ``ready`` again.
        case reloading
        /// It takes no more, and will end.
        case stopping

        /// As it is told at a time.
        func message(now: Duration) -> String {
            switch self {
            case .ready: "READY=1"
            case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(now.wholeMicroseconds)"
            case .stopping: "STOPPING=1"
            }
        }
    }

    private static let variable = "NOTIFY_SOCKET"
    private let path: String?

    /// The one that the environment names, which then names it no more: what this process starts does not speak for it.
    public static func takeInherited() -> ServiceManager {
        defer { Environment.remove(variable) }
        return ServiceManager(socket: Environment.value(of: variable))
    }

    /// - Parameter socket: a path from the root, or a name that begins with "@" and is in no file system; for anything else nobody listens.
    public init(socket: String?) { path = socket.flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil } }

    /// The variable that makes a process tell another one.
    ///
    /// - Parameter path: of a socket that ``Descriptor/receiveDatagrams(at:)`` made.
    public static func environment(path: String) -> String { "\(variable)=\(path)" }

    /// Tells it; nobody has to listen.
    public func tell(_ state: State) throws(Errno) { try pass(Array(state.message(now: Clock.uptime).utf8)) }

    /// Passes on what another process has told us.
    public func pass(_ message: [UInt8]) throws(Errno) {
        guard let path else { return }
        try LogSocket(path).send(message)
    }
}

extension Duration {
    fileprivate var wholeMicroseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
