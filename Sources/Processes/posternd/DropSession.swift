import Linux
import MonitorProtocol
import Policy
import Sandbox

/// What the monitor keeps of a running drop account: the way to its `postern-files`, and the program that looks at a file.
struct DropSession {
    let rules: DropRules
    /// The directory that the client is shown.
    let root: String
    let channel: Descriptor
    /// For those who look at files.
    let environment: [EnvironmentEntry]
    /// Of `verify` and `on_complete`, by index: another policy may be live when they run.
    var sandboxes: [Int: SandboxPlan] = [:]
}

/// A program of `verify` or `on_complete` that runs.
struct HookProcess {
    enum Kind: String { case verify, onComplete = "on_complete" }

    let kind: Kind
    let requestID: String
    /// Of the file, from the root of the drop account.
    let path: String
    let process: ChildProcess
    private var denials: DenialLog
    let temporaryDirectory: TemporaryDirectory
    let account: Account
    /// What it writes, of which the last line is for the sender.
    let output: Descriptor
    private(set) var tail: [UInt8] = []
    let started: Duration
    private(set) var isTimedOut = false
    private var hasEndedOutput = false

    /// Longer nothing is looked at.
    static let patience: Duration = .seconds(300)
    /// Bytes of what it writes that are kept.
    private static let longestTail = 4096

    init(
        _ kind: Kind, requestID: String, path: String, account: Account, _ process: ChildProcess, _ denials: DenialLog,
        _ directory: TemporaryDirectory, output: Descriptor
    ) {
        self.kind = kind
        self.requestID = requestID
        self.path = path
        self.account = account
        self.process = process
        self.denials = denials
        temporaryDirectory = directory
        self.output = output
        started = Clock.monotonic
    }

    var deadline: Duration? { isTimedOut ? nil : started + Self.patience }

    /// What wakes us for it.
    var waitsFor: [Descriptor] { (hasEndedOutput ? [] : [output]) + [denials.listener].compactMap(\.self) }

    /// Reads what it wrote, answers the calls that its sandbox denies, and kills it when its time is up.
    mutating func tick(now: Duration) {
        read()
        denials.answer()
        if denials.deadly != nil { kill() }
        guard let deadline, deadline <= now else { return }
        isTimedOut = true
        kill()
    }

    func kill() {
        killTree(process)
        do throws(Errno) { try process.sendSignalToGroup(.kill) } catch {}
    }

    mutating func read() {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        do throws(Errno) {
            while !hasEndedOutput, let count = try output.read(into: &buffer, buffer.indices) {
                tail = (tail + buffer[..<count]).suffix(Self.longestTail)
                hasEndedOutput = count == 0
            }
        } catch {
            hasEndedOutput = true
        }
    }

    /// The last line that it wrote, for people.
    var lastLine: String {
        let lines = tail.split(separator: UInt8(ascii: "\n")).filter { !$0.allSatisfy { $0 <= 0x20 } }
        return lines.last.map { VisibleText.shortened(Array($0), limit: 200) } ?? ""
    }

    /// What a file's sender is told of it.
    func verdict(_ exit: Exit) -> CheckVerdict {
        if exit.status == .exited(0) { return CheckVerdict(isGood: true, reason: "") }
        if isTimedOut { return CheckVerdict(isGood: false, reason: "refused: checking it took too long") }
        if case .exited = exit.status, !lastLine.isEmpty { return CheckVerdict(isGood: false, reason: "refused: \(lastLine)") }
        return CheckVerdict(isGood: false, reason: "refused by the check")
    }
}
