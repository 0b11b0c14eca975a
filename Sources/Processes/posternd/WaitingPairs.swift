import Arrivals
import Linux
import Sandbox

/// Monitors that wait with their frontends for a connection, so that none waits for their start. Each is a `posternd` freshly executed; it serves one
/// connection, and is never used again.
struct WaitingPairs {
    private struct Pair {
        let pid: Int32
        let channel: Descriptor
        let started: Duration
    }

    private let file: Descriptor
    private let arguments: [String]
    private let null: Descriptor
    private let log: Log
    /// Those that have waited longest first.
    private var pairs: [Pair] = []
    /// Told to go, and not gone yet.
    private var leaving: Set<Int32> = []
    private var count = PairCount(now: Clock.monotonic)
    /// When missing ones are started; nil: none is missing, or there are to be none any more.
    private var startTime: Duration? = Clock.monotonic

    /// After a connection has come: the start of the next pair does not compete with it.
    private static let pause: Duration = .milliseconds(20)
    /// After one could not be started, or has ended by itself.
    private static let pauseAfterFailure: Duration = .seconds(10)
    /// What is read at the start, such as host keys, is never older.
    private static let longestWait: Duration = .seconds(600)

    init(_ options: Options, _ log: Log) throws(Fault) {
        file = try naming("own program") { () throws(Errno) in try openFile("/proc/self/exe", .pathOnly) }
        arguments = ["posternd", "--waiting"] + options.forOneConnection
        null = try naming("/dev/null") { () throws(Errno) in try openFile("/dev/null", .readWrite) }
        self.log = log
    }

    var isEmpty: Bool { pairs.isEmpty && leaving.isEmpty }

    /// When ``tick()`` has something to do.
    var deadline: Duration? {
        let looks = pairs.first.map { min($0.started + Self.longestWait, count.nextLook) }
        return [looks, startTime].compactMap(\.self).min()
    }

    /// Gives a connection to a pair that waits, or to a new one.
    ///
    /// - Returns: the process that has it.
    mutating func take(_ handOver: HandOver) throws(Fault) -> Int32 {
        defer { startTime = startTime ?? Clock.monotonic + Self.pause }
        while !pairs.isEmpty {
            let pair = pairs.removeFirst()
            if handOver.send(to: pair.channel) {
                count.note(left: pairs.count)
                return pair.pid
            }
            // It has ended, and is reaped next.
            leaving.insert(pair.pid)
        }
        count.note(left: nil)
        let pair = try start()
        guard handOver.send(to: pair.channel) else { throw Fault("process \(pair.pid) has ended", isTemporary: true) }
        return pair.pid
    }

    mutating func tick() {
        let now = Clock.monotonic
        count.look(now: now)
        while pairs.count > count.wanted { dismissFirst() }
        while let first = pairs.first, first.started + Self.longestWait <= now {
            dismissFirst()
            startTime = startTime ?? now
        }
        guard let time = startTime, time <= now else { return }
        startTime = nil
        while pairs.count < count.wanted {
            do throws(Fault) {
                pairs.append(try start())
            } catch {
                log.error("no process for the next connection: \(error.text)")
                startTime = now + Self.pauseAfterFailure
                return
            }
        }
    }

    private func start() throws(Fault) -> Pair {
        let (ours, theirs) = try naming("socket pair", isTemporary: true) { () throws(Errno) in
            let (ours, theirs) = try Descriptor.socketPair()
            try ours.setNonBlocking()
            return (ours, theirs)
        }
        // Its log goes to standard error.
        var plan = ProcessPlan(program: .descriptor(file), arguments: arguments, environment: swiftEnvironment, input: theirs, output: null, error: .standardError)
        // As a session of its own a connection does not hear the terminal's ^C: it ends when we have ended.
        plan.parentDeathSignal = .terminate
        plan.keepsPrivileges = true
        // It is told of a new policy or the end from its first moment on, and takes that when it is ready (Preparation).
        plan.blockedSignals = [.hangUp, .terminate, .interrupt]
        let process = try naming("process", isTemporary: true) { () throws(LaunchError) in try launch(plan) }
        return Pair(pid: process.pid, channel: ours, started: Clock.monotonic)
    }

    /// A process has ended; one that was still waiting did so by itself.
    mutating func remove(_ pid: Int32) {
        leaving.remove(pid)
        guard let index = pairs.firstIndex(where: { $0.pid == pid }) else { return }
        pairs.remove(at: index)
        startTime = Clock.monotonic + Self.pauseAfterFailure
    }

    /// Replaces all: what they have read may have changed.
    mutating func renew() {
        while !pairs.isEmpty { dismissFirst() }
        startTime = Clock.monotonic
    }

    /// There will be no further connection.
    mutating func dismiss() {
        while !pairs.isEmpty { dismissFirst() }
        startTime = nil
    }

    /// By the end of its channel.
    private mutating func dismissFirst() { leaving.insert(pairs.removeFirst().pid) }
}
