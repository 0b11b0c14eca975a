public import SSHConnection
import SSHTransport
public import SSHWire

/// One end of an SSH connection, as its host drives it: what both roles have in common.
///
/// The host writes ``pending`` to the peer, lets ``receive(limit:now:fill:)`` read from it, takes events one by one from `next(now:)`,
/// answers those that ask, and calls `tick(now:)` at ``deadline``.
public protocol Endpoint: Sendable {
    // Borrowed, as the elements of a Collection are: a getter would copy all of it for each question of a turn.
    @_borrowed var stack: Stack { get set }
}

extension Endpoint {
    /// What waits to be written to the peer.
    public var pending: ArraySlice<UInt8> { stack.transport.pending }
    public var pendingBytes: Int { stack.transport.pendingBytes }

    /// Takes note that the first `count` pending bytes are written.
    public mutating func didWrite(_ count: Int) { stack.transport.didWrite(count) }

    /// Gives back buffers that grew; for a connection that has nothing to do.
    public mutating func trim() { stack.transport.trim() }

    /// False while so much input waits for an answer of the host that no more is read: do not wait for the peer's bytes then.
    public var takesInput: Bool { stack.transport.takesInput }

    /// Lets `fill` write up to `limit` bytes from the peer into the input buffer, and returns what it returned.
    ///
    /// - Returns: 0, and `fill` was not called, without ``takesInput``.
    public mutating func receive<Failure: Error>(
        limit: Int, now: Duration, fill: (inout [UInt8], Range<Int>) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        let count = try stack.transport.receive(limit: limit, fill: fill)
        if count > 0 { stack.timers.heard(now: now) }
        return count
    }

    /// When `tick(now:)` is to be called at the latest; nil for never.
    public var deadline: Duration? { stack.deadline }

    /// Does what is due by the clock; see ``deadline``. What it throws has ended the connection, and the peer is told.
    public mutating func tick(now: Duration) throws(SSHError) {
        do throws(SSHError) {
            try stack.tick(now: now)
        } catch {
            disconnect(error.disconnect)
            throw error
        }
    }

    /// The exchange hash of the first key exchange (RFC 4253 §7.2); nil before.
    public var sessionIdentifier: [UInt8]? { stack.transport.sessionIdentifier }

    /// Asks for new keys now.
    public mutating func requestKeyExchange() { stack.transport.requestKeyExchange() }

    /// What was sent and received since the last time, where the configuration asks for it: a line for each message.
    public mutating func takeTrace() -> [String] { stack.transport.takeTrace() }

    /// Ends the connection with a DISCONNECT.
    public mutating func disconnect(_ disconnect: Disconnect) { stack.transport.disconnect(disconnect) }

    // MARK: - Channels (RFC 4254 §5)

    public var openChannels: [ChannelID] { stack.connection?.openChannels ?? [] }

    /// Opens a session channel; ``Connection/Event/opened(_:)`` follows. Nil when there are too many.
    public mutating func openSession() -> ChannelID? {
        guard let (id, output) = stack.withConnection({ $0.open() }) else { return nil }
        stack.perform([output])
        return id
    }

    /// See ``Connection/accept(_:)``.
    public mutating func accept(_ id: ChannelID) {
        stack.perform([stack.withConnection { $0.accept(id) }])
    }

    public mutating func refuse(_ id: ChannelID, reason: ChannelOpenFailure.Reason, description: String) {
        stack.perform([stack.withConnection { $0.refuse(id, reason: reason, description: description) }])
    }

    /// Answers a channel request of the peer; nothing when the channel has gone.
    public mutating func answer(_ id: ChannelID, _ isSuccess: Bool) {
        stack.perform(stack.withConnection { $0.answer(id, isSuccess) })
    }

    /// Makes a global request that wants no reply (RFC 4254 §4).
    public mutating func announceGlobal(name: String, details: [UInt8]) {
        stack.perform([stack.withConnection { $0.requestGlobal(name: name, wantReply: false, details: details) }])
    }

    /// Answers a global request that wants a reply; nil is no.
    public mutating func answerGlobal(_ details: [UInt8]?) {
        stack.perform([stack.withConnection { $0.answerGlobal(details) }])
    }

    /// Makes a channel request; nothing when the channel has gone.
    public mutating func request(_ id: ChannelID, _ kind: ChannelRequest.Kind, wantReply: Bool = false) {
        let output = stack.withConnection { $0.request(id, kind, wantReply: wantReply) }
        stack.perform(output.map { [$0] } ?? [])
    }

    /// How many bytes of data may be sent on a channel now: 0 while its window is shut or a key exchange runs.
    public func room(_ id: ChannelID) -> Int { stack.room(id) }

    /// Sends data that `fill` writes straight into the packet.
    ///
    /// - Parameters:
    ///   - limit: the most to send, in bytes; ``room(_:)`` limits it too.
    ///   - fill: gets the buffer and the range it may write, and returns how many bytes it wrote.
    /// - Returns: what `fill` returned; 0, and `fill` was not called, when there is no room.
    public mutating func send<Failure: Error>(
        _ id: ChannelID, _ type: DataType, limit: Int, fill: (inout [UInt8], Range<Int>) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        let most = min(limit, room(id))
        guard most > 0, let prefix = stack.connection?.dataPrefix(id, type) else { return 0 }
        let count = try stack.transport.send(prefix: prefix, limit: most, fill: fill)
        if count > 0 { stack.withConnection { $0.didSend(id, count) } }
        return count
    }

    /// Takes note that `count` received bytes were used, so that the peer may send more.
    public mutating func didConsume(_ id: ChannelID, _ count: Int) {
        if let output = stack.withConnection({ $0.didConsume(id, count) }) { stack.perform([output]) }
    }

    /// Sends EOF (RFC 4254 §5.3); input goes on.
    public mutating func end(_ id: ChannelID) {
        if let output = stack.withConnection({ $0.end(id) }) { stack.perform([output]) }
    }

    /// Closes a channel; again is harmless.
    public mutating func close(_ id: ChannelID) {
        if let output = stack.withConnection({ $0.close(id) }) { stack.perform([output]) }
    }
}
