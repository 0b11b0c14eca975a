internal import CLinux

/// Descriptors to wait for. Rebuilt each turn: ``removeAll()`` keeps the memory.
public struct PollSet {
    public struct Events: OptionSet, Sendable {
        public let rawValue: Int16
        public init(rawValue: Int16) { self.rawValue = rawValue }

        public static let readable = Events(rawValue: Int16(POLLIN))
        public static let writable = Events(rawValue: Int16(POLLOUT))
        /// The peer will send no more.
        public static let peerClosed = Events(rawValue: Int16(0x2000))  // POLLRDHUP
        /// Both directions are over. Always reported.
        public static let hungUp = Events(rawValue: Int16(POLLHUP))
        /// For a pipe's writing end: nobody reads any more. Always reported.
        public static let failed = Events(rawValue: Int16(POLLERR))
        public static let invalid = Events(rawValue: Int16(POLLNVAL))
    }

    public struct Ready: Equatable, Sendable {
        public let token: Int
        public let events: Events

        public init(token: Int, events: Events) {
            self.token = token
            self.events = events
        }
    }

    private var waiting: [pollfd] = []
    private var tokens: [Int] = []
    private var ready: [Ready] = []

    public init() {}

    public mutating func removeAll() {
        waiting.removeAll(keepingCapacity: true)
        tokens.removeAll(keepingCapacity: true)
    }

    /// Waits for `events` of a descriptor too; what is ready is told by `token`. With no events only hang-up and failure count.
    public mutating func add(_ descriptor: Descriptor, _ events: Events, token: Int) {
        waiting.append(pollfd(fd: descriptor.number, events: events.rawValue, revents: 0))
        tokens.append(token)
    }

    /// Waits until something is ready.
    ///
    /// - Parameter timeout: nil: without end; nothing or less: not at all.
    /// - Returns: what is ready, in the order added; nothing when time is up or a signal came.
    public mutating func wait(timeout: Duration?) throws(Errno) -> [Ready] {
        ready.removeAll(keepingCapacity: true)
        let count: Int32
        if let timeout {
            var time = timespec(max(timeout, .zero))
            // SAFETY: ppoll(2) reads and writes as many entries as the array has, and reads the time.
            count = unsafe ppoll(&waiting, nfds_t(waiting.count), &time, nil)
        } else {
            // SAFETY: as above.
            count = unsafe ppoll(&waiting, nfds_t(waiting.count), nil, nil)
        }
        if count < 0 {
            if Errno.last == .interrupted { return [] }
            throw Errno.last
        }
        if count == 0 { return [] }
        for index in waiting.indices where waiting[index].revents != 0 {
            ready.append(Ready(token: tokens[index], events: Events(rawValue: waiting[index].revents)))
        }
        return ready
    }
}

extension timespec {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    }

    var duration: Duration { .seconds(Int64(tv_sec)) + .nanoseconds(Int64(tv_nsec)) }
}
