import Linux
import Sandbox

/// `posternd`, run in the foreground.
struct GatewayProcess {
    let path: String

    /// Beside this program, or in `../sbin`.
    static func find() throws(Failure) -> GatewayProcess {
        let directory = try Machine.ownDirectory()
        return GatewayProcess(path: try Machine.program(named: "posternd", in: [directory, Machine.directory(of: directory) + "/sbin"]))
    }

    /// Runs it to its end, passing on the signals that end or refresh it, and what it tells the service manager; returns its exit status.
    ///
    /// - Parameters:
    ///   - notifications: where there can be a socket, on which it tells that it listens.
    ///   - announce: called once, when it does.
    ///   - refresh: called at SIGHUP, before the gateway has it.
    func run(
        _ arguments: [String], notifications path: String, announce: () throws(Failure) -> Void, refresh: () throws(Failure) -> Void
    ) throws(Failure) -> UInt8 {
        let manager = ServiceManager.takeInherited()
        let (signals, notifications) = try naming { () throws(Errno) in
            (try SignalDescriptor([.interrupt, .terminate, .hangUp]), try Descriptor.receiveDatagrams(at: path))
        }
        let child = try naming { () throws(Errno) in try start(arguments, [ServiceManager.environment(path: path)]) }
        var isAnnounced = false
        while true {
            try naming { () throws(Errno) in try wait(child, signals, notifications) }
            while let signal = try naming({ () throws(Errno) in try signals.next() }) {
                if signal == .hangUp { try refresh() }
                try naming { () throws(Errno) in do throws(Errno) { try child.sendSignal(signal) } catch .noProcess {} }
            }
            let status = try naming { () throws(Errno) in try child.reap().map(self.status) }
            while let message = try next(of: notifications) {
                // One that does not hear us, as where we inherited the address of another's, is no reason to end.
                do throws(Errno) { try manager.pass(message) } catch { try Console.note("the service manager was not told: \(error)") }
                guard !isAnnounced, message.split(separator: UInt8(ascii: "\n")).contains(Array("READY=1".utf8)[...]) else { continue }
                isAnnounced = true
                try announce()
            }
            if let status { return status }
        }
    }

    /// What it tells the service manager; nil when it has told all.
    private func next(of notifications: Descriptor) throws(Failure) -> [UInt8]? {
        do throws(DatagramError) {
            return try notifications.receive(limit: Self.longestMessage)?.bytes
        } catch {
            throw Failure("\"\(path)\" told that it runs, and could not be heard: \(error)")
        }
    }

    private static let longestMessage = 4096

    private func naming<Value>(_ body: () throws(Errno) -> Value) throws(Failure) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw Failure("running \"\(path)\": \(error)")
        }
    }

    private func start(_ arguments: [String], _ environment: [String]) throws(Errno) -> ChildProcess {
        var plan = ProcessPlan(
            program: .path(path), arguments: [path] + arguments, environment: Environment.entries + environment,
            input: try openFile("/dev/null"), output: .standardOutput, error: .standardError)
        // It ends with us even if we are killed.
        plan.parentDeathSignal = .terminate
        // It is what separates privileges itself.
        plan.keepsPrivileges = true
        do throws(LaunchError) {
            return try launch(plan)
        } catch {
            throw error.errno
        }
    }

    /// Waits for a signal, for the end, or for news.
    private func wait(_ child: ChildProcess, _ signals: SignalDescriptor, _ notifications: Descriptor) throws(Errno) {
        var poll = PollSet()
        poll.add(signals.descriptor, .readable, token: 0)
        poll.add(child.pidfd, .readable, token: 1)
        poll.add(notifications, .readable, token: 2)
        _ = try poll.wait(timeout: nil)
    }

    /// As a shell has it for a death by signal.
    private func status(_ exit: Exit) -> UInt8 {
        switch exit.status {
        case .exited(let code): code
        case .signaled(let signal, _): UInt8(128 + signal.number)
        }
    }
}
