import Linux
import MonitorProtocol
import Policy
import Sandbox

/// Turns a decision into a running process.
struct CommandStart {
    let process: ChildProcess
    let denials: DenialLog
    let temporaryDirectory: TemporaryDirectory
    /// For the frontend: where standard input is written, where output and error are read.
    let streams: [Descriptor]
    /// The same two outputs for us, when the command may outlive its client (DESIGN §6).
    let keptOutputs: [Descriptor]
    /// Of git in a repository: see ``GitStart``.
    let report: Descriptor?

    /// Of a drop account.
    var drop: DropSession?
    /// Of a command with an `output_limit`.
    var relay: OutputRelay?

    static func start(_ launch: Launch, _ sandbox: SandboxPlan, requestID: String, asRoot: Bool, pipes: Pipes? = nil) throws(StartFault) -> CommandStart {
        if let drop = launch.command.drop { return try startDrop(launch, drop, sandbox, requestID: requestID, asRoot: asRoot) }
        var git: GitStart?
        if let target = launch.target { git = try GitStart(target, launch, sandbox, asRoot: asRoot) }
        let program = try program(of: launch, git, asRoot)
        let pipes = if let pipes { pipes } else { try Pipes.make(launch.command) }
        let directory = try makeTemporaryDirectory(requestID, launch.command.account, asRoot)
        do throws(StartFault) {
            let (process, denials) = try start(program, git, launch, sandbox, pipes, directory)
            let kept = launch.command.survivesDisconnect ? [pipes.streams[1], pipes.streams[2]] : []
            return CommandStart(
                process: process, denials: denials, temporaryDirectory: directory, streams: pipes.streams, keptOutputs: kept, report: git?.report,
                relay: pipes.relay)
        } catch {
            directory.discard()
            throw error
        }
    }

    private static func program(of launch: Launch, _ git: GitStart?, _ asRoot: Bool) throws(StartFault) -> ProgramFile {
        if let git { return git.program }
        return try mending(StartFault.init) { () throws(ProgramError) in
            try ProgramFile(launch.argv[0], trusting: asRoot ? nil : Users.currentUID)
        }
    }

    private static func start(
        _ program: ProgramFile, _ git: GitStart?, _ launch: Launch, _ sandbox: SandboxPlan, _ pipes: Pipes, _ directory: TemporaryDirectory
    ) throws(StartFault) -> (ChildProcess, DenialLog) {
        var plan = try plan(
            program, sandbox, launch.command.account, git?.arguments ?? launch.argv, launch.environment + (git?.environment ?? []),
            in: launch.directory, directory, pipes.input, pipes.output, pipes.error)
        if let git {
            plan.descriptors.append(git.report)
            plan.landlock?.paths.append(.init(git.hook, [.readFile, .executeFile]))
        }
        // As a drop account, a command for rsync has its directory made for it.
        plan.makesDirectory = launch.command.rsync != nil
        plan.paths = launch.paths.map { .init(directory: $0.directory, path: $0.path) }
        return try mending({ fault(of: $0, launch, plan.paths) }) { () throws(LaunchError) in try launchReporting(plan) }
    }

    /// A path that leads out of its directory is the request's fault.
    private static func fault(of error: LaunchError, _ launch: Launch, _ paths: [ProcessPlan.PathWithin]) -> StartFault {
        guard error.step == .paths, let index = paths.firstIndex(where: { $0.whole.utf8.elementsEqual(error.detail.utf8) }) else { return StartFault(error) }
        let refusal = launch.paths[index].refusal
        var fault = StartFault("\(refusal.reason)", error.detail, status: ExitStatus.refused)
        fault.refusal = refusal
        return fault
    }

    static func makeTemporaryDirectory(_ name: String, _ account: Account, _ asRoot: Bool) throws(StartFault) -> TemporaryDirectory {
        try mending({ StartFault("temporary directory", "\($0)") }) { () throws(Errno) in
            try TemporaryDirectory.make(named: name, for: account, asRoot: asRoot)
        }
    }

    static func plan(
        _ program: ProgramFile, _ sandbox: SandboxPlan, _ account: Account, _ argv: [String], _ environment: [EnvironmentEntry],
        in directory: String, _ temporary: TemporaryDirectory, _ input: Descriptor, _ output: Descriptor, _ error: Descriptor
    ) throws(StartFault) -> ProcessPlan {
        let first = try firstProcess()
        let groups = try mending({ StartFault("cgroup", "\($0)") }) { () throws(DelegatedGroup.Unavailable) in try openedGroups.get() }
        let variables = environment.map { "\($0.name)=\($0.value)" } + ["TMPDIR=\(temporary.path)"]
        return try mending({ StartFault("sandbox: \($0)", "") }) { () throws(EnforcementError) in
            try ProcessPlan(
                confining: sandbox, account: account, program: program, arguments: argv.map { Array($0.utf8) },
                environment: variables.map { Array($0.utf8) }, directory: directory, temporary: temporary.path, firstProcess: first,
                input: input, output: output, error: error, groups: groups)
        }
    }

    /// Where each command has a control group of its own: where this process was started, or has entered, beside it.
    private static let openedGroups = Result { () throws(DelegatedGroup.Unavailable) in try DelegatedGroup.current() }

    /// The program that is process 1 beside a command of another user; opened once for all commands of the connection.
    private static func firstProcess() throws(StartFault) -> Descriptor? {
        guard Users.currentUID == 0 else { return nil }
        return try mending({ StartFault("postern-init", $0.text) }) { () throws(Fault) in try openedFirstProcess.get() }
    }

    private static let openedFirstProcess = Result { () throws(Fault) in try FrontendProcess.helper("postern-init", asRoot: true) }

    static func mending<Value, Failure: Error>(
        _ fault: (Failure) -> StartFault, _ body: () throws(Failure) -> Value
    ) throws(StartFault) -> Value {
        do throws(Failure) {
            return try body()
        } catch {
            throw fault(error)
        }
    }

    /// The command's ends and ours of its three streams.
    struct Pipes {
        let input: Descriptor
        let output: Descriptor
        let error: Descriptor
        let streams: [Descriptor]
        /// Where we write to the client's standard error.
        let ownError: Descriptor
        /// Between the two, where the command has an `output_limit`.
        let relay: OutputRelay?

        static func make(_ command: Command) throws(StartFault) -> Pipes {
            try mending({ StartFault("pipes", "\($0)") }) { () throws(Errno) in
                try Pipes(takesInput: command.takesInput, outputLimit: command.outputLimit)
            }
        }

        private init(takesInput: Bool, outputLimit: UInt64?) throws(Errno) {
            let (inputEnd, writing) = try Descriptor.pipe()
            let (readingOutput, outputEnd) = try Descriptor.pipe()
            let (readingError, errorEnd) = try Descriptor.pipe()
            // Without standard input the pipe has no reader, and the command an empty file.
            input = takesInput ? inputEnd : try openFile("/dev/null")
            (output, error) = (outputEnd, errorEnd)
            for end in [writing, readingOutput, readingError] { try end.setNonBlocking() }
            guard let outputLimit else {
                (streams, ownError, relay) = ([writing, readingOutput, readingError], errorEnd, nil)
                return
            }
            let (passedOutput, outputSink) = try Descriptor.pipe()
            let (passedError, errorSink) = try Descriptor.pipe()
            for end in [passedOutput, passedError] { try end.setNonBlocking() }
            (streams, ownError) = ([writing, passedOutput, passedError], errorSink)
            relay = OutputRelay([(readingOutput, outputSink), (readingError, errorSink)], limit: outputLimit)
        }
    }
}
