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

    static func start(_ launch: Launch, _ sandbox: SandboxPlan, requestID: String, asRoot: Bool) throws(StartFault) -> CommandStart {
        var git: GitStart?
        if let target = launch.target { git = try GitStart(target, launch, sandbox, asRoot: asRoot) }
        let program = try program(of: launch, git, asRoot)
        let pipes = try mending({ StartFault("pipes", "\($0)") }) { () throws(Errno) in try Pipes(takesInput: launch.command.takesInput) }
        let directory = try mending({ StartFault("temporary directory", "\($0)") }) { () throws(Errno) in
            try TemporaryDirectory.make(named: requestID, for: launch.command.account, asRoot: asRoot)
        }
        do throws(StartFault) {
            let (process, denials) = try start(program, git, launch, sandbox, pipes, directory)
            let kept = launch.command.survivesDisconnect ? [pipes.streams[1], pipes.streams[2]] : []
            return CommandStart(process: process, denials: denials, temporaryDirectory: directory, streams: pipes.streams, keptOutputs: kept, report: git?.report)
        } catch {
            // It is empty: nothing ran.
            do throws(Errno) { try removeDirectory(directory.path) } catch {}
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
        let entries = launch.environment + (git?.environment ?? [])
        let environment = entries.map { "\($0.name)=\($0.value)" } + ["TMPDIR=\(directory.path)"]
        var plan = try mending({ StartFault("sandbox: \($0)", "") }) { () throws(EnforcementError) in
            try ProcessPlan(
                confining: sandbox, account: launch.command.account, program: program, arguments: (git?.arguments ?? launch.argv).map { Array($0.utf8) },
                environment: environment.map { Array($0.utf8) }, directory: launch.directory, temporary: directory.path,
                input: pipes.input, output: pipes.output, error: pipes.error)
        }
        if let git {
            plan.descriptors.append(git.report)
            plan.landlock?.paths.append(.init(git.hook, [.readFile, .executeFile]))
        }
        return try mending(StartFault.init) { () throws(LaunchError) in try launchReporting(plan) }
    }

    private static func mending<Value, Failure: Error>(
        _ fault: (Failure) -> StartFault, _ body: () throws(Failure) -> Value
    ) throws(StartFault) -> Value {
        do throws(Failure) {
            return try body()
        } catch {
            throw fault(error)
        }
    }

    /// The command's ends and ours of its three streams.
    private struct Pipes {
        let input: Descriptor
        let output: Descriptor
        let error: Descriptor
        let streams: [Descriptor]

        init(takesInput: Bool) throws(Errno) {
            let (inputEnd, writing) = try Descriptor.pipe()
            let (readingOutput, outputEnd) = try Descriptor.pipe()
            let (readingError, errorEnd) = try Descriptor.pipe()
            // Without standard input the pipe has no reader, and the command an empty file.
            input = takesInput ? inputEnd : try openFile("/dev/null")
            (output, error) = (outputEnd, errorEnd)
            streams = [writing, readingOutput, readingError]
            for stream in streams { try stream.setNonBlocking() }
        }
    }
}
