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
        try naming("own confinement", isTemporary: true) { () throws(Errno) in
            if options.isWaiting { try setProcessName(Self.waitingName) }
            try setNotDumpable()
            try setSubreaper()
            try MonitorConfinement.enter()
        }
        hostKeys = try HostKeys(options.hostKeys, trusting: isRoot ? nil : Users.currentUID)
        signals = try naming("signals", isTemporary: true) { () throws(Errno) in
            try SignalDescriptor([.child, .terminate, .interrupt, .hangUp])
        }
        // Users are changed, foreign processes signalled, namespaces made; without those temporary directories are given away. The bounding set is emptied
        // here once for all our children, of whom only `postern-init` has one; only the frontend's root directory is changed, before that capability goes too.
        let kept: [Capability] = [.setUID, .setGID, .setCapabilities, .kill, HostSupport.hasNamespaces ? .system : .chown]
        try Self.keepOnly(kept + [.chroot], isRoot)
        frontend = try FrontendProcess.start(asRoot: isRoot)
        try Self.keepOnly(kept, isRoot)
    }

    /// Moves to where each command can have a control group. Where that is not to be had, limits are for each process; the log says so.
    static func enterGroup(_ log: Log) {
        do throws(DelegatedGroup.Unavailable) {
            let group = try DelegatedGroup.enter()
            group.removeStale()
            log.info("each command has a control group of its own in \"\(group.path)\"")
        } catch {
            log.info("commands have no control groups: \(error)")
        }
    }

    private static func keepOnly(_ kept: [Capability], _ isRoot: Bool) throws(Fault) {
        guard isRoot else { return }
        try naming("capabilities") { () throws(Errno) in try dropCapabilities(keeping: kept, passingOn: [.kill]) }
    }

    // MARK: - Waiting

    private static let waitingName = "postern-waiting"
    private static let name = "posternd"

    /// Waits until the listener at the other end of `channel` hands over a connection.
    ///
    /// - Returns: nil when there will be none: the listener has gone or wants this pair no more, or a signal came.
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
            if ready.contains(where: { $0.token == frontend.channel.number }) { throw Fault("the frontend has ended before there was a connection", isTemporary: true) }
            if !ready.isEmpty { return nil }
        }
    }
}
