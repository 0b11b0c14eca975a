internal import CLinux

/// How a process ended, and what it used.
public struct Exit: Equatable, Sendable {
    public enum Status: Equatable, Sendable {
        case exited(UInt8)
        case signaled(Signal, dumpedCore: Bool)

        /// The kernel's number: a signal in the lowest 7 bits and the dump in the next, or the exit status in the 8 bits above (wait(2)).
        init(waitStatus: Int32) {
            let signal = waitStatus & 0x7f
            self = signal == 0 ? .exited(UInt8(waitStatus >> 8 & 0xff)) : .signaled(Signal(signal), dumpedCore: waitStatus & 0x80 != 0)
        }
    }
    public let status: Status
    public let userTime: Duration
    public let systemTime: Duration
    /// The most memory it had at once, in bytes.
    public let maxResident: Int

    private init(_ status: Status, _ other: Exit) {
        self.status = status
        userTime = other.userTime
        systemTime = other.systemTime
        maxResident = other.maxResident
    }

    func with(_ status: Status) -> Exit { Exit(status, self) }

    init(status: Int32, usage: rusage) {
        self.status = Status(waitStatus: status)
        userTime = .seconds(usage.ru_utime.tv_sec) + .microseconds(Int64(usage.ru_utime.tv_usec))
        systemTime = .seconds(usage.ru_stime.tv_sec) + .microseconds(Int64(usage.ru_stime.tv_usec))
        maxResident = Int(usage.ru_maxrss) * 1024
    }
}

/// A child of this process. It must be reaped; dropping the handle neither ends nor reaps it.
public final class ChildProcess: Sendable {
    public let pid: Int32
    /// Readable once the process has ended.
    public let pidfd: Descriptor
    /// Process 1 of its pid namespace, which `pid` then is, tells here how the program ended.
    private let report: Descriptor?
    /// All that it starts is in it, where it has one; it goes with this handle.
    public let group: ControlGroup?

    /// Takes over what a launch returned.
    public init(pid: Int32, pidfd: Descriptor, report: Descriptor? = nil, group: ControlGroup? = nil) {
        self.pid = pid
        self.pidfd = pidfd
        self.report = report
        self.group = group
    }

    /// The program's own end, after `exit` was what was reaped: the two differ where the program has a pid namespace.
    public func ownExit(_ exit: Exit) -> Exit {
        guard let report else { return exit }
        do throws(DatagramError) {
            // It has ended, so there is a word of four bytes, or nothing where it was killed.
            if let word = try report.receive(limit: 4), word.bytes.count == 4 {
                return exit.with(.init(waitStatus: word.bytes.reversed().reduce(0) { $0 << 8 | Int32($1) }))
            }
        } catch {}
        return exit.with(.signaled(.kill, dumpedCore: false))
    }

    /// Signals this very process, never one that got its number later. ``Errno/noProcess`` when it has ended.
    public func sendSignal(_ signal: Signal) throws(Errno) {
        try checked { pidfd_send_signal(pidfd.number, signal.number, nil, 0) }
    }

    /// Signals all processes of the session's first group, which the process leads. Only before it is reaped.
    public func sendSignalToGroup(_ signal: Signal) throws(Errno) {
        try checked { CLinux.kill(-pid, signal.number) }
    }

    /// How it ended, once; nil while it runs. ``Errno/noChild`` when it was reaped already.
    public func reap() throws(Errno) -> Exit? { try wait(WNOHANG) }

    /// Waits for the end.
    public func waitUntilExit() throws(Errno) -> Exit {
        guard let exit = try wait(0) else { preconditionFailure("wait4 returned without a process") }
        return exit
    }

    private func wait(_ options: Int32) throws(Errno) -> Exit? { try reapOne(pid, options).map { ownExit($0.exit) } }
}

/// Signals a child that was not reaped: no other process has its number.
public func sendSignal(_ signal: Signal, toChild pid: Int32) throws(Errno) { try checked { CLinux.kill(pid, signal.number) } }

/// A process that was reaped by ``reapAny()`` or a sweep.
public struct Reaped: Equatable, Sendable {
    public let pid: Int32
    public let exit: Exit
}

/// Reaps one child that has ended, also one that was adopted; nil when none has, or when there are no children.
public func reapAny() throws(Errno) -> Reaped? {
    do throws(Errno) {
        return try reapOne(-1, WNOHANG)
    } catch .noChild {
        return nil
    }
}

func reapOne(_ pid: Int32, _ options: Int32) throws(Errno) -> Reaped? {
    var status: Int32 = 0
    var usage = rusage()
    // SAFETY: wait4(2) fills the integer and the structure.
    let reaped = try checked { unsafe wait4(pid, &status, options, &usage) }
    return reaped == 0 ? nil : Reaped(pid: reaped, exit: Exit(status: status, usage: usage))
}
