import Linux
package import NIOCore
internal import SSH
package import SSHBase
internal import SSHConnection
import SSHTransport
package import SSHWire

/// Carries bytes between a socket and one end of an SSH connection, and events between that and tasks.
///
/// Everything in it happens on its event loop; what may be called from elsewhere hops there first. That is why it may say `@unchecked`.
package final class Driver<End: DrivenEnd>: ChannelInboundHandler, ChannelHost, @unchecked Sendable {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// What a role does with what happens; all of it is called on the event loop.
    package struct Role: Sendable {
        /// All events but those of channels; what is to be answered is answered on the end that is lent.
        package var handle: @Sendable (End.Event, Driver<End>, inout End) -> Void
        /// The peer opened a channel.
        package var offered: @Sendable (ChannelPort) -> Void
        /// The peer asks something of a channel.
        package var requested: @Sendable (ChannelPort, ChannelRequest.Kind) -> Bool
        /// The connection is over.
        package var ended: @Sendable (Driver<End>, SSHFailure) -> Void
        /// Told of each message, where the end traces them.
        package var traced: (@Sendable (String) -> Void)?

        package init(
            handle: @escaping @Sendable (End.Event, Driver<End>, inout End) -> Void, offered: @escaping @Sendable (ChannelPort) -> Void,
            requested: @escaping @Sendable (ChannelPort, ChannelRequest.Kind) -> Bool, ended: @escaping @Sendable (Driver<End>, SSHFailure) -> Void,
            traced: (@Sendable (String) -> Void)? = nil
        ) {
            (self.handle, self.offered, self.requested, self.ended, self.traced) = (handle, offered, requested, ended, traced)
        }
    }

    package let loop: any EventLoop
    private let role: Role
    private var end: End
    private var context: ChannelHandlerContext?
    private var ports: [ChannelID: ChannelPort] = [:]
    /// Channels that have something to send, in the order of their turns.
    private var senders: [ChannelID] = []
    /// What came while no more was taken.
    private var unread = ByteBuffer()
    private var isReading = false
    /// Channels with data that has come in this turn.
    private var receivers: [ChannelID] = []
    /// Nobody has logged in yet: see ``acknowledge(_:)``.
    private var isEarly = true
    /// Bytes that the socket has not taken.
    private var unwritten = 0
    private var timer: (at: Duration, task: Scheduled<Void>)?
    private var keyWaiters: [Answer<Void>] = []
    private var failure: SSHFailure?

    /// Data is put into packets while fewer bytes than this wait for the socket: some packets, so that writes are large.
    private static var mostPending: Int { 256 * 1024 }
    /// More than any packet takes.
    private static var mostGathered: Int { 64 * 1024 }
    /// A peer that takes nothing and asks for answers is not read from beyond this.
    private static var mostUnwritten: Int { 8 << 20 }
    /// How long a socket that is to be closed may take what was written before.
    private static var mostLingering: Duration { .seconds(5) }

    package init(_ end: End, on loop: any EventLoop, role: Role) {
        self.end = end
        self.loop = loop
        self.role = role
    }

    // MARK: - From the socket

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin() }
    }

    package func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    package func channelActive(context: ChannelHandlerContext) { begin() }

    private func begin() {
        guard !isReading else { return }
        advance()
        readMore()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        // Mostly nothing is left of what came before: then it need not be copied.
        if unread.readableBytes == 0 { unread = buffer } else { unread.writeBuffer(&buffer) }
        advance()
        if unread.readableBytes == 0 { unread = ByteBuffer() }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        if isEarly { acknowledge(context.channel) }
        readMore()
    }

    /// Acknowledges at once what has come: until a user is logged in OpenSSH's client waits for that with each small packet, and a delayed
    /// acknowledgement takes 40 ms. The kernel forgets it soon (tcp(7), TCP_QUICKACK).
    private func acknowledge(_ channel: any Channel) {
        // What is no TCP has no delay either.
        try? channel.syncOptions?.setOption(.tcpOption(quickAcknowledgement), value: 1)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) { advance() }

    package func channelInactive(context: ChannelHandlerContext) {
        finish(.connectionLost)
        self.context = nil
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.connectionLost)
        context.close(promise: nil)
    }

    private func readMore() {
        guard failure == nil, !isReading, unread.readableBytes == 0, end.takesInput, unwritten < Self.mostUnwritten else { return }
        isReading = true
        context?.read()
    }

    // MARK: - Turns

    /// Takes what came, does what follows, and sends what is to be sent.
    private func advance() {
        guard failure == nil else { return }
        do throws(SSHError) {
            repeat {
                let isFed = feed()
                while let event = try end.next(now: Clock.monotonic) { handle(event) }
                if !isFed { break }
            } while unread.readableBytes > 0 && failure == nil
        } catch {
            flush()
            finish(.protocolFault("\(error)"))
        }
        deliver()
        pump()
        schedule()
        readMore()
    }

    /// Hands what has come to those who read: the packets of a turn in one piece.
    private func deliver() {
        for id in receivers { ports[id]?.deliver() }
        receivers = []
    }

    /// Gives the end some of what came; false when it takes nothing.
    private func feed() -> Bool {
        let limit = unread.readableBytes
        guard limit > 0 else { return false }
        let count = end.receive(limit: limit, now: Clock.monotonic) { buffer, range in
            guard let bytes = unread.readBytes(length: range.count) else { return 0 }
            buffer.replaceSubrange(range, with: bytes)
            return bytes.count
        }
        return count > 0
    }

    private func handle(_ event: End.Event) {
        if let event = End.channelEvent(of: event) { return handle(event) }
        role.handle(event, self, &end)
    }

    private func handle(_ event: Connection.Event) {
        isEarly = false
        switch event {
        case .offered(let id, _):
            let port = ChannelPort(id, self)
            ports[id] = port
            end.accept(id)
            port.opened.resolve(.success(()))
            role.offered(port)
        case .opened(let id):
            // Given up while it was being opened.
            if ports[id]?.loopState.value.hasClosed == true { end.close(id) }
            ports[id]?.opened.resolve(.success(()))
        case .openFailed(let id, let reason, let description):
            let port = ports.removeValue(forKey: id)
            port?.opened.resolve(.failure(.channelRefused(reason: reason.rawValue, message: description)))
        case .requested(let id, let kind):
            guard let port = ports[id] else { return end.answer(id, false) }
            end.answer(id, take(kind, port))
        case .answered(let id, let isSuccess):
            guard let port = ports[id], !port.loopState.value.asked.isEmpty else { return }
            port.loopState.value.asked.removeFirst().resolve(.success(isSuccess))
        case .data(let id, let type, let bytes):
            if ports[id]?.receive(type, bytes, expecting: unread.readableBytes) == true { receivers.append(id) }
        case .ended(let id):
            ports[id]?.receiveEnd()
        case .closed(let id):
            ports.removeValue(forKey: id)?.finish(nil)
            senders.removeAll { $0 == id }
        case .globalRequest(_, let wantReply, _):
            if wantReply { end.answerGlobal(nil) }
        case .windowOpened, .globalAnswered:
            break
        }
    }

    private func take(_ kind: ChannelRequest.Kind, _ port: ChannelPort) -> Bool {
        switch kind {
        case .exitStatus(let status): port.receive(.status(status))
        case .exitSignal(let name, _, let description): port.receive(.signal(name, message: description))
        default: return role.requested(port, kind)
        }
        return true
    }

    /// Puts into packets what channels have to send, in turns, and hands all to the socket.
    private func pump() {
        guard failure == nil else { return }
        var blocked = 0
        while blocked < senders.count, end.pendingBytes < Self.mostPending, context?.channel.isWritable == true {
            let id = senders.removeFirst()
            guard let port = ports[id], !port.loopState.value.outgoing.isEmpty else { continue }
            blocked = sendNext(of: port) ? 0 : blocked + 1
            if !port.loopState.value.outgoing.isEmpty { senders.append(id) }
        }
        flush()
    }

    /// Sends the next part of what a channel has; false when it has to wait.
    private func sendNext(of port: ChannelPort) -> Bool {
        guard let next = port.loopState.value.outgoing.first else { return false }
        switch next.kind {
        case .data(_, let type): return sendData(type, of: port)
        case .request(let kind, let wantReply): end.request(port.id, kind, wantReply: wantReply)
        case .end: end.end(port.id)
        case .close: end.close(port.id)
        }
        port.loopState.value.outgoing.removeFirst()
        next.done.resolve(.success(()))
        return true
    }

    /// Fills one packet; what several writers have goes into it together.
    private func sendData(_ type: DataType, of port: ChannelPort) -> Bool {
        let parts = port.loopState.value.unsentData(of: type, limit: Self.mostGathered)
        let count = end.send(port.id, type, limit: parts.reduce(0) { $0 + $1.count }) { buffer, range in
            var start = range.lowerBound
            for part in parts {
                let count = min(part.count, range.upperBound - start)
                buffer.replaceSubrange(start..<start + count, with: part.prefix(count))
                start += count
            }
            return range.count
        }
        for sent in port.loopState.value.takeSentData(count) { sent.resolve(.success(())) }
        return count > 0
    }

    private func flush() {
        if let traced = role.traced { for line in end.takeTrace() { traced(line) } }
        let count = end.pendingBytes
        guard count > 0, let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: count)
        buffer.writeBytes(end.pending)
        end.didWrite(count)
        unwritten += count
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { [weak self] _ in self?.didWrite(count) }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: written)
    }

    private func didWrite(_ count: Int) {
        unwritten -= count
        if failure != nil, unwritten == 0 { return closeSocket() }
        readMore()
    }

    // MARK: - The clock

    private func schedule() {
        guard failure == nil, let deadline = end.deadline else { return }
        // A timer that rings early is set again: most deadlines move with every byte.
        if let timer, timer.at <= deadline { return }
        timer?.task.cancel()
        let delay = max(deadline - Clock.monotonic, .zero)
        let task = loop.scheduleTask(in: TimeAmount(delay)) { [weak self] () -> Void in self?.ring() }
        timer = (deadline, task)
    }

    private func ring() {
        timer = nil
        guard failure == nil else { return }
        do throws(SSHError) {
            if let deadline = end.deadline, deadline <= Clock.monotonic { try end.tick(now: Clock.monotonic) }
        } catch {
            flush()
            finish(.protocolFault("\(error)"))
        }
        advance()
    }

    // MARK: - The end

    /// Ends the connection with a word to the peer.
    private func close(_ failure: SSHFailure, _ message: String) {
        guard self.failure == nil else { return }
        end.disconnect(Disconnect(reason: .byApplication, description: message))
        flush()
        finish(failure)
    }

    /// The peer has said goodbye.
    package func peerDisconnected(_ disconnect: Disconnect) {
        finish(.disconnected(reason: disconnect.reason.rawValue, message: disconnect.description))
    }

    private func finish(_ failure: SSHFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        timer?.task.cancel()
        timer = nil
        for port in ports.values { port.finish(failure) }
        ports = [:]
        senders = []
        for waiter in keyWaiters { waiter.resolve(.failure(failure)) }
        keyWaiters = []
        role.ended(self, failure)
        // What was flushed goes first; a peer that does not take it is not waited for.
        guard unwritten > 0 else { return closeSocket() }
        loop.scheduleTask(in: TimeAmount(Self.mostLingering)) { [weak self] in self?.closeSocket() }
    }

    private func closeSocket() { context?.close(mode: .all, promise: nil) }

    // MARK: - What channels ask for, on the event loop

    func send(_ port: ChannelPort, _ outgoing: ChannelPort.Outgoing) {
        if let fault = failure ?? ChannelPort.fault(of: outgoing.kind, in: port.loopState.value) { return outgoing.done.resolve(.failure(fault)) }
        guard ports[port.id] === port else { return outgoing.done.resolve(.failure(.channelClosed)) }
        switch outgoing.kind {
        case .end where port.loopState.value.hasEnded, .close where port.loopState.value.hasClosed:
            return outgoing.done.resolve(.success(()))
        case .end: port.loopState.value.hasEnded = true
        case .close: port.loopState.value.hasClosed = true
        case .data, .request: break
        }
        if port.loopState.value.outgoing.isEmpty { senders.append(port.id) }
        port.loopState.value.outgoing.append(outgoing)
        pump()
        schedule()
    }

    func withdraw(_ port: ChannelPort, _ done: Answer<Void>) {
        port.loopState.value.outgoing.removeAll { $0.done === done }
    }

    func ask(_ port: ChannelPort, _ kind: ChannelRequest.Kind, _ answer: Answer<Bool>) {
        if let fault = failure ?? ChannelPort.fault(of: .end, in: port.loopState.value) { return answer.resolve(.failure(fault)) }
        guard ports[port.id] === port else { return answer.resolve(.failure(.channelClosed)) }
        port.loopState.value.asked.append(answer)
        send(port, ChannelPort.Outgoing(kind: .request(kind, wantReply: true), done: Answer()))
    }

    func didConsume(_ port: ChannelPort, _ count: Int) {
        guard failure == nil, ports[port.id] === port else { return }
        end.didConsume(port.id, count)
        pump()
    }

    func abandon(_ port: ChannelPort, _ failure: SSHFailure) {
        guard self.failure == nil, ports[port.id] === port else { return }
        senders.removeAll { $0 == port.id }
        end.close(port.id)
        // The peer's CLOSE frees the number later; nothing of it concerns anybody any more.
        port.finish(failure)
        pump()
    }

    // MARK: - What others ask for, from anywhere

    /// Does something with the end, and what follows.
    package func perform(_ body: @escaping @Sendable (inout End) -> Void) {
        loop.execute { [self] in
            guard failure == nil else { return }
            body(&end)
            advance()
        }
    }

    /// Opens a session channel.
    package func open() async throws(SSHFailure) -> ChannelPort {
        let made = Answer<ChannelPort>()
        loop.execute { [self] in
            if let failure { return made.resolve(.failure(failure)) }
            guard let id = end.openSession() else { return made.resolve(.failure(.tooManyChannels)) }
            let port = ChannelPort(id, self)
            ports[id] = port
            made.resolve(.success(port))
            pump()
        }
        let port = try await made.value()
        do throws(SSHFailure) {
            try await port.opened.value()
        } catch {
            port.abandon()
            throw error
        }
        return port
    }

    /// Asks for new keys, and waits until they are in use.
    package func exchangeKeys() async throws(SSHFailure) {
        let done = Answer<Void>()
        loop.execute { [self] in
            if let failure { return done.resolve(.failure(failure)) }
            keyWaiters.append(done)
            end.requestKeyExchange()
            advance()
        }
        try await done.value()
    }

    /// New keys are in use; a role calls it.
    package func keysChanged() {
        for waiter in keyWaiters { waiter.resolve(.success(())) }
        keyWaiters = []
    }

    /// Ends the connection; again is harmless.
    package func close(_ failure: SSHFailure = .connectionClosed, saying message: String = "closed") {
        loop.execute { [self] in close(failure, message) }
    }

    /// Does something after a while, on the event loop, unless what it returns is called before.
    package func after(_ time: Duration, _ body: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
        let task = loop.scheduleTask(in: TimeAmount(time), body)
        return { task.cancel() }
    }
}
