import Linux
import MonitorProtocol
import Policy
import Sandbox

/// A command that was started, until its last process has gone and its record is written.
struct RunningCommand {
    /// Why it is being ended by us.
    enum Cause: Equatable {
        case timeout
        /// It wrote more than its `output_limit`.
        case output
        case disconnect
        case stop
        /// It made a call that no harmless program makes.
        case denied
    }

    enum Stage: Equatable {
        case running
        /// Asked to end; killed at that time.
        case ending(Cause, killAt: Duration)
        case killed(Cause)
    }

    let request: UInt32
    let requestID: String
    let command: Command
    let process: ChildProcess
    let temporaryDirectory: TemporaryDirectory
    let started: Duration
    /// What the connection had moved before, in bytes.
    let movedBefore: UInt64
    /// The system calls that its sandbox denied it.
    var denials: DenialLog
    /// Held until the last process of it has gone.
    var lock: CommandLock?
    /// How long it waited for the lock.
    var waited: Duration = .zero
    /// Of git in a repository.
    var git: GitRun?
    var stage = Stage.running
    /// Its output streams, kept for a command that outlives its client.
    var outputs: [Descriptor]
    /// The client has gone: its output is read and thrown away.
    var isAbandoned = false
    /// Of a drop account, as long as its `postern-files` reports.
    var drop: DropSession?

    /// Between TERM and KILL after a timeout.
    private static let grace: Duration = .seconds(2)
    /// The same after the client has gone: all is over within a second (DESIGN §4.1).
    private static let shortGrace: Duration = .milliseconds(600)

    /// When something is due.
    var deadline: Duration? {
        switch stage {
        case .running: command.timeout.map { started + $0 }
        case .ending(_, let killAt): killAt
        case .killed: nil
        }
    }

    /// Asks it to end, and makes it end a little later.
    mutating func end(_ cause: Cause, now: Duration) {
        guard stage == .running else { return }
        stage = .ending(cause, killAt: now + (cause == .timeout || cause == .output ? Self.grace : Self.shortGrace))
        signalGroup(.terminate)
        signalGroup(.continue)
    }

    /// Does what is due: a timeout begins, a grace is over.
    mutating func tick(now: Duration) {
        guard let deadline, deadline <= now else { return }
        switch stage {
        case .running: end(.timeout, now: now)
        case .ending(let cause, _): kill(cause)
        case .killed: break
        }
    }

    /// It has ended, and left more output than it may.
    mutating func wroteTooMuch() {
        if stage == .running { stage = .killed(.output) }
    }

    private mutating func kill(_ cause: Cause) {
        stage = .killed(cause)
        killTree(process)
        signalGroup(.kill)
    }

    /// Answers the denied calls that wait; one of the worst ends the command.
    mutating func answerDenials() {
        denials.answer()
        if denials.deadly != nil, cause != .denied { kill(.denied) }
    }

    /// What the client is told of the end: the exit status, and a line for standard error where it was not the command's own.
    func ending(_ exit: Exit) -> (MonitorMessage.Ending, note: String) {
        switch (stage, exit.status) {
        case (.ending(.timeout, _), _), (.killed(.timeout), _):
            (.status(ExitStatus.timedOut), "postern: \(command.name) was stopped: it ran longer than \(command.timeout?.text ?? "allowed")\n")
        case (.ending(.output, _), _), (.killed(.output), _):
            (.status(ExitStatus.wroteTooMuch), "postern: \(command.name) was stopped: it wrote more than \(Self.text(bytes: command.outputLimit ?? 0))\n")
        case (_, .signaled(.kill, _)) where cause == nil && process.group?.hasRunOutOfMemory == true:
            (.signal(name: "KILL", coreDumped: false), "postern: \(command.name) was ended: it used up its memory\n")
        case (_, .exited(let code)): (.status(UInt32(code)), code == 0 ? "" : denialNote)
        case (_, .signaled(let signal, let dumped)):
            (.signal(name: signal.name ?? "\(signal.number)@postern", coreDumped: dumped), denialNote)
        }
    }

    /// In the largest whole unit, as a policy writes it.
    private static func text(bytes: UInt64) -> String {
        let units: [(String, UInt64)] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)]
        for (unit, shift) in units where bytes >= 1 << shift && bytes % (1 << shift) == 0 { return "\(bytes >> shift)\(unit)" }
        return "\(bytes)B"
    }

    /// Names the calls that were denied, where that may be why it failed (DESIGN §4.1).
    private var denialNote: String {
        if let deadly = denials.deadly { return "postern: \(command.name) was ended: it called \(deadly)\n" }
        if denials.isEmpty { return "" }
        let names = denials.entries.prefix(Self.mostNamed).map(\.name)
        let more = denials.entries.count > names.count ? " and others" : ""
        return "postern: \(command.name) was denied \(names.joined(separator: ", "))\(more)\n"
    }

    private static let mostNamed = 8

    /// Why we are ending it; nil while it runs, or when it ends by itself.
    var cause: Cause? {
        switch stage {
        case .running: nil
        case .ending(let cause, _), .killed(let cause): cause
        }
    }

    var isBeingEnded: Bool { cause != nil }

    /// Reads and throws away what it wrote, so that it never meets a full or closed pipe.
    mutating func drain() {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        outputs.removeAll { output in
            do throws(Errno) {
                while let count = try output.read(into: &buffer, buffer.indices) { if count == 0 { return true } }
                return false
            } catch {
                return true
            }
        }
    }

    func signalGroup(_ signal: Signal) {
        // It may have ended a moment ago: then there is nothing to signal.
        do throws(Errno) { try process.sendSignalToGroup(signal) } catch {}
    }
}

extension Duration {
    /// As a policy writes it: `10m`, `90s`, `250ms`.
    var text: String {
        let (seconds, fraction) = components
        if fraction != 0 { return "\(milliseconds)ms" }
        if seconds != 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        if seconds != 0, seconds % 60 == 0 { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }

    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
