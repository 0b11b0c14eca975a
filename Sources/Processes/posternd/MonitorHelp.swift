import Linux
import MonitorProtocol
import Policy
import Sandbox

/// Help that waits for the names of repositories.
struct WaitingHelp {
    let page: HelpPage
    let requestID: String
    /// By source; nil: its process still looks.
    var found: [HelpPage.Found?]
}

/// A `postern-git` that names the repositories beneath one root: as the user and in the sandbox of a command, which may only read there.
struct RepositoryLister {
    let request: UInt32
    /// Of the page.
    let source: Int
    let process: ChildProcess
    let temporaryDirectory: TemporaryDirectory
    let account: Account
    let output: Descriptor
    private var denials: DenialLog
    private var bytes: [UInt8] = []
    private var hasEndedOutput = false
    private let started = Clock.monotonic
    private var isTimedOut = false

    /// It ends itself sooner.
    private static let patience: Duration = .seconds(5)

    init(_ request: UInt32, source: Int, _ process: ChildProcess, _ denials: DenialLog, _ directory: TemporaryDirectory, _ account: Account, output: Descriptor) {
        self.request = request
        self.source = source
        self.process = process
        self.denials = denials
        temporaryDirectory = directory
        self.account = account
        self.output = output
    }

    var deadline: Duration? { isTimedOut ? nil : started + Self.patience }

    /// What wakes us for it.
    var waitsFor: [Descriptor] { (hasEndedOutput ? [] : [output]) + [denials.listener].compactMap(\.self) }

    mutating func tick(now: Duration) {
        read()
        denials.answer()
        guard let deadline, deadline <= now else { return }
        isTimedOut = true
        kill()
    }

    func kill() { killTree(process) }

    mutating func read() {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        do throws(Errno) {
            while !hasEndedOutput, let count = try output.read(into: &buffer, buffer.indices) {
                bytes += buffer[..<count]
                hasEndedOutput = count == 0 || bytes.count > GitListTask.mostBytes + GitListTask.more.utf8.count + 1
            }
        } catch {
            hasEndedOutput = true
        }
    }

    /// What it found; nothing where it did not come to its end.
    func found(_ exit: Exit) -> HelpPage.Found { exit.status == .exited(0) ? HelpPage.Found(output: bytes) : .nothing }
}

extension Monitor {
    /// Prints help once it is known which repositories are there.
    mutating func print(_ page: HelpPage, _ request: UInt32, _ session: Session) {
        var help = WaitingHelp(page: page, requestID: session.requestID, found: page.sources.map { _ in nil })
        for (index, source) in page.sources.enumerated() {
            do throws(StartFault) {
                guard listers.count < Self.mostListers else { throw StartFault("too many ask for help at once", "") }
                let lister = try startLister(request, index, source, page)
                listers[lister.process.pid] = lister
            } catch {
                log.error("repositories of \(source.name): \(error.step): \(error.detail)")
                help.found[index] = .nothing
            }
        }
        helps[request] = help
        finishHelp(request)
    }

    /// Processes of one connection that look for repositories.
    private static let mostListers = 8

    private func startLister(_ request: UInt32, _ index: Int, _ source: Command, _ page: HelpPage) throws(StartFault) -> RepositoryLister {
        let trusted = isRoot ? nil : Users.currentUID
        var sandbox: SandboxPlan
        let program: ProgramFile
        do throws(Fault) {
            sandbox = try policy.sandbox(of: source)
            let path = try FrontendProcess.helperPath("postern-git")
            program = try naming("postern-git") { () throws(ProgramError) in try ProgramFile(path, trusting: trusted) }
        } catch {
            throw StartFault("git", error.text)
        }
        sandbox.paths = sandbox.paths.map { PathRule(path: $0.path, access: $0.access == .write ? .read : $0.access, isRequired: $0.isRequired) }
        let (input, reading, writing) = try CommandStart.mending({ StartFault("pipes", "\($0)") }) { () throws(Errno) in
            let (reading, writing) = try Descriptor.pipe()
            try reading.setNonBlocking()
            return (try openFile("/dev/null", .readWrite), reading, writing)
        }
        let directory = try CommandStart.makeTemporaryDirectory("\(connectionID).\(request).l\(index)", source.account, isRoot)
        do throws(StartFault) {
            let plan = try CommandStart.plan(
                program, sandbox, source.account, ["postern-git"], page.task(of: source).environment, in: "/", directory, input, writing, input)
            let (process, denials) = try CommandStart.mending(StartFault.init) { () throws(LaunchError) in try launchReporting(plan) }
            return RepositoryLister(request, source: index, process, denials, directory, source.account, output: reading)
        } catch {
            directory.discard()
            throw error
        }
    }

    mutating func tickListers() {
        let now = Clock.monotonic
        for pid in listers.keys.sorted() { listers[pid]?.tick(now: now) }
    }

    /// A process that looked has ended.
    mutating func finish(_ lister: RepositoryLister, _ reaped: Exit) {
        var lister = lister
        lister.read()
        helps[lister.request]?.found[lister.source] = lister.found(lister.process.ownExit(reaped))
        remove(lister.temporaryDirectory, for: lister.account)
        finishHelp(lister.request)
    }

    private mutating func finishHelp(_ request: UInt32) {
        guard let help = helps[request], !help.found.contains(where: { $0 == nil }) else { return }
        helps[request] = nil
        tell(.printed(request: request, toError: false, text: help.page.text(help.found.compactMap(\.self)), status: ExitStatus.success))
    }

    /// Nobody waits for the help of a request any more.
    mutating func dropHelp(_ request: UInt32) {
        guard helps.removeValue(forKey: request) != nil else { return }
        for lister in listers.values where lister.request == request { lister.kill() }
    }
}
