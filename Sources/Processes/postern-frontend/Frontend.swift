import Linux
import MonitorProtocol
import SSH
import SSHConnection
import SSHKeys
import SSHTransport
import SSHUserAuth
import SSHWire
import Sodium

/// Carries bytes between the peer, the monitor and the pipes of running commands.
///
/// One turn of the loop: wait, take what the monitor says, read from the peer, feed the commands, read from them, write to the peer; each of
/// it only when there is something.
struct Frontend {
    let connection: Descriptor
    var monitor: MonitorChannel
    var ssh: ServerConnection
    var sessions: [ChannelID: Session] = [:]
    /// Which channel a request belongs to, while that is open.
    var channels: [UInt32: ChannelID] = [:]
    var nextRequest: UInt32 = 0
    var hostKeys: HostKeyAnnouncement
    private var poll = PollSet()
    /// Whom each descriptor that is waited for belongs to.
    private var sources: [Source] = []
    private var firstSession = 0
    var peerHasEnded = false
    /// OpenSSH's PROTOCOL §2.1: others may not know the message, and there are some that end then.
    var peerKnowsEndOfWrite = false
    /// When the monitor said that it is to stop.
    var stopAsked: Duration?
    /// When something ran last, as far as that matters.
    private var busyUntil: Duration?

    /// Whether something happened since memory was given back.
    private var holdsMemory = true

    /// Read at once from the peer, and from a command; they grow while that is not enough, so that a short session stays small.
    private var peerRead = ReadSize(most: 128 * 1024)
    private var commandRead = ReadSize(most: Connection.packetBytes)

    /// While more than this waits for the peer, nothing more is read for it, in bytes.
    private static let outputLimit = 256 * 1024
    /// A connection that runs nothing gives memory back when it has been quiet for so long: those in a hurry have gone by then.
    private static let quiet: Duration = .milliseconds(500)
    /// How long a last message to the peer may take.
    private static let lastWrite: Duration = .seconds(1)
    /// How long, and for how many bytes, a peer that broke a rule may go on until it has read so.
    private static let lastRead: (time: Duration, bytes: Int) = (.milliseconds(500), 4 << 20)
    /// When it is to stop: what a client that has asked for nothing yet may take to do so.
    private static let firstRequest: Duration = .seconds(2)
    /// The same of one whose last command has ended, to go by itself: it then sees no error.
    private static let departure: Duration = .milliseconds(500)
    /// From the end of a command's outputs to EOF.
    private static let endOfOutput: Duration = .milliseconds(200)

    /// With a session's descriptor: when its turn comes, its channel may be closed, and the number another's.
    private enum Source {
        case monitor, peer
        case input(ChannelID, Descriptor), output(ChannelID, Descriptor), error(ChannelID, Descriptor)
    }

    /// Waits for its connection, which may take a while.
    init(_ monitor: MonitorChannel) throws(MonitorChannel.Failure) {
        var monitor = monitor
        let settings: MonitorMessage.Settings
        (settings, connection) = try monitor.begin()
        self.monitor = monitor
        hostKeys = HostKeyAnnouncement(settings.hostKeys)
        ssh = ServerConnection(Self.configuration(settings), random: SystemRandom(), now: Clock.monotonic)
    }

    private static func configuration(_ settings: MonitorMessage.Settings) -> ServerConnection.Configuration {
        var transport = Transport.Configuration(identification: Identification(sent: settings.identification))
        transport.identificationIsSent = true
        // The monitor signs once before there is a user.
        transport.allowsEarlyRekeying = false
        transport.proposal.hostKey = settings.hostKeyAlgorithms
        if settings.postQuantumOnly { transport.proposal.kex.removeAll { !$0.isPostQuantum } }
        transport.rekeyAfterBytes = settings.rekeyBytes
        transport.rekeyAfter = .seconds(Int64(settings.rekeySeconds))
        // RFC 8308 §3.1: which user keys may sign.
        let signatures = ExtInfo.Extension(name: "server-sig-algs", value: Array(userAlgorithms.joined(separator: ",").utf8))
        transport.extensions = [signatures, UserAuthRequest.hostboundExtension]
        var configuration = ServerConnection.Configuration(transport: transport)
        configuration.userAuth.banner = settings.banner
        configuration.userAuth.mostSignatures = RequestGate.mostSignatures
        configuration.userAuth.mostProbes = RequestGate.mostProbes
        configuration.mostChannels = Int(settings.mostChannels)
        configuration.loginGrace = .seconds(Int64(settings.loginGraceSeconds))
        configuration.idleTimeout = .seconds(Int64(settings.idleSeconds))
        configuration.keepalive = .seconds(Int64(settings.keepaliveSeconds))
        return configuration
    }

    /// Serves the connection to its end.
    mutating func run() throws(MonitorChannel.Failure) {
        do {
            while !peerHasEnded {
                try turn()
                if let stopDeadline, stopDeadline <= Clock.monotonic { return try stop() }
            }
            try monitor.send(.farewell("closed by the peer"))
        } catch let error as SSHError {
            writeLast()
            try monitor.send(.fault(String("\(error)".prefix(FrontendMessage.longestFarewell / 4))))
            // What runs is to hear of it now.
            sessions = [:]
            readLast()
        } catch let error as MonitorChannel.Failure {
            throw error
        } catch let error as Errno {
            try monitor.send(.farewell("\(error)"))
        } catch {
            preconditionFailure("an error of no known kind: \(error)")
        }
    }

    /// When it is time to stop: once nothing runs any more; nil as long as something does, or nobody has said so.
    private var stopDeadline: Duration? {
        guard let stopAsked, !isBusy else { return nil }
        if let busyUntil { return busyUntil + Self.departure }
        return nextRequest > 0 ? stopAsked : stopAsked + Self.firstRequest
    }

    private mutating func stop() throws(MonitorChannel.Failure) {
        ssh.disconnect(Disconnect(reason: .byApplication, description: "the gateway is being stopped; try again"))
        writeLast()
        try monitor.send(.farewell("stopped when nothing ran"))
    }

    private mutating func turn() throws {
        let ready = try wait()
        if monitor.hasMessages { try takeMessages() }
        for one in ready {
            switch sources[one.token] {
            case .monitor: try takeMessages()
            case .peer: if one.events != .writable { try readFromPeer() }
            case .input(let id, let input) where sessions[id]?.standardInput === input:
                didFeed(id, one.events.contains(.failed) ? sessions[id]?.refuseInput() : sessions[id]?.feedInput())
            case .output(let id, let output) where sessions[id]?.standardOutput === output:
                if relay(output, .standard, to: id) { sessions[id]?.standardOutput = nil }
            case .error(let id, let error) where sessions[id]?.standardError === error:
                if relay(error, .standardError, to: id) { sessions[id]?.standardError = nil }
            case .input, .output, .error: break
            }
        }
        try ssh.tick(now: Clock.monotonic)
        for (id, session) in sessions { if session.ending != nil { finish(id) } else { endOutput(id, session) } }
        try takeEvents()
        try writeToPeer()
        ssh.isIdle = !isBusy
        if sessions.isEmpty { giveBackBuffers() }
        if isBusy, stopAsked != nil { busyUntil = Clock.monotonic }
    }

    /// A channel that is open, and no more, is nothing; one whose last bytes are still to be written is something.
    private var isBusy: Bool { sessions.values.contains(where: \.isBusy) || !sessions.isEmpty && ssh.pendingBytes > 0 }

    private mutating func takeMessages() throws {
        while let (message, descriptors) = try monitor.receive() { try take(message, descriptors) }
    }

    private mutating func giveBackBuffers() {
        guard ssh.pendingBytes == 0 else { return }
        ssh.trim()
        peerRead.reset()
        commandRead.reset()
    }

    // MARK: - Waiting

    /// - Returns: what is ready, as its place among the sources: the monitor before the peer, and both before what runs.
    private mutating func wait() throws(Errno) -> [PollSet.Ready] {
        poll.removeAll()
        sources.removeAll(keepingCapacity: true)
        wait(for: .monitor, monitor.descriptor, .readable)
        var events: PollSet.Events = []
        if takesInput { events.insert(.readable) }
        if ssh.pendingBytes > 0 { events.insert(.writable) }
        // One from which nothing is wanted now would tell again and again that it has hung up.
        if !events.isEmpty { wait(for: .peer, connection, events) }
        for id in sessionsInTurn() {
            guard let session = sessions[id] else { continue }
            if let input = session.standardInput { wait(for: .input(id, input), input, session.input.isEmpty ? [] : .writable) }
            guard ssh.room(id) > 0, ssh.pendingBytes < Self.outputLimit else { continue }
            if let output = session.standardOutput { wait(for: .output(id, output), output, .readable) }
            if let error = session.standardError { wait(for: .error(id, error), error, .readable) }
        }
        let isIdle = holdsMemory && sessions.isEmpty && ssh.isAuthenticated
        let ends = sessions.values.filter { $0.phase == .running }.compactMap(\.outputEnd)
        let deadline = ([ssh.deadline, stopDeadline, isIdle ? Clock.monotonic + Self.quiet : nil, monitor.hasMessages ? .zero : nil].compactMap(\.self) + ends).min()
        let ready = try poll.wait(timeout: deadline.map { $0 - Clock.monotonic })
        if ready.isEmpty, isIdle { returnFreeMemory() }
        holdsMemory = !ready.isEmpty
        return ready
    }

    private mutating func wait(for source: Source, _ descriptor: Descriptor, _ events: PollSet.Events) {
        poll.add(descriptor, events, token: sources.count)
        sources.append(source)
    }

    /// A peer that does not read what it caused is not read from either.
    private var takesInput: Bool { ssh.pendingBytes < Self.outputLimit * 2 && ssh.takesInput }

    // MARK: - The peer

    private mutating func readFromPeer() throws {
        guard takesInput else { return }
        let connection = connection
        var hasEnded = false
        let count = try ssh.receive(limit: peerRead.bytes, now: Clock.monotonic) { (buffer, range) throws(Errno) in
            guard let count = try connection.read(into: &buffer, range) else { return 0 }
            hasEnded = count == 0
            return count
        }
        peerRead.adapt(to: count)
        if !ssh.isAuthenticated {
            // The OpenSSH client disables Nagle's algorithm only after authentication: its small writes would wait for our delayed
            // acknowledgements (DESIGN §5). Where the connection is not TCP the call fails and does not matter.
            do { try connection.setQuickAck() } catch {}
        }
        if hasEnded { peerHasEnded = true }
        try takeEvents()
    }

    private mutating func takeEvents() throws {
        while let event = try ssh.next(now: Clock.monotonic) { try handle(event) }
    }

    private mutating func writeToPeer() throws(Errno) {
        while ssh.pendingBytes > 0 {
            guard let count = try connection.write(ssh.pending) else { return }
            ssh.didWrite(count)
        }
    }

    /// Tries to get a DISCONNECT out to a peer that may not read.
    private mutating func writeLast() {
        let deadline = Clock.monotonic + Self.lastWrite
        do {
            while ssh.pendingBytes > 0, Clock.monotonic < deadline {
                try writeToPeer()
                poll.removeAll()
                poll.add(connection, .writable, token: 0)
                if ssh.pendingBytes > 0 { _ = try poll.wait(timeout: deadline - Clock.monotonic) }
            }
        } catch {
            // The peer has gone: there is nobody to tell.
        }
    }

    /// Throws away what a peer still sends, until it hangs up: a socket that is closed with something unread is reset (RFC 9293 §3.6.1), and
    /// then our last message may be lost.
    private mutating func readLast() {
        let deadline = Clock.monotonic + Self.lastRead.time
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        var left = Self.lastRead.bytes
        do {
            try connection.shutDown(receiving: false)
            while left > 0, Clock.monotonic < deadline {
                poll.removeAll()
                poll.add(connection, .readable, token: 0)
                guard try !poll.wait(timeout: deadline - Clock.monotonic).isEmpty, let count = try connection.read(into: &buffer, buffer.indices), count > 0 else { return }
                left -= count
            }
        } catch {
            // The peer has gone: there is nobody to tell.
        }
    }

    // MARK: - Running commands

    /// All sessions, another one first each time: one that writes without end leaves room for the others.
    private mutating func sessionsInTurn() -> [ChannelID] {
        let ids = sessions.keys.sorted()
        guard !ids.isEmpty else { return [] }
        firstSession = (firstSession + 1) % ids.count
        return Array(ids[firstSession...] + ids[..<firstSession])
    }

    /// Lets the client send as much more, or tells it that nobody reads it.
    mutating func didFeed(_ id: ChannelID, _ count: Int?) {
        ssh.didConsume(id, count ?? 0)
        if sessions[id]?.takeRefusal() == true, peerKnowsEndOfWrite { ssh.request(id, .endOfWrite) }
    }

    /// Reads what the command wrote straight into packets, as far as the peer takes it.
    ///
    /// - Returns: true when the stream has ended.
    private mutating func relay(_ stream: Descriptor, _ type: DataType, to id: ChannelID) -> Bool {
        var hasEnded = false
        // A pipe that gave less than it was asked for has no more now.
        var isDrained = false
        while !hasEnded, !isDrained, ssh.pendingBytes < Self.outputLimit {
            let count = ssh.send(id, type, limit: commandRead.bytes) { buffer, range in
                do {
                    guard let count = try stream.read(into: &buffer, range) else { return 0 }
                    hasEnded = count == 0
                    isDrained = count < range.count
                    return count
                } catch {
                    // A pipe that cannot be read has nothing more to give.
                    hasEnded = true
                    return 0
                }
            }
            if count == 0 { break }
            commandRead.adapt(to: count)
        }
        return hasEnded
    }

    /// Tells that no more comes from a command that has closed both its outputs and goes on (RFC 4254 §5.3). Most end at once: what we have to
    /// say of their end, and could not say after EOF, is waited for.
    private mutating func endOutput(_ id: ChannelID, _ session: Session) {
        guard session.phase == .running, session.streamsHaveEnded, !session.outputHasEnded else { return }
        guard let deadline = session.outputEnd else {
            sessions[id]?.outputEnd = Clock.monotonic + Self.endOfOutput
            return
        }
        guard deadline <= Clock.monotonic else { return }
        ssh.end(id)
        sessions[id]?.outputEnd = nil
        sessions[id]?.outputHasEnded = true
    }

    /// Tells how the command ended, once all it wrote is sent: our own text, exit status or signal, EOF, CLOSE (RFC 4254 §6.10).
    mutating func finish(_ id: ChannelID) {
        guard let session = sessions[id], session.streamsHaveEnded, let ending = session.ending else { return }
        var text = session.outputHasEnded ? [] : session.text
        while !text.isEmpty {
            let waiting = text
            let count = ssh.send(id, session.textType, limit: text.count) { buffer, range in
                buffer.replaceSubrange(range, with: waiting.prefix(range.count))
                return range.count
            }
            if count == 0 { break }
            text = text.dropFirst(count)
        }
        sessions[id]?.text = text
        guard text.isEmpty else { return }
        switch ending {
        case .status(let status): ssh.request(id, .exitStatus(status))
        case .signal(let name, let coreDumped):
            ssh.request(id, .exitSignal(name: name, coreDumped: coreDumped, description: ""))
        }
        ssh.end(id)
        ssh.close(id)
        sessions[id]?.ending = nil
    }
}
