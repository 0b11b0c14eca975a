import SSHConnection
import SSHTransport
import SSHWire
import Sodium

/// The transport below and the channels above, as both roles have them; each role adds its authentication.
public struct Stack: Sendable {
    var transport: Transport
    /// Nil until the user is authenticated.
    var connection: Connection?
    var timers: Timers
    /// Events that one message gave beyond the first.
    var events: [Connection.Event] = []

    init(role: Role, configuration: Transport.Configuration, timers: Timers, random: any RandomSource) {
        transport = Transport(role: role, configuration: configuration, random: random)
        self.timers = timers
    }

    /// Its owner says that nothing runs on the channels that are open.
    var isIdle = false

    /// Keepalives are for connections that run something or are otherwise quiet; idle ones end.
    var isBusy: Bool { !isIdle && connection.map { !$0.openChannels.isEmpty } ?? false }

    var deadline: Duration? { [timers.deadline(isBusy: isBusy), transport.rekeyDeadline].compactMap { $0 }.min() }

    func room(_ id: ChannelID) -> Int { transport.takesData ? connection?.room(id) ?? 0 : 0 }

    mutating func perform(_ outputs: [Connection.Output]) {
        for output in outputs {
            switch output {
            case .send(let payload): transport.send(payload)
            case .event(let event): events.append(event)
            case .unknownMessage: transport.answerUnimplemented()
            }
        }
    }

    mutating func takeEvent() -> Connection.Event? {
        events.isEmpty ? nil : events.removeFirst()
    }

    /// The transport's next event.
    mutating func nextBelow(now: Duration) throws(SSHError) -> Transport.Event? {
        do throws(TransportError) {
            return try transport.next(now: now)
        } catch {
            throw .transport(error)
        }
    }

    mutating func receiveChannelMessage(_ number: MessageNumber, _ payload: [UInt8], now: Duration) throws(SSHError) {
        if number.rawValue >= MessageNumber.channelOpen.rawValue { timers.used(now: now) }
        do throws(ConnectionError) {
            perform(try connection?.receive(number, payload: payload) ?? [.unknownMessage])
        } catch {
            throw .connection(error)
        }
    }

    /// The user is authenticated: from now on there are channels.
    mutating func begin(_ connection: consuming Connection, now: Duration) {
        self.connection = connection
        timers.authenticated(now: now)
        transport.userIsAuthenticated()
    }

    /// Does what is due by the clock.
    mutating func tick(now: Duration) throws(SSHError) {
        do throws(TransportError) {
            try transport.tick(now: now)
        } catch {
            throw .transport(error)
        }
        switch timers.due(now: now, isBusy: isBusy) {
        case nil: break
        case .loginGrace: throw .loginGraceExpired
        case .idle: throw .idle
        case .silence: throw .peerSilent
        case .keepalive:
            timers.asked(now: now)
            guard var connection else { return }
            perform([connection.requestGlobal(name: "keepalive@openssh.com", wantReply: true)])
            self.connection = connection
        }
    }

    /// Runs `body` on the channels, which are there once the user is authenticated.
    mutating func withConnection<Result>(_ body: (inout Connection) -> Result) -> Result {
        guard var opened = connection else { preconditionFailure("channels before authentication") }
        connection = nil
        defer { connection = opened }
        return body(&opened)
    }
}
