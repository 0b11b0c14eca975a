import Policy
import PolicySource

extension Explanation {
    /// The verdict for programs, with the same members for each of its kinds.
    func json(of verdict: Verdict) -> JSONText {
        var members: [JSONText.Member] = [
            .init("key", .string(caller.key.name)), .init("key_at", .string(caller.key.position.description)),
            .init("authority", caller.authority.map { .string($0.name) } ?? .null),
            .init("fingerprint", .string(session.fingerprintText)), .init("login", .string(session.login)),
            .init("from", .string(session.peer.host)),
        ]
        switch verdict {
        case .run(let launch): members += [.init("verdict", "run"), .init("run", json(of: launch))]
        case .print(let text, let status):
            members += [.init("verdict", "help"), .init("text", .string(text)), .init("status", .integer(Int64(status)))]
        case .help(let page):
            members += [
                .init("verdict", "help"), .init("text", .string(page.text([]))), .init("status", .integer(Int64(ExitStatus.success))),
            ]
        case .refuse(let refusal):
            members += [
                .init("verdict", "refuse"), .init("reason", .string("\(refusal.reason)")),
                .init("text", .string(refusal.text(for: session))), .init("status", .integer(Int64(ExitStatus.refused))),
            ]
        }
        return .object(members)
    }

    private func json(of launch: Launch) -> JSONText {
        let command = launch.command
        let account = command.account
        return [
            "command": .string(command.name),
            "command_at": .string(command.position.description),
            "argv": .array(launch.argv.map { .string($0) }),
            "user": .string(account.name),
            "uid": .integer(Int64(account.uid)),
            "gid": .integer(Int64(account.gid)),
            "groups": .array(account.groups.map { .integer(Int64($0)) }),
            "directory": .string(launch.directory),
            "stdin": .bool(command.takesInput),
            "environment": .object(launch.environment.map { .init($0.name, .string($0.value)) }),
            "accept_env": .object(command.acceptEnvironment.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value.pattern)) }),
            "signals": .array(command.signals.map { .string($0) }),
            "timeout_seconds": command.timeout.map { .integer($0.components.seconds) } ?? .null,
            "output_limit_bytes": number(command.outputLimit),
            "lock": command.lock.map { .string($0) } ?? .null,
            "lock_wait_seconds": .integer(command.lockWait.components.seconds),
            "on_disconnect": command.survivesDisconnect ? "finish" : "kill",
            "sandbox": json(of: policy.sandboxes[command.sandbox]),
        ]
    }

    private func json(of plan: SandboxPlan) -> JSONText {
        let paths = plan.paths.map { rule -> JSONText in
            ["path": .string(rule.path), "access": .string("\(rule.access)"), "required": .bool(rule.isRequired)]
        }
        return [
            "name": .string(plan.name),
            "paths": .array(paths),
            "network": json(of: plan.network),
            "processes": number(plan.limits.processes),
            "memory_bytes": number(plan.limits.memory),
            "cpu_seconds": plan.limits.cpu.map { .integer($0.components.seconds) } ?? .null,
            "open_files": number(plan.limits.openFiles),
            "file_size_bytes": number(plan.limits.fileSize),
            "allowed_calls": .array(plan.allowedCalls.map { .string($0) }),
            "denied_calls": .array(plan.deniedCalls.map { .string($0) }),
        ]
    }

    private func json(of network: Network) -> JSONText {
        switch network {
        case .none: "none"
        case .unix: "unix"
        case .tcp(let ports, let dns): .array(ports.map { .string("tcp:\($0)") } + (dns ? ["dns"] : []))
        case .any: "any"
        }
    }

    private func number(_ value: UInt64?) -> JSONText { value.map { .integer(Int64(clamping: $0)) } ?? .null }
}
