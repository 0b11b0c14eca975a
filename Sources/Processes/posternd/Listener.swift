import Arrivals
import Linux
import Policy
import Sodium

/// Accepts connections and gives each to a freshly executed `posternd` of its own (DESIGN §6).
struct Listener {
    private var sockets: [Descriptor]
    private let waitsForConnections: Bool
    private let signals: SignalDescriptor
    private let log: Log
    private let software: String
    private let policy: LivePolicy
    /// Nil where nothing can be written down: then there are no limits.
    private let table: ArrivalTable?
    private let manager = ServiceManager.takeInherited()
    /// The processes that serve connections, and the place of each.
    private var connections: [Int32: ArrivalTable.Claim?] = [:]
    private var pairs: WaitingPairs
    /// Clients that were turned away and have not gone yet, with their time.
    private var leaving: [(connection: Descriptor, until: Duration)] = []
    private var poll = PollSet()
    /// Until then none are accepted, as that has failed.
    private var restsUntil = Duration.zero
    /// Until when connections may go on after we were told to stop.
    private var stopDeadline: Duration?

    /// How much longer than the policy says connections may take to end.
    private static let patience: Duration = .seconds(10)
    /// Processes at once; what comes then waits in the kernel's queue. More than the table has places for.
    private static let mostConnections = 1024
    /// Connections that are accepted before there is another look at signals.
    private static let mostATurn = 64
    /// Clients that are given a moment to go; more are hung up on at once.
    private static let mostLeaving = 128

    init(_ options: Options, sockets inherited: [Descriptor], log: Log, software: String) throws(Fault) {
        Sodium.initialize()
        self.log = log
        self.software = software
        waitsForConnections = options.waitsForConnections
        let trusted = Users.currentUID == 0 ? nil : Users.currentUID
        // What is wrong is said now, and not to the first client.
        policy = try LivePolicy(options.policy, trusting: trusted)
        try policy.verify()
        _ = try policy.gateway()
        table = Arrival.openTable(options, log)
        Preparation.enterGroup(log)
        for remark in try HostKeys(options.hostKeys, trusting: trusted).remarks { log.error(remark) }
        pairs = try WaitingPairs(options, log)
        var sockets = inherited
        for address in options.listen {
            sockets.append(try naming("listen on \(address)", isTemporary: true) { () throws(Errno) in try Descriptor.listen(on: address) })
        }
        self.sockets = sockets
        signals = try naming("signals", isTemporary: true) { () throws(Errno) in
            try SignalDescriptor([.child, .terminate, .interrupt, .hangUp])
        }
        for socket in sockets {
            let address = try naming("listening socket") { () throws(Errno) in
                try socket.setNonBlocking()
                return try socket.localAddress()
            }
            log.info("listening on \(address)")
        }
    }

    /// Accepts until it is told to stop, and then waits until the connections have ended.
    mutating func run() throws(Fault) {
        tell(.ready)
        while stopDeadline.map({ $0 > Clock.monotonic && !(connections.isEmpty && pairs.isEmpty) }) ?? true {
            pairs.tick()
            poll.removeAll()
            poll.add(signals.descriptor, .readable, token: -1)
            if connections.count < Self.mostConnections, restsUntil <= Clock.monotonic {
                for (index, socket) in sockets.enumerated() { poll.add(socket, .readable, token: index) }
            }
            for one in leaving { poll.add(one.connection, .readable, token: Self.leavingToken) }
            let rest = restsUntil > Clock.monotonic ? restsUntil : nil
            let deadline = (leaving.map(\.until) + [stopDeadline, pairs.deadline, rest].compactMap(\.self)).min()
            let timeout = deadline.map { $0 - Clock.monotonic }
            let ready = try naming("poll", isTemporary: true) { () throws(Errno) in try poll.wait(timeout: timeout) }
            for one in ready where one.token >= 0 { accept(from: sockets[one.token]) }
            removeGone()
            try takeSignals()
        }
    }

    private static let leavingToken = -2
    private static let rest: Duration = .milliseconds(100)

    private mutating func accept(from socket: Descriptor) {
        do throws(Errno) {
            for _ in 0..<Self.mostATurn where connections.count < Self.mostConnections {
                guard let connection = try socket.accept() else { return }
                meet(connection)
            }
        } catch {
            // A client that gave up: the next turn tries again. Where there is no descriptor left it would do so without end.
            log.error("accept: \(error)")
            if error != .connectionAborted { restsUntil = Clock.monotonic + Self.rest }
        }
    }

    /// Lets a connection in, or turns it away: before a process is started for it.
    private mutating func meet(_ connection: Descriptor) {
        guard let table else { return serve(connection, nil) }
        if let news = policy.refresh(verifying: true) { log.error(news) }
        let answer: Result<ArrivalTable.Claim, ArrivalTable.TurnedAway>
        defer { (log.connection, log.peer) = ("", "") }
        do {
            let gateway = try policy.gateway()
            log.peer = try connection.peerAddress().host
            answer = try table.enter(Arrival.source(log.peer, gateway), gateway, offering: true)
        } catch let error as Errno where error == .notConnected {
            // It has gone already: nobody is there to be served, and nobody knows any more who it was.
            return
        } catch {
            // It looks for a place itself, and says what is wrong.
            return serve(connection, nil)
        }
        switch answer {
        case .success(let claim): serve(connection, claim)
        case .failure(let turnedAway):
            log.connection = Arrival.randomID()
            log.turnedAway("\(turnedAway.refusal)", turnedAway.count)
            connection.turnAway("\(turnedAway.refusal)", identification: Arrival.identification(software, log.connection))
            if leaving.count < Self.mostLeaving { leaving.append((connection, Clock.monotonic + lingering)) }
        }
    }

    private mutating func removeGone() {
        let now = Clock.monotonic
        leaving.removeAll { one in
            if one.until <= now { return true }
            do throws(Errno) { return try one.connection.isFinished() } catch { return true }
        }
    }

    private mutating func serve(_ connection: Descriptor, _ claim: ArrivalTable.Claim?) {
        do throws(Fault) {
            connections[try pairs.take(HandOver(connection, claim, policy.descriptor))] = .some(claim)
        } catch {
            log.error("a connection could not be served: \(error.text)")
            leave(claim)
        }
    }

    /// Frees the place of a process that did not do so itself.
    private func leave(_ claim: ArrivalTable.Claim?) {
        guard let table, let claim else { return }
        // It is found to be nobody's later.
        do { try table.leave(claim, nil, try policy.gateway()) } catch {}
    }

    private mutating func takeSignals() throws(Fault) {
        var came: [Signal] = []
        try naming("signals", isTemporary: true) { () throws(Errno) in
            while let signal = try signals.next() { came.append(signal) }
            while let reaped = try reapAny() {
                if let claim = connections.removeValue(forKey: reaped.pid) { leave(claim) } else { pairs.remove(reaped.pid) }
            }
        }
        for signal in came {
            switch signal {
            case .hangUp: reload()
            case .terminate where stopDeadline == nil: stop(.terminate)
            case .terminate, .interrupt: stop(.interrupt)
            default: break
            }
        }
    }

    /// Takes up the policy at once, and the host keys. Connections look at the policy before each command; they reopen their log.
    private mutating func reload() {
        tell(.reloading)
        defer { tell(.ready) }
        log.reopen()
        if stopDeadline == nil { pairs.renew() }
        if let news = policy.refresh(verifying: true, again: true) { log.error(news) }
        tellConnections(.hangUp)
    }

    /// Accepts no more. Connections end when nothing runs on them, or at once when they are interrupted.
    private mutating func stop(_ signal: Signal) {
        tell(.stopping)
        sockets.removeAll()
        pairs.dismiss()
        guard waitsForConnections || signal == .interrupt else {
            log.info("stopping: \(connections.count) connections drain by themselves")
            // Our end tells them to.
            stopDeadline = .zero
            return
        }
        var drain: Duration = .zero
        if signal == .terminate { do throws(Fault) { drain = try policy.gateway().drain } catch { log.error(error.text) } }
        stopDeadline = Clock.monotonic + drain + Self.patience
        log.info("stopping: \(connections.count) connections, which may go on for \(drain)")
        tellConnections(signal)
    }

    /// A service manager that does not hear us may end us some day: the log has the reason.
    private func tell(_ state: ServiceManager.State) {
        do throws(Errno) { try manager.tell(state) } catch { log.error("service manager: \(error)") }
    }

    private func tellConnections(_ signal: Signal) {
        for pid in connections.keys {
            // One that has ended is reaped next.
            do throws(Errno) { try sendSignal(signal, toChild: pid) } catch {}
        }
    }
}
