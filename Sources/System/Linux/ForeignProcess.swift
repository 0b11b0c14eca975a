internal import CLinux

/// A process that is not a child of ours, and never one that got its number later.
public struct ForeignProcess: Sendable {
    private let pidfd: Descriptor

    /// ``Errno/noProcess`` when there is none.
    public init(_ pid: Int32) throws(Errno) { pidfd = Descriptor(owning: try checked { pidfd_open(pid, 0) }) }

    public func send(_ signal: Signal) throws(Errno) { try checked { pidfd_send_signal(pidfd.number, signal.number, nil, 0) } }

    /// - Returns: false when it had not ended after that time.
    public func waitUntilGone(within patience: Duration) throws(Errno) -> Bool {
        var poll = PollSet()
        poll.add(pidfd, .readable, token: 0)
        return try !poll.wait(timeout: patience).isEmpty
    }
}
