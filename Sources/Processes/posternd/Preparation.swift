import Linux
import Policy
import Sandbox
import Sodium

/// What a monitor does before it has anything to do with one connection or the policy: it reads the host keys, starts its frontend, and gives up what is
/// needed no more. With `--listen` that is done before a client is there.
struct Preparation {
    let isRoot = Users.currentUID == 0
    let hostKeys: HostKeys
    let signals: SignalDescriptor
    let frontend: FrontendProcess

    init(_ options: Options) throws(Fault) {
        Sodium.initialize()
        try naming("process", isTemporary: true) { () throws(Errno) in
            if options.isWaiting { try setProcessName(Self.waitingName) }
            try setNotDumpable()
            try setSubreaper()
        }
        hostKeys = try HostKeys(options.hostKeys, trusting: isRoot ? nil : Users.currentUID)
        signals = try naming("signals", isTemporary: true) { () throws(Errno) in
            try SignalDescriptor([.child, .terminate, .interrupt, .hangUp])
        }
        // Users are changed, namespaces made, foreign processes signalled, temporary directories given away. The bounding set is emptied here once for
        // all our children; only the frontend's root directory is changed, before that capability goes too.
        let kept: [Capability] = [.setUID, .setGID, .setCapabilities, .kill, .chown, .system]
        try Self.keepOnly(kept + [.chroot], isRoot)
        frontend = try FrontendProcess.start(asRoot: isRoot)
        try Self.keepOnly(kept, isRoot)
    }

    private static func keepOnly(_ kept: [Capability], _ isRoot: Bool) throws(Fault) {
        guard isRoot else { return }
        try naming("capabilities") { () throws(Errno) in try dropCapabilities(keeping: kept) }
    }

    // MARK: - Waiting

    private static let waitingName = "postern-waiting"
    private static let name = "posternd"

    /// Waits until the listener at the other end of `channel` hands over a connection.
    ///
    /// - Returns: nil when there will be none: the listener has gone or wants this pair no more, the frontend has gone, or a signal came.
    func waitForConnection(on channel: Descriptor) throws(Fault) -> HandOver? {
        var poll = PollSet()
        for descriptor in [channel, signals.descriptor, frontend.channel] { poll.add(descriptor, .readable, token: Int(descriptor.number)) }
        while true {
            let ready = try naming("poll", isTemporary: true) { () throws(Errno) in try poll.wait(timeout: nil) }
            if ready.contains(where: { $0.token == channel.number }) {
                let handOver = try naming("connection from the listener", isTemporary: true) { () throws(DatagramError) in try HandOver(from: channel) }
                try naming("process", isTemporary: true) { () throws(Errno) in try setProcessName(Self.name) }
                return handOver
            }
            if !ready.isEmpty { return nil }
        }
    }
}

/// A connection on its way from the listener to a monitor that waits.
struct HandOver {
    let connection: Descriptor
    /// The place that was found for it, in the words of ``ArrivalTable/Claim``.
    let arrival: String?

    init(_ connection: Descriptor, _ claim: ArrivalTable.Claim?) { (self.connection, arrival) = (connection, claim?.text) }

    /// - Returns: nil at the end.
    init?(from channel: Descriptor) throws(DatagramError) {
        guard let datagram = try channel.receive(limit: Self.longest, maxDescriptors: 1), let connection = datagram.descriptors.first else { return nil }
        let text = String(decoding: datagram.bytes, as: UTF8.self)
        (self.connection, arrival) = (connection, text == Self.unclaimed ? nil : text)
    }

    /// - Returns: false when whoever waited has gone.
    func send(to channel: Descriptor) -> Bool {
        do throws(Errno) { return try channel.send(Array((arrival ?? Self.unclaimed).utf8), descriptors: [connection]) } catch { return false }
    }

    private static let unclaimed = "-"
    private static let longest = 64
}
