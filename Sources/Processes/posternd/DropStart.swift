import Linux
import MonitorProtocol
import Policy
import Sandbox

extension CommandStart {
    /// Starts a drop account's `postern-files` in the directory of the key, which it makes as the target user where it is missing.
    static func startDrop(_ launch: Launch, _ rules: DropRules, _ sandbox: SandboxPlan, requestID: String, asRoot: Bool) throws(StartFault) -> CommandStart {
        let program = try helper(asRoot: asRoot)
        let pipes = try Pipes.make(launch.command)
        for end in [pipes.input, pipes.output] {
            // Several packets of SFTP at once. Where there may be no more of that, they come in smaller pieces.
            do throws(Errno) { try end.setPipeSize(Self.pipeBytes) } catch {}
        }
        let (ours, theirs) = try mending({ StartFault("socket pair", "\($0)") }) { () throws(Errno) in try Descriptor.socketPair() }
        try mending({ StartFault("socket pair", "\($0)") }) { () throws(Errno) in
            try ours.setNonBlocking()
            try ours.send(FilesSettings(arguments: Array(launch.argv.dropFirst())).bytes)
        }
        let directory = try makeTemporaryDirectory(requestID, launch.command.account, asRoot)
        do throws(StartFault) {
            var plan = try plan(
                program, sandbox, launch.command.account, launch.argv, launch.environment, in: launch.directory, directory, pipes.input,
                pipes.output, pipes.error)
            plan.environment += swiftEnvironment.map { Array($0.utf8) }
            plan.makesDirectory = true
            plan.descriptors.append(theirs)
            let (process, denials) = try mending(StartFault.init) { () throws(LaunchError) in try launchReporting(plan) }
            var start = CommandStart(process: process, denials: denials, temporaryDirectory: directory, streams: pipes.streams, keptOutputs: [], report: nil)
            start.drop = DropSession(rules: rules, root: launch.directory, channel: ours, environment: launch.environment)
            return start
        } catch {
            directory.discard()
            throw error
        }
    }

    private static let pipeBytes: Int32 = 256 * 1024

    private static func helper(asRoot: Bool) throws(StartFault) -> ProgramFile {
        let path = try mending({ StartFault("helper", $0.text) }) { () throws(Fault) in try FrontendProcess.helperPath(DropRules.program) }
        return try mending(StartFault.init) { () throws(ProgramError) in try ProgramFile(path, trusting: asRoot ? nil : Users.currentUID) }
    }

    /// Starts a program that looks at a file, in its own sandbox, which reads the drop account; after the file is there it may take it away.
    static func start(
        _ hook: DropRules.Hook, _ kind: HookProcess.Kind, file: String, _ drop: DropSession, _ running: RunningCommand, _ sandbox: SandboxPlan,
        requestID: String, asRoot: Bool
    ) throws(StartFault) -> HookProcess {
        let argv = hook.argv(path: "\(drop.root)/\(file)")
        let program = try mending(StartFault.init) { () throws(ProgramError) in
            try ProgramFile(argv[0], trusting: asRoot ? nil : Users.currentUID)
        }
        var sandbox = sandbox
        sandbox.paths.append(PathRule(path: drop.root, access: kind == .verify ? .read : .write, isRequired: true))
        let (input, reading, writing) = try mending({ StartFault("pipes", "\($0)") }) { () throws(Errno) in
            let (reading, writing) = try Descriptor.pipe()
            try reading.setNonBlocking()
            return (try openFile("/dev/null"), reading, writing)
        }
        let directory = try makeTemporaryDirectory(requestID, running.command.account, asRoot)
        do throws(StartFault) {
            let plan = try plan(
                program, sandbox, running.command.account, argv, drop.environment, in: "/", directory, input, writing, writing)
            let (process, denials) = try mending(StartFault.init) { () throws(LaunchError) in try launchReporting(plan) }
            return HookProcess(
                kind, requestID: running.requestID, path: file, account: running.command.account, process, denials, directory, output: reading)
        } catch {
            directory.discard()
            throw error
        }
    }
}
