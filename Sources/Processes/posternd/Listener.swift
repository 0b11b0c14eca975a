import Linux
import Sandbox

/// Accepts connections and gives each to a freshly executed `posternd` of its own (DESIGN §6).
struct Listener {
    private let sockets: [Descriptor]
    private let arguments: [String]
    private let program: Descriptor
    private let null: Descriptor
    private let signals: SignalDescriptor
    private let log: Log
    private var connections: Set<Int32> = []
    private var poll = PollSet()

    /// At once; more wait in the kernel's queue.
    private static let mostConnections = 512

    init(_ options: Options, sockets inherited: [Descriptor], log: Log) throws(Fault) {
        self.log = log
        arguments = ["posternd"] + options.forOneConnection
        let trusted = Users.currentUID == 0 ? nil : Users.currentUID
        // What is wrong is said now, and not to the first client.
        try LivePolicy(options.policy, trusting: trusted).verify()
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
            let ready = try naming("poll", isTemporary: true) { () throws(Errno) in try poll.wait(timeout: nil) }
            for one in ready where one.token >= 0 { accept(from: sockets[one.token]) }
            if try takeSignals() { return }
        }
    }

    private mutating func accept(from socket: Descriptor) {
        do throws(Errno) {
            while connections.count < Self.mostConnections, let connection = try socket.accept() { serve(connection) }
        } catch {
            // A client that gave up, or no descriptor left: the next turn tries again.
            log.error("accept: \(error)")
        }
    }

    private mutating func serve(_ connection: Descriptor) {
        var plan = ProcessPlan(
            program: .descriptor(program), arguments: arguments, environment: swiftEnvironment, input: connection, output: null, error: .standardError)
        // As a session of its own a connection does not hear the terminal's ^C: it ends when we have ended.
        plan.parentDeathSignal = .terminate
        plan.keepsPrivileges = true
        do throws(LaunchError) {
            connections.insert(try launch(plan).pid)
        } catch {
            log.error("a connection could not be served: \(error)")
        }
    }

    /// - Returns: true when it is time to stop.
    private mutating func takeSignals() throws(Fault) -> Bool {
        var mustStop = false
        try naming("signals", isTemporary: true) { () throws(Errno) in
            while let signal = try signals.next() {
                if signal == .terminate || signal == .interrupt { mustStop = true }
            }
            while let reaped = try reapAny() { connections.remove(reaped.pid) }
        }
        return mustStop
    }
}
