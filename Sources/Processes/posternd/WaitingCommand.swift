import Linux
import MonitorProtocol
import Policy

/// A command whose client has its streams already, and which waits for a lock.
struct WaitingCommand {
    let launch: Launch
    let sandbox: SandboxPlan
    let session: Session
    let pipes: CommandStart.Pipes
    let lock: CommandLock
    let began: Duration
    /// How many the client was last told to be before it.
    private var told = 0
    /// How often it was told something: what a pipe takes without anybody reading it.
    private var tellings = 0
    /// When the queue is looked at again.
    private(set) var nextLook: Duration

    private static let pause: Duration = .milliseconds(100)
    private static let mostTellings = 100

    init(_ launch: Launch, _ sandbox: SandboxPlan, _ session: Session, _ pipes: CommandStart.Pipes, _ lock: CommandLock, before: Int) {
        self.launch = launch
        self.sandbox = sandbox
        self.session = session
        self.pipes = pipes
        self.lock = lock
        began = Clock.monotonic
        nextLook = began
        tell(before)
    }

    var isOverdue: Bool { Clock.monotonic - began >= launch.command.lockWait }

    /// - Returns: true when the lock is ours.
    mutating func look() throws(Errno) -> Bool {
        let before = try lock.advance()
        nextLook = min(Clock.monotonic + Self.pause, max(began + launch.command.lockWait, Clock.monotonic))
        if before == 0 { return true }
        tell(before)
        return false
    }

    private mutating func tell(_ before: Int) {
        guard before != told, tellings < Self.mostTellings else { return }
        told = before
        tellings += 1
        say("postern: \(launch.command.name) waits for the lock \"\(launch.command.lock ?? "")\": \(before) before you\n")
    }

    /// Writes to the client's standard error.
    func say(_ text: String) {
        // Where nobody reads it any more, nobody need know.
        do throws(Errno) { try pipes.ownError.writeAll(Array(text.utf8)) } catch {}
    }
}

extension Monitor {
    /// Starts a command that has a lock, now or when its turn comes.
    mutating func queue(_ launch: Launch, _ sandbox: SandboxPlan, _ request: UInt32, _ session: Session, _ name: String) throws(StartFault) {
        let (lock, before) = try locking { () throws(Errno) in
            let lock = try CommandLock(name, asRoot: isRoot)
            return (lock, try lock.advance())
        }
        if before == 0 { return try start(launch, sandbox, request, session, lock: lock) }
        guard launch.command.lockWait > .zero else { throw StartFault.busy(name) }
        let pipes = try CommandStart.Pipes.make(launch.command)
        waiting[request] = WaitingCommand(launch, sandbox, session, pipes, lock, before: before)
        tell(.started(request: request), descriptors: pipes.streams)
    }

    /// Looks after those that wait: each starts when its turn comes, or is told that it took too long.
    mutating func tickWaiting() {
        for request in waiting.keys.sorted() {
            guard var command = waiting[request], command.nextLook <= Clock.monotonic else { continue }
            do throws(StartFault) {
                let hasLock = try locking { () throws(Errno) in try command.look() }
                waiting[request] = command
                if hasLock {
                    waiting[request] = nil
                    try start(
                        command.launch, command.sandbox, request, command.session, lock: command.lock, waited: Clock.monotonic - command.began,
                        pipes: command.pipes)
                } else if command.isOverdue {
                    throw StartFault.busy(command.launch.command.lock ?? "")
                }
            } catch {
                waiting[request] = nil
                auditFailure(error, command.launch.command, command.session.requestID)
                command.say(error.text(command.launch.command, command.session))
                tell(.exited(request: request, .status(error.status), note: ""))
            }
        }
    }

    private func locking<Value>(_ body: () throws(Errno) -> Value) throws(StartFault) -> Value {
        do throws(Errno) { return try body() } catch { throw StartFault("lock", "\(error)") }
    }

    /// The client of one that waits has gone: nothing was started.
    mutating func dropWaiting(_ request: UInt32) {
        guard let command = waiting.removeValue(forKey: request) else { return }
        auditFailure(StartFault("lock", "the client has gone", status: ExitStatus.busy), command.launch.command, command.session.requestID)
    }
}

extension StartFault {
    static func busy(_ lock: String) -> StartFault {
        StartFault("another command has the lock \"\(lock)\"", "", status: ExitStatus.busy)
    }

    /// What the client sees.
    func text(_ command: Command, _ session: Session) -> String {
        refusal?.text(for: session) ?? "postern: \(command.name) could not be started: \(step)\n  request \(session.requestID)\n"
    }
}
