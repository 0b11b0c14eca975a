internal import NIOCore
package import SSHBase
package import SSHConnection
package import SSHWire
import Synchronization

/// One channel, as tasks use it; the ``Driver`` has the other end of it.
package final class ChannelPort: Sendable {
    /// What waits to be sent, in order.
    struct Outgoing {
        enum Kind {
            case data([UInt8], DataType)
            case request(ChannelRequest.Kind, wantReply: Bool)
            case end
            case close
        }

        let kind: Kind
        /// Bytes of the data that were sent.
        var sent = 0
        let done: Answer<Void>
    }

    /// What only the event loop touches.
    struct LoopState {
        var outgoing: [Outgoing] = []
        /// Data that has come in this turn.
        var arrived: (type: DataType, bytes: [UInt8])?
        /// Requests of ours that wait for their answers, the oldest first.
        var asked: [Answer<Bool>] = []
        var hasEnded = false
        var hasClosed = false
        /// The server's: what the client set before it asked for a program.
        var environment: [String: String] = [:]
        var hasProgram = false

        /// What waits to be sent as data of one type before anything else, until it is so many bytes.
        func unsentData(of wanted: DataType, limit: Int) -> [ArraySlice<UInt8>] {
            var (parts, total) = ([ArraySlice<UInt8>](), 0)
            for one in outgoing {
                guard case .data(let bytes, wanted) = one.kind, total < limit else { break }
                parts.append(bytes[one.sent...])
                total += bytes.count - one.sent
            }
            return parts
        }

        /// So many bytes of data are sent: those who wait for one of the pieces that are now sent whole.
        mutating func takeSentData(_ count: Int) -> [Answer<Void>] {
            var (left, done) = (count, 0)
            while left > 0, case .data(let bytes, _) = outgoing[done].kind {
                let rest = bytes.count - outgoing[done].sent
                guard left >= rest else {
                    outgoing[done].sent += left
                    break
                }
                left -= rest
                done += 1
            }
            defer { outgoing.removeFirst(done) }
            return outgoing[..<done].map(\.done)
        }
    }

    package let id: ChannelID
    private let host: any ChannelHost
    private let inbox = Mailbox<(type: DataType, bytes: [UInt8])>()
    /// The names of signals that came (RFC 4254 §6.9).
    package let signals = Mailbox<String>()
    /// Resolved when the channel is open.
    package let opened = Answer<Void>()
    private let exit = Answer<SSHExit>()
    /// Bytes that were taken and that the event loop does not know of.
    private let taken = Mutex(0)
    let loopState: NIOLoopBoundBox<LoopState>

    /// The longest piece that a reader is given, in bytes.
    private static let mostTogether = 256 * 1024
    /// A piece that others like it probably follow, in bytes.
    private static let large = 16 * 1024
    /// The event loop is told of so many taken bytes at once: a small part of the window.
    private static let tellAfter = 64 * 1024

    init(_ id: ChannelID, _ host: any ChannelHost) {
        self.id = id
        self.host = host
        loopState = NIOLoopBoundBox(LoopState(), eventLoop: host.loop)
    }

    // MARK: - The event loop's side

    /// Keeps data until ``deliver()``.
    ///
    /// - Parameter expected: how many bytes may follow in this turn.
    /// - Returns: whether it is the first that is kept.
    func receive(_ type: DataType, _ bytes: ArraySlice<UInt8>, expecting expected: Int) -> Bool {
        if let arrived = loopState.value.arrived, arrived.type != type || arrived.bytes.count + bytes.count > Self.mostTogether { deliver() }
        guard loopState.value.arrived == nil else {
            loopState.value.arrived?.bytes += bytes
            return false
        }
        var fresh: [UInt8] = []
        // What comes in small pieces may be all there is, and wait long for its reader.
        fresh.reserveCapacity(bytes.count < Self.large ? bytes.count : min(bytes.count + expected, Self.mostTogether))
        fresh += bytes
        loopState.value.arrived = (type, fresh)
        return true
    }

    /// Gives what has come to who reads it.
    func deliver() {
        guard let arrived = loopState.value.arrived else { return }
        loopState.value.arrived = nil
        inbox.put(arrived)
    }

    func receiveEnd() {
        deliver()
        inbox.close()
    }

    package func receive(_ exit: SSHExit) { self.exit.resolve(.success(exit)) }

    /// The channel is closed at both ends, or gone with its connection.
    func finish(_ failure: SSHFailure?) {
        opened.resolve(.failure(failure ?? .channelClosed))
        deliver()
        inbox.close(failure.map { .failure($0) } ?? .success(()))
        signals.close()
        exit.resolve(failure.map { .failure($0) } ?? .success(.unknown))
        let (outgoing, asked) = (loopState.value.outgoing, loopState.value.asked)
        loopState.value.outgoing = []
        loopState.value.asked = []
        loopState.value.hasClosed = true
        for one in outgoing { one.done.resolve(.failure(failure ?? .channelClosed)) }
        for one in asked { one.resolve(.failure(failure ?? .channelClosed)) }
    }

    /// The server's: keeps a variable for the program; false when one runs already, or there are too many.
    package func keep(_ name: String, _ value: String, limit: Int) -> Bool {
        guard !loopState.value.hasProgram, loopState.value.environment.count < limit else { return false }
        loopState.value.environment[name] = value
        return true
    }

    /// The server's: takes note that a program starts, and gives its variables; nil when one runs already.
    package func startProgram() -> [String: String]? {
        guard !loopState.value.hasProgram else { return nil }
        loopState.value.hasProgram = true
        return loopState.value.environment
    }

    // MARK: - The tasks' side

    /// The next data of one type, or of any; nil at the end.
    package func read(_ type: DataType? = nil) async throws(SSHFailure) -> (type: DataType, bytes: [UInt8])? {
        let taken =
            if let type { try await inbox.take(where: { $0.type == type }) } else { try await inbox.take() }
        guard let data = taken else { return nil }
        used(data.bytes.count)
        return data
    }

    /// Sends data; it returns when all of it is on its way.
    package func write(_ bytes: [UInt8], _ type: DataType = .standard) async throws(SSHFailure) {
        guard !bytes.isEmpty else { return try await check() }
        try await send(.data(bytes, type))
    }

    /// Ends our data.
    package func end() async throws(SSHFailure) { try await send(.end) }

    /// Makes a request that wants no reply.
    package func announce(_ kind: ChannelRequest.Kind) async throws(SSHFailure) { try await send(.request(kind, wantReply: false)) }

    /// Makes a request, and waits for the answer.
    package func ask(_ kind: ChannelRequest.Kind) async throws(SSHFailure) -> Bool {
        let answer = Answer<Bool>()
        host.loop.execute { [self] in host.ask(self, kind, answer) }
        return try await answer.value()
    }

    /// Closes the channel behind what waits to be sent; again is harmless.
    package func close() { host.loop.execute { [self] in host.send(self, Outgoing(kind: .close, done: Answer())) } }

    /// Closes the channel at once, whatever waits to be sent.
    package func abandon(_ failure: SSHFailure = .cancelled) { host.loop.execute { [self] in host.abandon(self, failure) } }

    /// How the program at the other end ended.
    package func exitValue() async throws(SSHFailure) -> SSHExit { try await exit.value() }

    private func check() async throws(SSHFailure) {
        let answer = Answer<Void>()
        host.loop.execute { [self] in
            let fault = ChannelPort.fault(of: .data([], .standard), in: loopState.value)
            answer.resolve(fault.map { .failure($0) } ?? .success(()))
        }
        try await answer.value()
    }

    private func send(_ kind: Outgoing.Kind) async throws(SSHFailure) {
        let done = Answer<Void>()
        host.loop.execute { [self] in host.send(self, Outgoing(kind: kind, done: done)) }
        do throws(SSHFailure) {
            try await done.value()
        } catch {
            // What was not sent by a cancelled writer is not sent behind its back.
            if error == .cancelled { host.loop.execute { [self] in host.withdraw(self, done) } }
            throw error
        }
    }

    /// Why something cannot be sent any more.
    static func fault(of kind: Outgoing.Kind, in state: LoopState) -> SSHFailure? {
        switch kind {
        case .close: nil
        case _ where state.hasClosed: .channelClosed
        case .data where state.hasEnded: .writingHasEnded
        case .data, .request, .end: nil
        }
    }

    private func used(_ count: Int) {
        let total = taken.withLock { taken in
            taken += count
            guard taken >= Self.tellAfter else { return 0 }
            defer { taken = 0 }
            return taken
        }
        if total > 0 { host.loop.execute { [self] in host.didConsume(self, total) } }
    }
}

/// What a channel needs of its connection; all of it on the event loop.
protocol ChannelHost: AnyObject, Sendable {
    var loop: any EventLoop { get }
    func send(_ port: ChannelPort, _ outgoing: ChannelPort.Outgoing)
    func withdraw(_ port: ChannelPort, _ done: Answer<Void>)
    func ask(_ port: ChannelPort, _ kind: ChannelRequest.Kind, _ answer: Answer<Bool>)
    func didConsume(_ port: ChannelPort, _ count: Int)
    func abandon(_ port: ChannelPort, _ failure: SSHFailure)
}

extension SSHChannelData {
    package init(_ type: DataType, _ bytes: [UInt8]) {
        switch type {
        case .standard: self = .standard(bytes)
        case .standardError: self = .standardError(bytes)
        case .extended(let number): self = .extended(number, bytes)
        }
    }
}
