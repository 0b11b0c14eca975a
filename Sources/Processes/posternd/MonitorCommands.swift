import Linux
import MonitorProtocol
import Policy
import SSHKeys
import Sandbox

/// What a client asks to run: decided, started, signalled, ended and recorded.
extension Monitor {
    mutating func start(_ request: UInt32, _ program: FrontendMessage.Program, _ variables: [FrontendMessage.Variable]) {
        guard case .authenticated(let user, _) = progress else { preconditionFailure("the gate admits starts after authentication only") }
        // The next command of an open connection is decided by the policy then live (DESIGN §4.1).
        if let news = policy.refresh() { log.error(news) }
        let requestID = request == 0 ? connectionID : "\(connectionID).\(request)"
        do throws(Fault) {
            let admission: Admission
            switch try authority.admission(of: user.identity, policy) {
            case .success(let found): admission = found
            case .failure(let refusal):
                let text = "postern: your key is not listed here any more\n  request \(requestID)\n"
                let reason = if case .unknownKey = refusal { "key not listed any more" } else { "\(refusal)" }
                return refuse(request, requestID, program, reason: reason, text: text)
            }
            log.key = admission.key.name
            var session = Session(
                key: admission.key, login: user.login, peer: peer, local: local, now: Clock.unixSeconds, requestID: requestID,
                fingerprintText: user.identity.key.fingerprintText)
            session.forcedLine = admission.certificate?.forcedLine
            switch Decision.decide(program.request, environment: variables.compactMap(\.entry), in: session, commands: admission.commands) {
            case .print(let text, let status):
                if !auditAnswer(requestID, program, "help", []) { return refuseUnrecorded(request, requestID) }
                tell(.printed(request: request, toError: false, text: text, status: status))
            case .help(let page):
                if !auditAnswer(requestID, program, "help", []) { return refuseUnrecorded(request, requestID) }
                print(page, request, session)
            case .refuse(let refusal):
                refuse(request, requestID, program, reason: "\(refusal.reason)", text: refusal.text(for: session))
            case .run(let launch):
                if !auditDecision(requestID, program, "run", launch.auditMembers) { return refuseUnrecorded(request, requestID) }
                let hooks = [launch.command.drop?.verify, launch.command.drop?.onComplete].compactMap(\.self)
                var sandboxes: [Int: SandboxPlan] = [:]
                for hook in hooks { sandboxes[hook.sandbox] = try policy.sandbox(at: hook.sandbox) }
                run(launch, try policy.sandbox(of: launch.command), request, session)
                commands[request]?.drop?.sandboxes = sandboxes
            }
        } catch {
            log.error(error.text)
            let text = "postern: the policy cannot be read\n  request \(requestID)\n"
            tell(.printed(request: request, toError: true, text: text, status: ExitStatus.notStarted))
        }
    }

    private mutating func refuse(_ request: UInt32, _ requestID: String, _ program: FrontendMessage.Program, reason: String, text: String) {
        if !auditAnswer(requestID, program, "refuse", [.init("reason", .string(reason))]) { return refuseUnrecorded(request, requestID) }
        tell(.printed(request: request, toError: true, text: text, status: ExitStatus.refused))
    }

    /// What the policy's `log_failure` wants where a record cannot be written.
    private mutating func refuseUnrecorded(_ request: UInt32, _ requestID: String) {
        let text = "postern: nothing is started, as the gateway cannot write its log\n  request \(requestID)\n"
        tell(.printed(request: request, toError: true, text: text, status: ExitStatus.notStarted))
    }

    private mutating func run(_ launch: Launch, _ sandbox: SandboxPlan, _ request: UInt32, _ session: Session) {
        let command = launch.command
        do throws(StartFault) {
            guard commands.count + waiting.count < gateway.maxChannels else { throw StartFault("too many commands run at once", "") }
            if let lock = command.lock { return try queue(launch, sandbox, request, session, lock) }
            try start(launch, sandbox, request, session)
        } catch {
            auditFailure(error, command, session.requestID)
            tell(.printed(request: request, toError: true, text: error.text(command, session), status: error.status))
        }
    }

    /// - Parameter pipes: those that the client's streams are connected to already; nil: they are made.
    mutating func start(
        _ launch: Launch, _ sandbox: SandboxPlan, _ request: UInt32, _ session: Session, lock: CommandLock? = nil, waited: Duration = .zero,
        pipes: CommandStart.Pipes? = nil
    ) throws(StartFault) {
        let started = try CommandStart.start(launch, sandbox, requestID: session.requestID, asRoot: isRoot, pipes: pipes)
        commands[request] = RunningCommand(
            request: request, requestID: session.requestID, command: launch.command, process: started.process,
            temporaryDirectory: started.temporaryDirectory, started: Clock.monotonic, movedBefore: movedBytes,
            denials: started.denials, lock: lock, waited: waited,
            git: started.report.map { GitRun(report: $0, missing: launch.target?.missing.text(for: session) ?? "") }, outputs: started.keptOutputs, drop: started.drop)
        relays[request] = started.relay
        if pipes == nil { tell(.started(request: request), descriptors: started.streams) }
    }

    func auditFailure(_ fault: StartFault, _ command: Command, _ requestID: String) {
        log.audit(
            "failed",
            [
                .init("request", .string(requestID)), .init("command", .string(command.name)), .init("step", .string(fault.step)),
                .init("detail", .string(fault.detail)), .init("status", .integer(Int64(fault.status))),
            ])
    }

    // MARK: - While it runs

    /// Delivers a signal that the command lists; every other is passed over (RFC 4254 §6.9 wants no answer).
    func signal(_ request: UInt32, _ name: String) {
        guard let running = commands[request], running.command.signals.contains(name), let signal = Signal(name: name) else {
            return log.debug("signal \(JSONText.string(name)) is not among those that the client may send")
        }
        running.signalGroup(signal)
    }

    /// Nobody hears a command any more: it ends, or it goes on unheard.
    mutating func abandon(_ request: UInt32) {
        dropWaiting(request)
        dropHelp(request)
        guard var running = commands[request] else { return }
        if running.command.survivesDisconnect {
            running.isAbandoned = true
        } else {
            running.end(.disconnect, now: Clock.monotonic)
        }
        commands[request] = running
    }

    /// All commands are to end: the client has gone, or we are stopped.
    mutating func endCommands(_ cause: RunningCommand.Cause) {
        if cause == .stop { stopHooks() }
        for request in waiting.keys.sorted() { dropWaiting(request) }
        for request in helps.keys.sorted() { dropHelp(request) }
        for request in commands.keys.sorted() {
            guard cause == .stop else {
                abandon(request)
                continue
            }
            commands[request]?.end(cause, now: Clock.monotonic)
        }
    }

    /// Does what is due, and throws away the output that nobody hears.
    mutating func tickCommands() {
        tickWaiting()
        tickRelays()
        let now = Clock.monotonic
        for request in commands.keys.sorted() {
            commands[request]?.answerDenials()
            commands[request]?.tick(now: now)
            if commands[request]?.isAbandoned == true { commands[request]?.drain() }
        }
        tickDrops()
        tickListers()
    }

    /// Passes on what commands with an `output_limit` wrote, and ends those that wrote more.
    private mutating func tickRelays() {
        for request in relays.keys.sorted() {
            relays[request]?.move()
            if relays[request]?.isOver == true { commands[request]?.end(.output, now: Clock.monotonic) }
            if relays[request]?.isDone == true { relays[request] = nil }
        }
    }

    // MARK: - The end

    mutating func finish(_ running: RunningCommand, _ reaped: Exit) {
        takeReports(running.request, isLast: true)
        commands[running.request] = nil
        // Nobody waits for what it finds.
        for hook in hooks.values where hook.kind == .verify && hook.requestID == running.requestID { hook.kill() }
        var running = running
        if relays[running.request]?.settle() == true { running.wroteTooMuch() }
        let exit = running.process.ownExit(reaped)
        var (ending, note) = running.ending(exit)
        if let git = running.git {
            let (isMissing, updates) = git.read()
            if isMissing { note = git.missing }
            audit(updates, of: running)
        }
        auditEnd(running, exit, ending)
        tell(.exited(request: running.request, ending, note: note))
        sweep(after: running)
        remove(running.temporaryDirectory, for: running.command.account)
    }

    /// What a command without a pid namespace left behind is adopted by us. With no other command running there is no doubt whose it was;
    /// until then its lock is held.
    private mutating func sweep(after running: RunningCommand) {
        // In a control group there is no doubt either.
        let isClear = running.process.group?.end() == true
        if !hasNamespaces, !isClear, let lock = running.lock { locksOfStrays.append(lock) }
        guard commands.isEmpty, !hasNamespaces || running.isBeingEnded else { return }
        _ = killDescendants(sparing: spared)
        locksOfStrays = []
    }

    mutating func remove(_ directory: TemporaryDirectory, for account: Account) {
        do throws(Fault) {
            if let remover = try directory.remove(for: account, asRoot: isRoot) { removers[remover.pid] = directory }
        } catch {
            log.error(error.text)
        }
    }

    // MARK: - Records

    /// - Returns: false when it could not be written, and nothing may happen without.
    private func auditDecision(_ requestID: String, _ program: FrontendMessage.Program, _ verdict: String, _ more: [JSONText.Member]) -> Bool {
        guard case .authenticated(let user, _) = progress else { preconditionFailure("a decision for nobody") }
        let members: [JSONText.Member] = [
            .init("request", .string(requestID)), .init("login", .string(user.login)), .init("asked", program.auditText),
            .init("verdict", .string(verdict)),
        ]
        return log.audit("decision", members + more) || gateway.logFailure == .continue
    }

    /// As ``auditDecision``, for what starts nothing: of very many of these only the number is recorded.
    private mutating func auditAnswer(_ requestID: String, _ program: FrontendMessage.Program, _ verdict: String, _ more: [JSONText.Member]) -> Bool {
        guard refusals.admits(now: Clock.monotonic) else { return true }
        return auditDecision(requestID, program, verdict, more)
    }

    /// Records how many requests were not recorded one by one.
    mutating func summarizeRefusals() {
        guard let count = refusals.takePassedOver(now: Clock.monotonic) else { return }
        log.audit("suppressed", [.init("count", .integer(Int64(count)))])
    }

    private func auditEnd(_ running: RunningCommand, _ exit: Exit, _ ending: MonitorMessage.Ending) {
        var members: [JSONText.Member] = [
            .init("request", .string(running.requestID)), .init("command", .string(running.command.name)),
        ]
        switch ending {
        case .status(let status): members.append(.init("status", .integer(Int64(status))))
        case .signal(let name, _): members.append(.init("signal", .string(name)))
        }
        if running.lock != nil { members.append(.init("waited_ms", .integer(running.waited.milliseconds))) }
        if let cause = running.cause {
            members.append(.init("ended_by", .string("\(cause)")))
        } else if running.process.group?.hasRunOutOfMemory == true {
            members.append(.init("ended_by", "memory"))
        }
        members += [
            .init("duration_ms", .integer((Clock.monotonic - running.started).milliseconds)),
            .init("cpu_ms", .integer((exit.userTime + exit.systemTime).milliseconds)),
            .init("peak_memory_kib", .integer(Int64(exit.maxResident / 1024))),
            .init("bytes", .integer(Int64(clamping: max(movedBytes, running.movedBefore) - running.movedBefore))),
        ]
        if !running.denials.isEmpty { members.append(.init("denied", running.denials.auditText)) }
        log.audit("finished", members)
    }
}

extension Launch {
    fileprivate var auditMembers: [JSONText.Member] {
        [
            .init("command", .string(command.name)), .init("user", .string(command.account.name)),
            .init("argv", .array(argv.map { .string($0) })),
        ] + (target.map { [.init("repository", .string("\($0.name)"))] } ?? [])
    }
}

extension DenialLog {
    /// Each call with how often it was denied.
    fileprivate var auditText: JSONText {
        let listed = entries.map { JSONText.Member($0.name, .integer(Int64($0.count))) }
        return .object(listed + (unlisted > 0 ? [.init("others", .integer(Int64(unlisted)))] : []))
    }
}

extension FrontendMessage.Program {
    fileprivate var request: Request {
        switch self {
        case .exec(let line): .exec(line)
        case .shell: .shell
        case .subsystem(let name): .subsystem(name)
        }
    }

    fileprivate var auditText: JSONText {
        switch self {
        case .exec(let line): .bytes(line)
        case .shell: .string("(shell)")
        case .subsystem(let name): .string("(subsystem) \(name)")
        }
    }
}

extension FrontendMessage.Variable {
    /// Nil for a value that is not UTF-8: no pattern of a policy can match it.
    fileprivate var entry: EnvironmentEntry? {
        String(validating: value, as: UTF8.self).map { EnvironmentEntry(name: name, value: $0) }
    }
}
