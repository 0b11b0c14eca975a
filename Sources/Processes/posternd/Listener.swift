import Arrivals
import Linux
import Policy
import Sandbox
import Sodium

/// Accepts connections and gives each to a freshly executed `posternd` of its own (DESIGN §6).
struct Listener {
    private let sockets: [Descriptor]
    private let arguments: [String]
    private let program: Descriptor
    private let null: Descriptor
    private let signals: SignalDescriptor
    private let log: Log
    private let software: String
    private let policy: LivePolicy
    /// Nil where nothing can be written down: then there are no limits.
    private let table: ArrivalTable?
    /// The processes that serve connections, and the place of each.
    private var connections: [Int32: ArrivalTable.Claim?] = [:]
    /// Clients that were turned away and have not gone yet, with their time.
    private var leaving: [(connection: Descriptor, until: Duration)] = []
    private var poll = PollSet()

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
        arguments = ["posternd"] + options.forOneConnection
        let trusted = Users.currentUID == 0 ? nil : Users.currentUID
        // What is wrong is said now, and not to the first client.
        policy = try LivePolicy(options.policy, trusting: trusted)
        try policy.verify()
        _ = try policy.gateway()
        table = Arrival.openTable(options, log)
        for remark in try HostKeys(options.hostKeys, trusting: trusted).remarks { log.error(remark) }
        program = try naming("own program") { () throws(Errno) in try openFile("/proc/self/exe", .pathOnly) }
        null = try naming("/dev/null") { () throws(Errno) in try openFile("/dev/null", .readWrite) }
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

    /// Accepts until it is told to stop; connections end with it.
    mutating func run() throws(Fault) {
        while true {
            poll.removeAll()
            poll.add(signals.descriptor, .readable, token: -1)
            if connections.count < Self.mostConnections {
                for (index, socket) in sockets.enumerated() { poll.add(socket, .readable, token: index) }
            }
            for one in leaving { poll.add(one.connection, .readable, token: Self.leavingToken) }
            let timeout = leaving.map(\.until).min().map { $0 - Clock.monotonic }
            let ready = try naming("poll", isTemporary: true) { () throws(Errno) in try poll.wait(timeout: timeout) }
            for one in ready where one.token >= 0 { accept(from: sockets[one.token]) }
            removeGone()
            if try takeSignals() { return }
        }
    }

    private static let leavingToken = -2

    private mutating func accept(from socket: Descriptor) {
        do throws(Errno) {
            for _ in 0..<Self.mostATurn where connections.count < Self.mostConnections {
                guard let connection = try socket.accept() else { return }
                meet(connection)
            }
        } catch {
            // A client that gave up, or no descriptor left: the next turn tries again.
            log.error("accept: \(error)")
        }
    }

    /// Lets a connection in, or turns it away: before a process is started for it.
    private mutating func meet(_ connection: Descriptor) {
        guard let table else { return serve(connection, nil) }
        if let news = policy.refresh() { log.error(news) }
        let answer: Result<ArrivalTable.Claim, ArrivalTable.TurnedAway>
        defer { (log.connection, log.peer) = ("", "") }
        do {
            let gateway = try policy.gateway()
            log.peer = try connection.peerAddress().host
            answer = try table.enter(Arrival.source(log.peer, gateway), gateway, offering: true)
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
        var plan = ProcessPlan(
            program: .descriptor(program), arguments: arguments + (claim.map { ["--arrival", $0.text] } ?? []), environment: swiftEnvironment, input: connection, output: null, error: .standardError)
        // As a session of its own a connection does not hear the terminal's ^C: it ends when we have ended.
        plan.parentDeathSignal = .terminate
        plan.keepsPrivileges = true
        do throws(LaunchError) {
            connections[try launch(plan).pid] = .some(claim)
        } catch {
            log.error("a connection could not be served: \(error)")
            leave(claim)
        }
    }

    /// Frees the place of a process that did not do so itself.
    private func leave(_ claim: ArrivalTable.Claim?) {
        guard let table, let claim else { return }
        // It is found to be nobody's later.
        do { try table.leave(claim, nil, try policy.gateway()) } catch {}
    }

    /// - Returns: true when it is time to stop.
    private mutating func takeSignals() throws(Fault) -> Bool {
        var mustStop = false
        try naming("signals", isTemporary: true) { () throws(Errno) in
            while let signal = try signals.next() {
                if signal == .terminate || signal == .interrupt { mustStop = true }
                if signal == .hangUp { log.reopen() }
            }
            while let reaped = try reapAny() {
                if let claim = connections.removeValue(forKey: reaped.pid) { leave(claim) }
            }
        }
        return mustStop
    }
}
