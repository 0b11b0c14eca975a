import Arrivals
import Linux
import MonitorProtocol
import Policy
import SSHKeys
import SSHWire
import Sandbox
import Sodium

/// Serves one connection: it holds the host key and the policy, decides, and starts commands (DESIGN §6). It reads no byte of the peer;
/// what the frontend sends it distrusts.
struct Monitor {
    /// How far the connection has come; a later step knows what the earlier ones found.
    enum Progress {
        case beforeKeys
        case beforeAuthentication(SessionProof)
        case authenticated(ProvenUser, SessionProof)
    }

    let isRoot: Bool
    /// Commands have pid namespaces, and nothing of theirs outlives them.
    let hasNamespaces = HostSupport.hasNamespaces
    let arrival: Arrival
    var local: Session.Endpoint { arrival.local }
    var peer: Session.Endpoint { arrival.peer }
    var connectionID: String { arrival.connectionID }
    var gateway: Gateway { arrival.gateway }
    var policy: LivePolicy { arrival.policy }
    private let hostKeys: HostKeys
    let authority: Authority
    private let connection: Descriptor
    private let signals: SignalDescriptor
    let started: Duration
    let log: Log
    /// At most some of what is refused is recorded one by one.
    var refusals = RefusalRate()
    var progress = Progress.beforeKeys
    private var gate = RequestGate()
    /// Nil once it has gone.
    private var frontend: FrontendProcess?
    private var frontendPID: Int32
    var commands: [UInt32: RunningCommand] = [:]
    /// Programs that look at files of drop accounts, by process.
    var hooks: [Int32: HookProcess] = [:]
    /// Files that are there, and whose `on_complete` is still to be started.
    var completions: [Completion] = []
    var hookCount = 0
    var waiting: [UInt32: WaitingCommand] = [:]
    /// Of commands with an `output_limit`, until all they wrote was passed on.
    var relays: [UInt32: OutputRelay] = [:]
    /// Of commands that have ended, and may have left processes behind.
    var locksOfStrays: [CommandLock] = []
    /// Help that is not complete yet.
    var helps: [UInt32: WaitingHelp] = [:]
    /// Those that look for repositories, by process.
    var listers: [Int32: RepositoryLister] = [:]
    /// Processes that remove temporary directories.
    var removers: [Int32: TemporaryDirectory] = [:]
    private var farewell = "the connection was lost"
    /// For those who ask what this session does; nil before somebody has logged in, and where none can be made.
    private var socket: SessionSocket?
    private let stateDirectory: String
    /// Until when commands may go on after we were told to stop.
    private var drainDeadline: Duration?
    private(set) var isDraining = false
    /// Nothing is to be started any more.
    private(set) var isStopped = false
    /// False when the peer or the frontend broke a rule.
    private(set) var endedWell = true
    /// Its frontend broke a rule, or crashed.
    private var hasMisbehaved = false
    /// A key was tried that may not enter.
    private var hasFailed = false
    private var poll = PollSet()

    /// How much later than the frontend should we end a connection without a user.
    private static let graceOfFrontend: Duration = .seconds(3)

    /// A frontend that talks without end does not keep us from the rest.
    private static let mostRequestsATurn = 64

    /// Takes over a connection that was greeted.
    init(_ options: Options, _ arrival: Arrival, _ prepared: Preparation) throws(Fault) {
        isRoot = prepared.isRoot
        self.arrival = arrival
        connection = arrival.connection
        stateDirectory = options.state
        log = arrival.log
        started = arrival.time
        hostKeys = prepared.hostKeys
        authority = Authority(peerHost: arrival.peer.host)
        signals = prepared.signals
        frontendPID = prepared.frontend.process.pid
        frontend = prepared.frontend
        try naming("connection", isTemporary: true) { () throws(Errno) in try connection.setNonBlocking() }
    }

    // MARK: - The loop

    /// Serves the connection, and what outlives it, to the end.
    mutating func run() throws(Fault) {
        let proxy = arrival.proxy.map { [JSONText.Member("proxy", .string($0))] } ?? []
        log.audit("connect", [.init("local", .string("\(local.host):\(local.port)"))] + proxy)
        tell(.begin(settings), descriptors: [connection])
        while frontend != nil { turn() }
        arrival.isOver(offence)
        endCommands(.disconnect)
        while !commands.isEmpty || !hooks.isEmpty || !completions.isEmpty || !listers.isEmpty { outlive() }
        _ = killDescendants(sparing: Set(removers.keys))
        while !removers.isEmpty { outlive() }
        socket?.remove()
        summarizeRefusals()
        log.audit(
            "disconnect",
            [
                .init("reason", .string(farewell)), .init("duration_ms", .integer((Clock.monotonic - started).milliseconds)),
                .init("bytes", .integer(Int64(clamping: movedBytes))),
            ])
        log.close()
        if log.lost > 0 { endedWell = false }
    }

    /// What the connection did wrong, for the limits on its source.
    private var offence: Offence? {
        if hasMisbehaved { return .violation }
        if case .authenticated = progress { return nil }
        if started + gateway.loginGrace <= Clock.monotonic { return .slow }
        return hasFailed ? .failed : .silent
    }

    /// Over the connection, both ways, as the kernel counts.
    var movedBytes: UInt64 { connection.movedBytes ?? 0 }

    private var settings: MonitorMessage.Settings {
        MonitorMessage.Settings(
            identification: arrival.identification, hostKeyAlgorithms: hostKeys.algorithms, hostKeys: hostKeys.blobs,
            postQuantumOnly: gateway.keyExchange == .postQuantum, banner: gateway.banner,
            loginGraceSeconds: UInt32(clamping: gateway.loginGrace.components.seconds),
            idleSeconds: UInt32(clamping: gateway.idleTimeout.components.seconds),
            keepaliveSeconds: UInt32(clamping: gateway.keepalive.components.seconds), mostChannels: UInt32(gateway.maxChannels),
            rekeyBytes: gateway.rekeyBytes, rekeySeconds: UInt32(clamping: gateway.rekeyTime.components.seconds))
    }

    /// Children that are ours: a sweep leaves them alone.
    var spared: Set<Int32> {
        var pids = Set(removers.keys).union(commands.values.map(\.process.pid)).union(hooks.keys).union(listers.keys)
        if let frontend { pids.insert(frontend.process.pid) }
        return pids
    }

    var isClientGone: Bool { frontend == nil }

    /// One turn while the frontend is there.
    private mutating func turn() {
        poll.removeAll()
        if let frontend { poll.add(frontend.channel, .readable, token: 0) }
        wait()
        takeSignals()
        do throws(Violation) {
            for _ in 0..<Self.mostRequestsATurn {
                guard let request = try frontend?.receive() else { break }
                try handle(request)
            }
            if let loginDeadline, loginDeadline <= Clock.monotonic { throw .slow }
        } catch {
            end(error)
        }
        tickCommands()
        tickDeadlines()
    }

    /// Until when somebody must be authenticated. The frontend ends the connection earlier, by the policy's grace: one that does not is broken.
    private var loginDeadline: Duration? {
        if case .authenticated = progress { return nil }
        return frontend == nil ? nil : started + gateway.loginGrace + Self.graceOfFrontend
    }

    /// One turn while commands outlive the connection, or are being ended.
    private mutating func outlive() {
        poll.removeAll()
        wait()
        takeSignals()
        tickCommands()
        tickDeadlines()
    }

    /// Waits for what was added, for signals, for the output of abandoned commands, and for the next deadline.
    private mutating func wait() {
        poll.add(signals.descriptor, .readable, token: 0)
        if let socket { poll.add(socket.descriptor, .readable, token: 0) }
        for command in commands.values where command.isAbandoned {
            for output in command.outputs { poll.add(output, .readable, token: 0) }
        }
        for relay in relays.values { relay.wait(in: &poll) }
        for listener in commands.values.compactMap(\.denials.listener) { poll.add(listener, .readable, token: 0) }
        let reports = takesReports ? commands.values.compactMap(\.drop?.channel) : []
        for descriptor in reports + hooks.values.flatMap(\.waitsFor) + listers.values.flatMap(\.waitsFor) {
            poll.add(descriptor, .readable, token: 0)
        }
        let deadline = (hooks.values.compactMap(\.deadline) + listers.values.compactMap(\.deadline) + commands.values.compactMap(\.deadline) + waiting.values.map(\.nextLook) + [loginDeadline, refusals.deadline, drainDeadline].compactMap { $0 }).min()
        do throws(Errno) {
            _ = try poll.wait(timeout: deadline.map { $0 - Clock.monotonic })
        } catch {
            preconditionFailure("ppoll: \(error)")
        }
        socket?.answer { status }
    }

    private mutating func takeSignals() {
        do throws(Errno) {
            while let signal = try signals.next() {
                switch signal {
                case .child: break
                case .hangUp:
                    log.reopen()
                    if let news = policy.refresh() { log.error(news) }
                case .terminate where !isDraining && gateway.drain > .zero: drain()
                default: stop("stopped by \(signal)")
                }
            }
            while let reaped = try reapAny() { handle(reaped) }
        } catch {
            preconditionFailure("signals: \(error)")
        }
    }

    /// What runs may go on for a while; then, or when nothing does, it is over.
    private mutating func drain() {
        log.info("draining: what runs may go on for \(gateway.drain)")
        isDraining = true
        drainDeadline = Clock.monotonic + gateway.drain
        tell(.stop)
    }

    /// All that ``wait()`` wakes for and no command does: what is not seen to here would wake it again at once.
    private mutating func tickDeadlines() {
        if let deadline = refusals.deadline, deadline <= Clock.monotonic { summarizeRefusals() }
        guard let drainDeadline, drainDeadline <= Clock.monotonic else { return }
        self.drainDeadline = nil
        stop("stopped after \(gateway.drain) of draining")
    }

    private mutating func stop(_ why: String) {
        farewell = why
        isStopped = true
        endCommands(.stop)
        end(.gone)
    }

    private mutating func handle(_ reaped: Reaped) {
        if let directory = removers.removeValue(forKey: reaped.pid) {
            do throws(Errno) { try removeDirectory(directory.path) } catch .notFound {} catch {
                log.error("directory \"\(directory.path)\" could not be removed: \(error)")
            }
        } else if let hook = hooks.removeValue(forKey: reaped.pid) {
            finish(hook, reaped.exit)
        } else if let lister = listers.removeValue(forKey: reaped.pid) {
            finish(lister, reaped.exit)
        } else if let command = commands.values.first(where: { $0.process.pid == reaped.pid }) {
            finish(command, reaped.exit)
        } else if reaped.pid == frontendPID, case .signaled(let signal, _) = reaped.exit.status, frontend != nil {
            noteCrash(signal)
        }
    }

    private mutating func noteCrash(_ signal: Signal) {
        log.error("the frontend was ended by \(signal)")
        hasMisbehaved = true
    }

    // MARK: - The frontend's requests

    private mutating func handle(_ request: FrontendMessage) throws(Violation) {
        do throws(GateError) {
            try gate.admit(request, age: Clock.monotonic - started, movedBytes: connection.movedBytes)
        } catch {
            throw .gate(error)
        }
        switch request {
        case .sign(let record): try sign(record)
        case .probe(let credential): probe(credential)
        case .authenticate(let credential, let signature): authenticate(credential, signature)
        case .start(let number, let program, let environment): start(number, program, environment)
        case .signal(let number, let name): signal(number, name)
        case .closed(let number): abandon(number)
        case .prove(let blobs): prove(blobs)
        case .farewell(let text): farewell = text
        case .fault(let text):
            farewell = text
            endedWell = false
        }
    }

    /// Signs a key exchange: the host key and our own identification are put in here, so the frontend cannot have anything else signed.
    private mutating func sign(_ record: FrontendMessage.KeyExchangeRecord) throws(Violation) {
        guard let method = KeyExchangeMethod(rawValue: record.method), method.isPostQuantum || gateway.keyExchange == .any else {
            throw .unknownMethod(record.method)
        }
        guard let (key, blob) = hostKeys.signer(for: record.hostKeyAlgorithm) else { throw .unknownHostKey(record.hostKeyAlgorithm) }
        let exchangeHash = ExchangeHash(
            clientVersion: Array(record.clientVersion.utf8), serverVersion: Array(arrival.identification.utf8),
            clientKexInit: record.clientKexInit, serverKexInit: record.serverKexInit, hostKey: blob,
            clientShare: record.clientShare, serverShare: record.serverShare, sharedSecret: SecretBytes(copying: record.sharedSecret),
            hash: method.hash
        ).value
        if case .beforeKeys = progress {
            progress = .beforeAuthentication(SessionProof(identifier: exchangeHash, hostKey: blob))
            log.debug("client \(JSONText.string(record.clientVersion)), key exchange \(JSONText.string(record.method))")
        }
        tell(.signed(hostKey: blob, signature: key.sign(exchangeHash)))
    }

    /// Proves to the client that we have the other host keys that it was told of (OpenSSH PROTOCOL §2.5). What is signed is composed here.
    private mutating func prove(_ blobs: [[UInt8]]) {
        guard case .authenticated(_, let session) = progress else { preconditionFailure("the gate admits proofs after authentication only") }
        tell(.proved(signatures: hostKeys.proofs(of: blobs, sessionIdentifier: session.identifier)))
    }

    private mutating func probe(_ credential: FrontendMessage.Credential) {
        guard case .beforeAuthentication(let session) = progress else { preconditionFailure("the gate admits probes before authentication") }
        let answer = decidingEntry { (monitor) throws(Fault) in try monitor.authority.probe(credential, session, monitor.policy) }
        switch answer {
        case .success: tell(.probed(true))
        case .failure(let refusal):
            auditAuthentication(credential, refused: refusal.description, stage: "probe")
            tell(.probed(false))
        }
    }

    private mutating func authenticate(_ credential: FrontendMessage.Credential, _ signature: [UInt8]) {
        guard case .beforeAuthentication(let session) = progress else { preconditionFailure("the gate admits one authentication") }
        let answer = decidingEntry { (monitor) throws(Fault) in
            try monitor.authority.authenticate(credential, signature: signature, session, monitor.policy)
        }
        switch answer {
        case .success(let user):
            log.key = user.keyName
            var members: [JSONText.Member] = [
                .init("result", "granted"), .init("login", .string(user.login)),
                .init("fingerprint", .string(user.identity.key.fingerprintText)),
            ]
            if let vouched = user.admission.certificate {
                // As text: a reader of JSON may keep fewer than 64 bits of a number.
                members += [.init("authority", .string(vouched.authority)), .init("serial", .string("\(vouched.serial)"))]
            }
            guard log.audit("authentication", members) || gateway.logFailure == .continue else {
                log.key = ""
                return tell(.authenticated(false))
            }
            gate.userIsAuthenticated()
            progress = .authenticated(user, session)
            arrival.hasLoggedIn()
            tell(.authenticated(true))
            openSocket()
        case .failure(let refusal):
            auditAuthentication(credential, refused: refusal.description, stage: "signature")
            tell(.authenticated(false))
        }
    }

    private mutating func openSocket() {
        do throws(Errno) {
            socket = try SessionSocket(in: stateDirectory, connectionID: connectionID)
        } catch {
            log.error("\"postern status\" will not show this session: \(error)")
        }
    }

    /// A policy that cannot be read lets nobody in; the log says why.
    private func decidingEntry<Value>(
        _ decide: (Monitor) throws(Fault) -> Result<Value, Authority.Refusal>
    ) -> Result<Value, Authority.Refusal> {
        do throws(Fault) {
            return try decide(self)
        } catch {
            log.error(error.text)
            return .failure(.unknownKey)
        }
    }

    private mutating func auditAuthentication(_ credential: FrontendMessage.Credential, refused reason: String, stage: String) {
        hasFailed = true
        log.audit(
            "authentication",
            [
                .init("result", "refused"), .init("stage", .string(stage)), .init("reason", .string(reason)),
                .init("login", .string(credential.user)), .init("algorithm", .string(credential.algorithm)),
                .init("fingerprint", .string(PublicKey.fingerprintText(PublicKey.fingerprint(ofBlob: credential.key)))),
            ])
    }

    /// Tells the frontend, while it is there.
    mutating func tell(_ message: MonitorMessage, descriptors: [Descriptor] = []) {
        var message = message
        if case .printed(let request, _, let text, _) = message, text.utf8.count > MonitorMessage.longestText {
            // Half of it could be taken for all.
            let text = "postern: the answer has \(text.utf8.count) bytes, and \(MonitorMessage.longestText) is the most\n"
            message = .printed(request: request, toError: true, text: text, status: ExitStatus.notStarted)
        }
        do throws(Violation) {
            try frontend?.send(message, descriptors: descriptors)
        } catch {
            end(error)
        }
    }

    /// Ends the frontend. A fault across a privilege boundary is recorded; that it has gone is none.
    private mutating func end(_ violation: Violation) {
        if case .gone = violation {} else {
            log.audit("violation", [.init("reason", .string(violation.description))])
            log.error("ended the frontend: \(violation)")
            farewell = "violation"
            endedWell = false
            hasMisbehaved = true
        }
        guard let ended = frontend else { return }
        frontend = nil
        do throws(Errno) {
            // One that hangs is killed. Its end comes at once, and a sweep need not look for it.
            try ended.process.sendSignal(.kill)
            if case .signaled(let signal, _) = try ended.process.waitUntilExit().status, signal != .kill { noteCrash(signal) }
        } catch {
            // It has gone, and was reaped.
        }
    }
}
