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
    func run(_ arguments: [String]) throws(Failure) -> UInt8 {
        do throws(Errno) {
            let signals = try SignalDescriptor([.interrupt, .terminate, .hangUp])
            let child = try start(arguments)
            return try wait(for: child, signals)
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

    private func wait(for child: ChildProcess, _ signals: SignalDescriptor) throws(Errno) -> UInt8 {
        var poll = PollSet()
        while true {
            poll.removeAll()
            poll.add(signals.descriptor, .readable, token: 0)
            poll.add(child.pidfd, .readable, token: 1)
            for _ in try poll.wait(timeout: nil) {}
            while let signal = try signals.next() {
                do throws(Errno) { try child.sendSignal(signal) } catch .noProcess {}
            }
            if let exit = try child.reap() { return status(exit) }
        }
    }

    /// As a shell has it for a death by signal.
    private func status(_ exit: Exit) -> UInt8 {
        switch exit.status {
        case .exited(let code): code
        case .signaled(let signal, _): UInt8(128 + signal.number)
        }
    }
}
