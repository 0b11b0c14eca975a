import Linux
import MonitorProtocol
import Policy
import Sandbox

/// Turns a decision into a running process.
struct CommandStart {
    let process: ChildProcess
    let temporaryDirectory: TemporaryDirectory
    /// For the frontend: where standard input is written, where output and error are read.
    let streams: [Descriptor]
    /// The same two outputs for us, when the command may outlive its client (DESIGN §6).
    let keptOutputs: [Descriptor]

    static func start(_ launch: Launch, _ sandbox: SandboxPlan, requestID: String, asRoot: Bool) throws(StartFault) -> CommandStart {
        let command = launch.command
        let program: ProgramFile
        do throws(ProgramError) {
            program = try ProgramFile(launch.argv[0], trusting: asRoot ? nil : Users.currentUID)
        } catch {
            throw StartFault(error)
        }
        let pipes = try naming("pipes") { () throws(Errno) in try Pipes(takesInput: command.takesInput) }
        let directory = try naming("temporary directory") { () throws(Errno) in
            try TemporaryDirectory.make(named: requestID, for: command.account, asRoot: asRoot)
        }
        var environment = launch.environment.map { "\($0.name)=\($0.value)" }
        environment.append("TMPDIR=\(directory.path)")
        var plan = ProcessPlan(
            program: program.program, arguments: launch.argv, environment: environment, input: pipes.input, output: pipes.output,
            error: pipes.error)
        plan.directory = launch.directory
        if asRoot {
            let account = command.account
            plan.identity = ProcessPlan.Identity(uid: account.uid, gid: account.gid, groups: account.groups)
            plan.emptiesBoundingSet = true
        }
        plan.parentDeathSignal = .kill
        plan.confine(by: sandbox, temporaryDirectory: directory.path)
        do throws(LaunchError) {
            let process = try Sandbox.launch(plan)
            let kept = command.survivesDisconnect ? [pipes.streams[1], pipes.streams[2]] : []
            return CommandStart(process: process, temporaryDirectory: directory, streams: pipes.streams, keptOutputs: kept)
        } catch {
            // It is empty: nothing ran.
            do throws(Errno) { try removeDirectory(directory.path) } catch {}
            throw StartFault(error)
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

    private static func naming<Value>(_ step: String, _ body: () throws(Errno) -> Value) throws(StartFault) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw StartFault(step, error.description)
        }
    }
}
