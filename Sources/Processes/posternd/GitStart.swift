import Linux
import Policy
import Sandbox

/// What starts git in one repository: `postern-git`, and what it is told.
struct GitStart {
    let program: ProgramFile
    let arguments = ["postern-git"]
    let environment: [EnvironmentEntry]
    /// The program that git runs as its hook.
    let hook: String
    /// Where the program and the hook report to; nobody waits for it, so that it is never full.
    let report: Descriptor

    init(_ target: GitTarget, _ launch: Launch, _ sandbox: SandboxPlan, asRoot: Bool) throws(StartFault) {
        let trusted = asRoot ? nil : Users.currentUID
        do throws(Fault) {
            let path = try FrontendProcess.helperPath("postern-git")
            hook = try FrontendProcess.helperPath("postern-git-hook")
            program = try naming("postern-git") { () throws(ProgramError) in try ProgramFile(path, trusting: trusted) }
            report = try naming("report") { () throws(Errno) in try memoryFile(named: "report") }
        } catch {
            throw StartFault("git", error.text)
        }
        let opening: GitTask.Opening = !target.writes ? .read : target.service.creates ? .create : .write
        // The root is what it gives up.
        let paths = sandbox.paths.filter { $0.path != target.service.root } + [PathRule(path: hook, access: .execute, isRequired: false)]
        environment = GitTask(
            root: target.service.root, name: target.name, opening: opening, argv: launch.argv, paths: paths, hook: hook
        ).environment
    }
}

/// Git in one repository while it runs.
struct GitRun {
    let report: Descriptor
    /// What the client is told when the repository is not there.
    let missing: String

    /// What came of an update of a ref, as the hook tells it.
    struct Update {
        let result: String
        let old: String
        let new: String
        let ref: String
    }

    /// Reads the report, once it is whole.
    func read() -> (isMissing: Bool, updates: [Update]) {
        let bytes: [UInt8]
        do throws(Errno) {
            try report.rewind()
            bytes = try report.readAll(limit: Self.longest)
        } catch {
            return (false, [Update(result: "unknown", old: "", new: "", ref: "the report cannot be read: \(error)")])
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        let updates = lines.compactMap { line -> Update? in
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            return words.count == 4 ? Update(result: words[0], old: words[1], new: words[2], ref: words[3]) : nil
        }
        return (lines == [GitTask.missing], updates)
    }

    /// More a push that git takes cannot report: see `RefUpdate.longestInput`.
    private static let longest = 8 << 20
}

extension Monitor {
    /// Writes a record for each ref that a push changed or was refused to.
    func audit(_ updates: [GitRun.Update], of running: RunningCommand) {
        for update in updates {
            log.audit(
                "ref",
                [
                    .init("request", .string(running.requestID)), .init("command", .string(running.command.name)), .init("result", .string(update.result)),
                    .init("ref", .string(update.ref)), .init("old", .string(update.old)), .init("new", .string(update.new)),
                ])
        }
    }
}
