internal import CLinux

/// A signal, by its number on this machine.
public struct Signal: Hashable, Sendable, CustomStringConvertible {
    public let number: Int32

    public init(_ number: Int32) { self.number = number }

    /// By its name without SIG (RFC 4254 §6.10).
    public init?(name: String) {
        guard let found = Self.names.first(where: { $0.name == name }) else { return nil }
        self = found.signal
    }

    /// Its name in RFC 4254 §6.10, or nil for one that has none there.
    public var name: String? { Self.names.first { $0.signal == self }?.name }

    public var description: String { name.map { "SIG\($0)" } ?? "signal \(number)" }

    public static let hangUp = Signal(SIGHUP)
    public static let interrupt = Signal(SIGINT)
    public static let kill = Signal(SIGKILL)
    public static let terminate = Signal(SIGTERM)
    public static let stop = Signal(SIGSTOP)
    public static let `continue` = Signal(SIGCONT)
    public static let child = Signal(SIGCHLD)
    public static let pipe = Signal(SIGPIPE)
    public static let badSystemCall = Signal(SIGSYS)

    private static let names: [(name: String, signal: Signal)] = [
        ("ABRT", Signal(SIGABRT)), ("ALRM", Signal(SIGALRM)), ("FPE", Signal(SIGFPE)), ("HUP", .hangUp), ("ILL", Signal(SIGILL)),
        ("INT", .interrupt), ("KILL", .kill), ("PIPE", .pipe), ("QUIT", Signal(SIGQUIT)), ("SEGV", Signal(SIGSEGV)),
        ("TERM", .terminate), ("USR1", Signal(SIGUSR1)), ("USR2", Signal(SIGUSR2)),
    ]
}

/// Signals read from a descriptor instead of interrupting the process.
public struct SignalDescriptor: Sendable {
    /// Readable when a signal is waiting.
    public let descriptor: Descriptor

    /// Blocks the signals for the calling thread, which must be the only one, and queues them. Non-blocking.
    public init(_ signals: [Signal]) throws(Errno) {
        var set = sigset_t()
        // SAFETY: the calls initialise and change the set they are given.
        unsafe sigemptyset(&set)
        for signal in signals {
            // SAFETY: as above.
            try checked { unsafe sigaddset(&set, signal.number) }
        }
        // SAFETY: the call reads the set.
        let error = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        guard error == 0 else { throw Errno(error) }
        // SAFETY: the call reads the set.
        descriptor = Descriptor(owning: try checked { unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)) })
    }

    /// The next signal that came, nil when there is none now.
    public func next() throws(Errno) -> Signal? {
        var record = [UInt8](repeating: 0, count: MemoryLayout<signalfd_siginfo>.size)
        guard try descriptor.read(into: &record, record.indices) != nil else { return nil }
        // signalfd(2): the record begins with the signal's number as a 32-bit integer.
        return Signal(Int32(record[0]) | Int32(record[1]) << 8)
    }
}

/// SIGTERM is not heard: for a process that ends by itself when its input does.
public func ignoreTermination() {
    postern_ignore_signal(SIGTERM)
}

/// Writes to a closed pipe or socket fail with ``Errno/brokenPipe`` instead of ending the process.
public func ignoreBrokenPipes() {
    postern_ignore_signal(SIGPIPE)
}
