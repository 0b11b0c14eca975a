import Linux
import MonitorProtocol
import Policy
import SSHWire
import Sandbox

/// What `postern-files` says of files, and the programs that look at them.
extension Monitor {
    /// Takes what the drop accounts report. What is no report ends its process: it is not ours any more.
    mutating func tickDrops() {
        for request in commands.keys.sorted() { takeReports(request, isLast: false) }
        let now = Clock.monotonic
        for pid in hooks.keys { hooks[pid]?.tick(now: now) }
    }

    /// - Parameter isLast: its process has ended, and what it said before is all there is: a socket holds no more than some hundred.
    mutating func takeReports(_ request: UInt32, isLast: Bool) {
        guard let running = commands[request], let drop = running.drop else { return }
        var left = isLast ? Int.max : Self.mostReportsATurn
        do {
            while left > 0, takesReports || isLast {
                left -= 1
                guard let datagram = try drop.channel.receive(limit: FilesMessage.longest) else { return }
                if datagram.isEnd {
                    commands[request]?.drop = nil
                    return
                }
                try take(try FilesMessage(bytes: datagram.bytes), running, drop)
            }
        } catch {
            log.error("\(running.command.name): a bad report: \(error)")
            commands[request]?.drop = nil
            commands[request]?.end(.stop, now: Clock.monotonic)
        }
    }

    /// A sender that is faster than the programs of its files waits for them.
    var takesReports: Bool { completions.count < Self.mostCompletions }

    private static let mostReportsATurn = 256
    private static let mostCompletions = 64

    private mutating func take(_ message: FilesMessage, _ running: RunningCommand, _ drop: DropSession) throws(WireError) {
        switch message {
        case .received(let path, let size, let sha256):
            let isRecorded = log.audit(
                "received",
                [
                    .init("request", .string(running.requestID)), .init("path", .bytes(path)),
                    .init("size", .integer(Int64(clamping: size))), .init("sha256", .string(Self.hex(sha256))),
                ])
            if !isRecorded, gateway.logFailure == .refuse { commands[running.request]?.end(.stop, now: Clock.monotonic) }
            if let hook = drop.rules.onComplete {
                completions.append(Completion(hook: hook, path: path, running: running, drop: drop))
                if isStopped { stopHooks() } else { startCompletions() }
            }
        case .check(let path):
            guard let hook = drop.rules.verify, !hooks.values.contains(where: { $0.kind == .verify && $0.requestID == running.requestID }) else {
                throw .badValue("check")
            }
            start(hook, .verify, path, running, drop)
        }
    }

    /// Starts programs for files that are there, as many as may run.
    private mutating func startCompletions() {
        while !completions.isEmpty, hooks.values.count(where: { $0.kind == .onComplete }) < Self.mostHooks {
            let next = completions.removeFirst()
            start(next.hook, .onComplete, next.path, next.running, next.drop)
        }
    }

    /// Ends programs that look at files, and starts none that were to come.
    mutating func stopHooks() {
        for hook in hooks.values { hook.kill() }
        for one in completions { log.error("\(one.running.command.name): on_complete of \(JSONText.bytes(one.path)): not started, the gateway is being stopped") }
        completions = []
    }

    /// A program that cannot be started refuses the file.
    private mutating func start(_ hook: DropRules.Hook, _ kind: HookProcess.Kind, _ path: [UInt8], _ running: RunningCommand, _ drop: DropSession) {
        do throws(StartFault) {
            guard let sandbox = drop.sandboxes[hook.sandbox] else { preconditionFailure("a hook without its sandbox") }
            guard let name = Self.fileName(path) else { throw StartFault("the name cannot be passed on", "") }
            hookCount += 1
            let process = try CommandStart.start(
                hook, kind, file: name, drop, running, sandbox, requestID: "\(running.requestID).h\(hookCount)", asRoot: isRoot)
            hooks[process.process.pid] = process
        } catch {
            log.error("\(running.command.name): \(kind.rawValue): \(error.step): \(error.detail)")
            if kind == .verify { answer(CheckVerdict(isGood: false, reason: "it could not be checked"), running.requestID) }
        }
    }

    /// Programs for files of one connection that are there. Those that look at one before that are as many as its channels.
    private static let mostHooks = 8

    /// A path beneath the root that is UTF-8 and goes nowhere else.
    private static func fileName(_ path: [UInt8]) -> String? {
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }), !path.contains(0) else { return nil }
        return String(validating: path, as: UTF8.self)
    }

    /// A program that looked at a file has ended.
    mutating func finish(_ hook: HookProcess, _ reaped: Exit) {
        var hook = hook
        let exit = hook.process.ownExit(reaped)
        hook.read()
        var members: [JSONText.Member] = [
            .init("request", .string(hook.requestID)), .init("program", .string(hook.kind.rawValue)), .init("path", .string(hook.path)),
        ]
        switch exit.status {
        case .exited(let code): members.append(.init("status", .integer(Int64(code))))
        case .signaled(let signal, _): members.append(.init("signal", .string(signal.name ?? "\(signal.number)")))
        }
        log.audit("checked", members + [.init("duration_ms", .integer((Clock.monotonic - hook.started).milliseconds))])
        if hook.kind == .verify { answer(hook.verdict(exit), hook.requestID) }
        remove(hook.temporaryDirectory, for: hook.account)
        startCompletions()
    }

    private func answer(_ verdict: CheckVerdict, _ requestID: String) {
        guard let running = commands.values.first(where: { $0.requestID == requestID }), let drop = running.drop else { return }
        // It waits for this; if it has gone, nobody does.
        do throws(Errno) { try drop.channel.send(verdict.bytes) } catch {}
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

/// A file that is there, for which a program is to run.
struct Completion {
    let hook: DropRules.Hook
    /// From the root.
    let path: [UInt8]
    let running: RunningCommand
    let drop: DropSession
}
