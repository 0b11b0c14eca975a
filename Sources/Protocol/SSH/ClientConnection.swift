public import SSHConnection
public import SSHTransport
import SSHUserAuth
public import SSHWire
public import Sodium

/// The client's end of one SSH connection: bytes in, events out; the host answers what it is asked.
public struct ClientConnection: Endpoint {
    public enum Event: Sendable {
        case identified(Identification)
        /// Answer with ``acceptHostKey(now:)``, or end the connection.
        case judgeHostKey([UInt8])
        case keysChanged(NegotiatedAlgorithms, isFirst: Bool)
        case extInfo(ExtInfo)
        case banner(String)
        /// The server would take a signature by the key that was probed.
        case probeAccepted
        /// From now on there are channels.
        case granted
        case refused(methods: [String], partialSuccess: Bool)
        case channel(Connection.Event)
        case disconnected(Disconnect)
    }

    public var stack: Stack
    private var userAuth = UserAuthClient()
    private let takesChannels: Bool

    /// - Parameters:
    ///   - takesChannels: whether the server may open channels.
    ///   - keepalive: how often to ask a silent server for a sign of life; nil: never.
    public init(
        _ configuration: Transport.Configuration, takesChannels: Bool = false, keepalive: Duration? = nil, random: any RandomSource,
        now: Duration
    ) {
        let limits = Timers.Limits(loginGrace: nil, idle: nil, keepalive: keepalive)
        stack = Stack(role: .client, configuration: configuration, timers: Timers(limits, now: now), random: random)
        self.takesChannels = takesChannels
    }

    /// True while an attempt to authenticate may be made.
    public var mayAttempt: Bool { sessionIdentifier != nil && userAuth.isReady }

    /// The next event; nil when more bytes or an answer are needed. What it throws has ended the connection, and the peer is told.
    public mutating func next(now: Duration) throws(SSHError) -> Event? {
        do throws(SSHError) {
            while true {
                if let event = stack.takeEvent() { return .channel(event) }
                guard let below = try stack.nextBelow(now: now) else { return nil }
                if let event = try handle(below, now: now) { return event }
            }
        } catch {
            disconnect(error.disconnect)
            throw error
        }
    }

    /// Answers ``Event/judgeHostKey(_:)`` with yes.
    public mutating func acceptHostKey(now: Duration) { stack.transport.acceptHostKey(now: now) }

    /// Tries to authenticate; ``Event/granted``, ``Event/refused(methods:partialSuccess:)`` or ``Event/probeAccepted`` follows.
    public mutating func attempt(user: String, method: UserAuthRequest.Method) {
        precondition(mayAttempt, "an attempt before the first keys or while another is open")
        for case .send(let payload) in userAuth.attempt(user: user, method: method) { stack.transport.send(payload) }
    }

    // MARK: - Steps

    private mutating func handle(_ event: Transport.Event, now: Duration) throws(SSHError) -> Event? {
        switch event {
        case .identified(let identification): return .identified(identification)
        case .judgeHostKey(let key): return .judgeHostKey(key)
        case .keysChanged(let algorithms, let isFirst): return .keysChanged(algorithms, isFirst: isFirst)
        case .extInfo(let info): return .extInfo(info)
        case .disconnected(let disconnect): return .disconnected(disconnect)
        case .needSignature: preconditionFailure("a client signs no key exchange")
        case .unimplemented: return nil
        case .message(let number, let payload) where number.layer == .connection && stack.connection != nil:
            try stack.receiveChannelMessage(number, payload, now: now)
            return nil
        case .message(let number, let payload):
            return try handleUserAuth(number, payload, now: now)
        }
    }

    private mutating func handleUserAuth(_ number: MessageNumber, _ payload: [UInt8], now: Duration) throws(SSHError) -> Event? {
        var event: Event?
        do throws(UserAuthError) {
            for output in try userAuth.receive(number, payload: payload) {
                switch output {
                case .send(let payload): stack.transport.send(payload)
                case .banner(let text): event = .banner(text)
                case .probeAccepted: event = .probeAccepted
                case .refused(let methods, let partial): event = .refused(methods: methods, partialSuccess: partial)
                case .granted:
                    stack.begin(Connection(for: userAuth.finish(), takesOffers: takesChannels), now: now)
                    event = .granted
                }
            }
        } catch {
            throw .userAuth(error)
        }
        return event
    }
}
