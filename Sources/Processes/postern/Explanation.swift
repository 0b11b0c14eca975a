import Policy
import PolicySource

/// A verdict in words: a line for each thing that holds.
struct Explanation {
    var caller: Caller
    var session: Session
    var policy: Policy
    private var key: Key { caller.key }

    init(caller: Caller, session: Session, policy: Policy) {
        self.caller = caller
        self.session = session
        self.policy = policy
    }

    func text(of verdict: Verdict) -> String {
        switch verdict {
        case .run(let launch): text(of: launch)
        case .print(let text, _):
            table("allowed: it prints the help", who) + "\n" + text
        case .help(let page):
            table("allowed: it prints the help, and the repositories that are there", who) + "\n" + page.text([])
        case .refuse(let refusal):
            table("refused: \(refusal.reason)", who) + "\n" + seen(refusal)
        }
    }

    private func seen(_ refusal: Refusal) -> String {
        guard case .entry(let why) = refusal.reason else { return "the client sees:\n" + indented(refusal.text(for: session)) }
        let text = "the client cannot log in: it sees \"Permission denied (publickey)\"\n"
        guard why == .noCommandUnderLogin else { return text }
        return text + "  what this key may run is for the login \(Set(caller.key.may.map { policy.commands[$0].login }).sorted().joined(separator: ", "))\n"
    }

    private func text(of launch: Launch) -> String {
        let command = launch.command
        let account = command.account
        let head = "allowed: command \"\(command.name)\" at \(command.position)"
        var rows = who
        rows.append(("argv", JSONText.line(of: launch.argv)))
        rows += named("not out of", launch.paths.map { "\($0.directory), when it starts: \($0.path)" })
        let numbers = account.isResolved ? "uid \(account.uid), gid \(account.gid), groups \(list(account.groups.map(String.init)))" : "who was not looked up"
        rows.append(("user", "\(account.name), \(numbers)"))
        rows.append(("directory", launch.directory))
        rows.append(("input", command.takesInput ? "what the client sends" : "empty"))
        rows += named(
            "environment", launch.environment.map { "\($0.name)=\($0.value)" } + ["TMPDIR=a private directory, removed afterwards"])
        rows += named("accepts", command.acceptEnvironment.map { "\($0.key) matching \($0.value.pattern)" }.sorted())
        rows.append(("signals", list(command.signals)))
        rows.append(("timeout", command.timeout.map(Quantity.text) ?? "none"))
        rows.append(("output", command.outputLimit.map { Quantity.text(bytes: $0) } ?? "no limit"))
        if let lock = command.lock { rows.append(("lock", "\(lock), waited for \(Quantity.text(command.lockWait))")) }
        rows.append(("client gone", command.survivesDisconnect ? "it finishes" : "it is killed"))
        return table(head, rows + sandbox(policy.sandboxes[command.sandbox]))
    }

    private var who: [(String, String)] {
        let login = ("login", "\(session.login) from \(session.peer.host)")
        guard let authority = caller.authority else { return [("key", "\(key.name) at \(key.position)"), login] }
        return [("key id", key.name), ("authority", "\(authority.name) at \(authority.position)"), login]
    }

    private func sandbox(_ plan: SandboxPlan) -> [(String, String)] {
        var rows = [("sandbox", plan.name)]
        for (name, access) in [("read", PathRule.Access.read), ("write", .write), ("execute", .execute)] {
            rows += named(
                "  \(name)", plan.paths.filter { $0.access == access }.map { $0.isRequired ? $0.path : "\($0.path), if there" })
        }
        rows.append(("  network", text(of: plan.network)))
        rows.append(("  processes", plan.limits.processes.map(String.init) ?? "no limit"))
        rows.append(("  memory", plan.limits.memory.map { Quantity.text(bytes: $0) } ?? "no limit"))
        rows.append(("  cpu", plan.limits.cpu.map(Quantity.text) ?? "no limit"))
        rows.append(("  open files", plan.limits.openFiles.map(String.init) ?? "no limit"))
        rows.append(("  file size", plan.limits.fileSize.map { Quantity.text(bytes: $0) } ?? "no limit"))
        rows.append(("  calls", list(plan.allowedCalls)))
        rows.append(("  denied calls", list(plan.deniedCalls)))
        rows.append(("  filter", "\(plan.filter.program.count / 8) instructions"))
        return rows
    }

    private func text(of network: Network) -> String {
        switch network {
        case .none: "none"
        case .unix: "unix sockets"
        case .tcp(let ports, let dns): list(ports.map { "tcp:\($0)" } + (dns ? ["dns"] : []))
        case .any: "any"
        }
    }

    private func list(_ words: [String]) -> String { words.isEmpty ? "none" : words.joined(separator: " ") }

    /// One row for each of `values`, named once; none for no values.
    private func named(_ name: String, _ values: [String]) -> [(String, String)] {
        values.enumerated().map { ($0.offset == 0 ? name : "", $0.element) }
    }

    private func table(_ head: String, _ rows: [(String, String)]) -> String {
        let lines = rows.map { name, value in "  " + name + String(repeating: " ", count: max(1, 16 - name.count)) + value }
        return ([head] + lines).map { $0 + "\n" }.joined()
    }

    private func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  \($0)\n" }.joined()
    }
}
