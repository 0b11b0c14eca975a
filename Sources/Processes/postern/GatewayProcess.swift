import Foundation
import Linux
import Sandbox

/// `posternd`, run in the foreground.
struct GatewayProcess {
    let path: String

    /// Beside this program, or in `../sbin`: never by `$PATH`.
    static func find() throws(Failure) -> GatewayProcess {
        let own: String
        do throws(Errno) {
            own = try executablePath()
        } catch {
            throw Failure("where this program is cannot be seen: \(error)")
        }
        let directory = URL(filePath: own).deletingLastPathComponent()
        let places = [directory, directory.deletingLastPathComponent().appending(path: "sbin")].map {
            $0.appending(path: "posternd").path(percentEncoded: false)
        }
        guard let path = places.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Failure("posternd is neither \(places.map { "\"\($0)\"" }.joined(separator: " nor "))")
        }
        return GatewayProcess(path: path)
    }

    /// Runs it to its end, passing on the signals that end or refresh it, and returns its exit status.
    ///
    /// - Parameters:
    ///   - addresses: how many it listens on.
    ///   - announce: called once, when it does.
    func run(_ arguments: [String], addresses: Int, announce: () throws(Failure) -> Void) throws(Failure) -> UInt8 {
        let (signals, child) = try naming { () throws(Errno) in
            (try SignalDescriptor([.interrupt, .terminate, .hangUp]), try start(arguments))
        }
        // Nothing tells when it listens, so it is looked for, up to five seconds.
        var looksLeft = 500
        while true {
            let timeout: Duration? = looksLeft > 0 ? .milliseconds(10) : nil
            if let status = try naming({ () throws(Errno) in try turn(child, signals, timeout) }) { return status }
            guard looksLeft > 0 else { continue }
            looksLeft -= 1
            guard looksLeft == 0 || ListeningSockets.count(of: child.pid) >= addresses else { continue }
            looksLeft = 0
            try announce()
        }
    }

    private func naming<Value>(_ body: () throws(Errno) -> Value) throws(Failure) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw Failure("running \"\(path)\": \(error)")
        }
    }

    private func start(_ arguments: [String]) throws(Errno) -> ChildProcess {
        var plan = ProcessPlan(
            program: .path(path), arguments: [path] + arguments, environment: Environment.entries,
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

    /// Waits for a signal, for the end, or for a time; returns the exit status at the end.
    private func turn(_ child: ChildProcess, _ signals: SignalDescriptor, _ timeout: Duration?) throws(Errno) -> UInt8? {
        var poll = PollSet()
        poll.add(signals.descriptor, .readable, token: 0)
        poll.add(child.pidfd, .readable, token: 1)
        for _ in try poll.wait(timeout: timeout) {}
        while let signal = try signals.next() {
            do throws(Errno) { try child.sendSignal(signal) } catch .noProcess {}
        }
        return try child.reap().map(status)
    }

    /// As a shell has it for a death by signal.
    private func status(_ exit: Exit) -> UInt8 {
        switch exit.status {
        case .exited(let code): code
        case .signaled(let signal, _): UInt8(128 + signal.number)
        }
    }
}

/// What proc(5) tells of sockets.
private enum ListeningSockets {
    /// How many TCP sockets a process listens on; 0 for one that may not be looked at.
    static func count(of pid: Int32) -> Int {
        let directory = "/proc/\(pid)/fd"
        // The process may end at any moment, and its files with it.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let targets = names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)") }
        let listening = ["/proc/net/tcp", "/proc/net/tcp6"].map(inodes).reduce(Set()) { $0.union($1) }
        return listening.intersection(targets).count
    }

    /// Of the sockets in a table that listen, as `socket:[inode]`.
    private static func inodes(in table: String) -> Set<String> {
        let lines = ((try? String(contentsOfFile: table, encoding: .utf8)) ?? "").split(separator: "\n").dropFirst()
        let sockets = lines.map { $0.split(separator: " ") }.filter { $0.count > 9 && $0[3] == listens }
        return Set(sockets.map { "socket:[\($0[9])]" })
    }

    /// TCP_LISTEN, in hexadecimal.
    private static let listens = "0A"
}
