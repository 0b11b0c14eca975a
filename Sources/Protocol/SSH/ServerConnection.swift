public import SSHConnection
public import SSHTransport
public import SSHUserAuth
public import SSHWire
public import Sodium

/// The server's end of one SSH connection: bytes in, events out; the host answers what it is asked.
public struct ServerConnection: Endpoint {
    public enum Event: Sendable {
        case identified(Identification)
        /// Answer with ``sign(_:now:)``.
        case needSignature(SignatureRequest)
        case keysChanged(NegotiatedAlgorithms, isFirst: Bool)
        /// Answer with ``answerProbe(_:banner:)``.
        case mayProbe(UserAuthServer.ProbedKey)
        /// Answer with ``grant(banner:now:)`` or ``refuse(banner:)``.
        case verify(UserAuthServer.SignedKey)
        /// Answer with ``grant(banner:now:)`` or ``refuse(banner:)``.
        case password(user: String, password: String)
        case channel(Connection.Event)
        case disconnected(Disconnect)
    }

    public struct Configuration: Sendable {
        public var transport: Transport.Configuration
        public var userAuth = UserAuthServer.Configuration()
        /// At once; 1 to 64.
        public var mostChannels = 16
        public var loginGrace: Duration? = .seconds(20)
        public var idleTimeout: Duration? = .seconds(15 * 60)
        public var keepalive: Duration? = .seconds(30)

        public init(transport: Transport.Configuration) { self.transport = transport }
    }

    private enum Authentication: Sendable {
        case running(UserAuthServer)
        /// Later requests are ignored by it (RFC 4252 §5.1).
        case done(UserAuthServer)
    }

    public var stack: Stack
    private var authentication: Authentication
    private let mostChannels: Int

    public init(_ configuration: Configuration, random: any RandomSource, now: Duration) {
        let limits = Timers.Limits(
            loginGrace: configuration.loginGrace, idle: configuration.idleTimeout, keepalive: configuration.keepalive)
        stack = Stack(role: .server, configuration: configuration.transport, timers: Timers(limits, now: now), random: random)
        authentication = .running(UserAuthServer(configuration: configuration.userAuth))
        mostChannels = configuration.mostChannels
    }

    /// Nothing runs on the channels that are open: the connection ends after its idle time as if there were none.
    public var isIdle: Bool {
        get { stack.isIdle }
        set { stack.isIdle = newValue }
    }

    /// True once the user is authenticated.
    public var isAuthenticated: Bool { stack.connection != nil }

    /// The next event; nil when more bytes or an answer are needed. What it throws has ended the connection, and the peer is told.
    public mutating func next(now: Duration) throws(SSHError) -> Event? {
        do throws(SSHError) {
            while true {
                if let event = stack.takeEvent() { return .channel(event) }
                if case .running(let userAuth) = authentication, userAuth.awaitsAnswer { return nil }
                guard let below = try stack.nextBelow(now: now) else { return nil }
                if let event = try handle(below, now: now) { return event }
            }
        } catch {
            disconnect(error.disconnect)
            throw error
        }
    }

    // MARK: - Answers

    /// Answers ``Event/needSignature(_:)``.
    public mutating func sign(_ answer: SignatureAnswer, now: Duration) {
        stack.transport.sign(answer, now: now)
    }

    /// Answers ``Event/mayProbe(_:)``: whether a signature by that key would be accepted.
    public mutating func answerProbe(_ isWelcome: Bool, banner: String? = nil) {
        guard case .running(var userAuth) = authentication else { preconditionFailure("no probe is open") }
        send(userAuth.answerProbe(isWelcome, banner: banner))
        authentication = .running(userAuth)
    }

    /// Answers a signature or a password with yes; from now on there are channels.
    public mutating func grant(banner: String? = nil, now: Duration) {
        guard case .running(var userAuth) = authentication else { preconditionFailure("no proof is open") }
        var outputs: [UserAuthServer.Output] = []
        let user = userAuth.grant(banner: banner, output: &outputs)
        send(outputs)
        authentication = .done(userAuth)
        stack.begin(Connection(for: user, mostChannels: mostChannels, takesOffers: true), now: now)
    }

    /// Answers a signature or a password with no.
    public mutating func refuse(banner: String? = nil) {
        guard case .running(var userAuth) = authentication else { preconditionFailure("no proof is open") }
        send(userAuth.refuse(banner: banner))
        authentication = .running(userAuth)
    }

    // MARK: - Steps

    private mutating func handle(_ event: Transport.Event, now: Duration) throws(SSHError) -> Event? {
        switch event {
        case .identified(let identification): return .identified(identification)
        case .needSignature(let request): return .needSignature(request)
        case .keysChanged(let algorithms, let isFirst): return .keysChanged(algorithms, isFirst: isFirst)
        case .disconnected(let disconnect): return .disconnected(disconnect)
        case .judgeHostKey: preconditionFailure("a server judges no host key")
        case .extInfo, .unimplemented: return nil
        case .message(let number, let payload) where number.layer == .connection && isAuthenticated:
            try stack.receiveChannelMessage(number, payload, now: now)
            return nil
        case .message(let number, let payload):
            return try handleUserAuth(number, payload)
        }
    }

    private mutating func handleUserAuth(_ number: MessageNumber, _ payload: [UInt8]) throws(SSHError) -> Event? {
        do throws(UserAuthError) {
            switch authentication {
            case .running(var userAuth):
                let outputs = try userAuth.receive(number, payload: payload)
                authentication = .running(userAuth)
                return send(outputs)
            case .done(var userAuth):
                return send(try userAuth.receive(number, payload: payload))
            }
        } catch {
            throw .userAuth(error)
        }
    }

    /// Sends what is to be sent; the question among the outputs, of which there is at most one, becomes an event.
    @discardableResult
    private mutating func send(_ outputs: [UserAuthServer.Output]) -> Event? {
        var event: Event?
        for output in outputs {
            switch output {
            case .send(let payload): stack.transport.send(payload)
            case .ask(.mayProbe(let key)): event = .mayProbe(key)
            case .ask(.verify(let key)): event = .verify(key)
            case .ask(.password(let user, let password)): event = .password(user: user, password: password)
            }
        }
        return event
    }
}
