import Linux
import Policy
import PolicySource
import Sandbox

/// Starts programs where a command would be started.
struct Prober {
    /// What came of a command's probe, or of a test.
    enum Result {
        case acts([(act: ForbiddenAct, outcome: ForbiddenAct.Outcome)])
        case ran(status: String, isExpected: Bool, output: String)
        /// Only root could run it, and we are not: a client would get exit status 125.
        case notOurs(String)
        /// It could not be tried, as when the machine cannot enforce the sandbox.
        case fault(String)

        var isSound: Bool {
            switch self {
            case .acts(let acts): acts.allSatisfy(\.outcome.isRefused)
            case .ran(_, let isExpected, _): isExpected
            case .notOurs: true
            case .fault: false
            }
        }

        var isTried: Bool { if case .notOurs = self { false } else { true } }
    }

    private let policy: Policy
    private let helper: ProgramFile
    /// What a command beside us as root has for process 1.
    private let firstProcess: Descriptor?
    /// As the gateway's commands have, where there is one.
    private let groups: DelegatedGroup?
    /// The gateway's own, which no command may read.
    private let secrets: [String]

    init(_ policy: Policy, files: [String]) throws(Failure) {
        self.policy = policy
        // `check --host` says why there is none.
        do throws(DelegatedGroup.Unavailable) { groups = try DelegatedGroup.enter() } catch { groups = nil }
        secrets = files + ["/etc/shadow", "/etc/gshadow", "/root", "/proc/1/environ", "/var/lib/postern/policy.db", "/etc/postern"]
        let directory = try Machine.ownDirectory()
        let places = [directory, Machine.directory(of: directory) + "/libexec/postern"]
        let path = try Machine.program(named: "postern-probe", in: places)
        do throws(ProgramError) { helper = try ProgramFile(path, trusting: Users.currentUID) } catch { throw Failure("\(error)") }
        guard Users.currentUID == 0 else {
            firstProcess = nil
            return
        }
        let first = try Machine.program(named: "postern-init", in: places)
        do throws(TrustError) { firstProcess = try TrustedPath.open(first) } catch { throw Failure("\(error)") }
    }

    // MARK: - Forbidden acts

    func probe(_ command: Command) -> Result {
        // Its sandbox reaches the directory that it starts in, which a key's session makes.
        if command.drop != nil { return .notOurs("a drop account has its directory only with a key") }
        if command.rsync != nil { return .notOurs("a command for rsync has its directory only with a key") }
        let sandbox = policy.sandboxes[command.sandbox]
        var acts: [(act: ForbiddenAct, outcome: ForbiddenAct.Outcome)] = []
        // What every sandbox allows must work, or a refusal shows nothing.
        do throws(Trouble) {
            let control = try outcome(of: .read("/dev/null"), sandbox, command.account)
            guard control == .worked else { return .fault("even /dev/null cannot be read: \(control)") }
        } catch {
            return Self.result(error)
        }
        for act in self.acts(for: sandbox, command.account) {
            do throws(Trouble) {
                acts.append((act, try outcome(of: act, sandbox, command.account)))
            } catch {
                return Self.result(error)
            }
        }
        return .acts(acts)
    }

    private func acts(for sandbox: SandboxPlan, _ account: Account) -> [ForbiddenAct] {
        var acts = ForbiddenAct.callNames.map(ForbiddenAct.call)
        acts += secrets.filter { !sandbox.holds($0) && Machine.exists($0) }.map(ForbiddenAct.read)
        acts += ["/etc/passwd", "/dev/sda", "/dev/mem", "/dev/kmsg"].filter { Machine.exists($0) }.map(ForbiddenAct.write)
        // This process, and raw sockets of IPv4 and of the link.
        acts += [.signal(processID), .socket(domain: 2, type: 3), .socket(domain: 17, type: 3)]
        switch sandbox.network {
        case .none: acts += [.socket(domain: 1, type: 1), .socket(domain: 2, type: 1), .socket(domain: 10, type: 1), .socket(domain: 16, type: 3)]
        case .unix: acts += [.socket(domain: 2, type: 1), .socket(domain: 10, type: 1)]
        case .tcp(let ports, _): acts += [.socket(domain: 1, type: 1)] + [22, 1].filter { !ports.contains($0) }.map(ForbiddenAct.connect)
        case .any: break
        }
        return acts
    }

    /// Why a program could not be started.
    private enum Trouble: Error {
        case notOurs(String)
        case other(String)
    }

    private static func result(_ trouble: Trouble) -> Result {
        switch trouble {
        case .notOurs(let reason): .notOurs(reason)
        case .other(let reason): .fault(reason)
        }
    }

    private func outcome(of act: ForbiddenAct, _ sandbox: SandboxPlan, _ account: Account) throws(Trouble) -> ForbiddenAct.Outcome {
        // A static Swift program looks for the runtime's files otherwise, and ends where it may not.
        let environment = ["SWIFT_ROOT=/", "SWIFT_BACKTRACE=enable=no", "POSTERN_ACT=\(act)"]
        let ran = try start(helper, ["postern-probe"], environment, sandbox, account, "/", nil, .seconds(10))
        if ran.isDeadly || ran.exit.status == .signaled(.badSystemCall, dumpedCore: false) { return .ended }
        let words = ran.output.split(whereSeparator: \.isWhitespace)
        let errno = Errno(words.count == 2 ? Int32(words[1]) ?? 0 : 0)
        switch (ran.exit.status, words.first) {
        case (.exited(0), "refused"): return .refused(errno)
        case (.exited(0), "reached"): return .reached(errno)
        case (.exited(0), "worked"): return .worked
        default: throw .other("\"\(act)\" could not be tried: \(ran.exit.text): \(ran.output)")
        }
    }

    // MARK: - Tests

    /// The command that a test asks for; nil where it prints the help.
    func command(of run: LoadedPolicy.Run) -> Command? { launch(of: run)?.command }

    private func launch(of run: LoadedPolicy.Run) -> Launch? {
        let session = run.caller.session(login: run.login, now: run.caller.time(nearest: Clock.unixSeconds), fingerprint: "SHA256:")
        let commands = run.caller.key.may.map { policy.commands[$0] }
        guard case .run(let launch) = Decision.decide(run.request, environment: [], in: session, commands: commands) else { return nil }
        return launch
    }

    func run(_ run: LoadedPolicy.Run) -> Result {
        guard let launch = launch(of: run) else { return .ran(status: "exit 0, by the gateway itself", isExpected: run.status == 0, output: "") }
        do throws(Trouble) {
            let program: ProgramFile
            do throws(ProgramError) {
                program = try ProgramFile(launch.argv[0], trusting: Users.currentUID == 0 ? nil : Users.currentUID)
            } catch {
                throw Trouble.other("\(error)")
            }
            let directory = try temporaryFile(ownedBy: launch.command.account)
            defer { directory.remove() }
            let environment = launch.environment.map { "\($0.name)=\($0.value)" } + ["TMPDIR=\(directory.directory)"]
            let ran = try start(
                program, launch.argv, environment, policy.sandboxes[launch.command.sandbox], launch.command.account, launch.directory,
                directory.directory, launch.command.timeout ?? .seconds(60))
            return .ran(status: ran.exit.text, isExpected: ran.exit.status == .exited(run.status), output: ran.output)
        } catch {
            return Self.result(error)
        }
    }

    // MARK: - Starting

    private struct Ran {
        var exit: Exit
        var output: String
        /// It made a call that ends a command.
        var isDeadly: Bool
    }

    /// Runs a program to its end with an empty input; what it writes goes to one file.
    private func start(
        _ program: ProgramFile, _ arguments: [String], _ environment: [String], _ sandbox: SandboxPlan, _ account: Account, _ directory: String,
        _ temporary: String?, _ timeout: Duration
    ) throws(Trouble) -> Ran {
        do {
            let output = try TemporaryFile()
            defer { output.remove() }
            let null = try openFile("/dev/null")
            try createFile(output.path, [])
            let writing = try openFile(output.path, .readWrite)
            let plan = try ProcessPlan(
                confining: sandbox, account: account, program: program, arguments: arguments.map { Array($0.utf8) },
                environment: environment.map { Array($0.utf8) }, directory: directory, temporary: temporary, firstProcess: firstProcess,
                input: null, output: writing, error: writing, groups: groups)
            var (process, denials) = try launchReporting(plan)
            let exit = try process.waitUntilExit(answering: &denials, timeout: timeout)
            return Ran(exit: exit, output: String(decoding: try readFile(output.path, limit: 1 << 24).suffix(4096), as: UTF8.self), isDeadly: denials.deadly != nil)
        } catch let error as EnforcementError where Users.currentUID != 0 && error.needsRoot {
            throw .notOurs("\(error)")
        } catch {
            throw .other("\(error)")
        }
    }

    private func temporaryFile(ownedBy account: Account) throws(Trouble) -> TemporaryFile {
        do throws(Failure) { return try TemporaryFile(ownedBy: account) } catch { throw .other(error.reason) }
    }
}

extension SandboxPlan {
    /// Whether a command in it may read a path.
    fileprivate func holds(_ path: String) -> Bool {
        paths.contains { $0.path == "/" || path == $0.path || path.hasPrefix($0.path + "/") || $0.path.hasPrefix(path + "/") }
    }
}

extension EnforcementError {
    /// Whether root could do it.
    fileprivate var needsRoot: Bool {
        switch self {
        case .account, .processes: true
        case .landlock, .root, .noFilter: false
        }
    }
}

extension Exit {
    /// In words, as `exit 3`.
    var text: String {
        switch status {
        case .exited(let code): "exit \(code)"
        case .signaled(let signal, _): "\(signal)"
        }
    }
}
