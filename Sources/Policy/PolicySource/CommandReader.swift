import Policy

/// Reads `[command.*]` (DESIGN §3.2).
struct CommandReader {
    let surroundings: Surroundings
    let report: Report
    private let sandboxes: SandboxReader
    /// What the commands run in: each pair of a sandbox and a program once.
    var plans: [SandboxPlan] = []
    private var planIndices: [PlanKey: Int] = [:]
    /// The names of sandboxes that commands are in.
    private(set) var usedSandboxes: Set<String> = []

    private struct PlanKey: Hashable {
        var sandbox: String
        var program: String
    }

    init(_ sandboxes: SandboxReader, _ surroundings: Surroundings, _ report: Report) {
        self.sandboxes = sandboxes
        self.surroundings = surroundings
        self.report = report
    }

    /// The command, or nil if something is wrong, which is reported.
    mutating func read(_ entry: Table.Entry) -> Command? {
        let errors = report.errorCount
        guard Name.check(entry.key, "command", report) else { return nil }
        guard case .table(let table) = entry.node.content else {
            report.error(entry.node.region, "command \"\(entry.key.value)\" is \(entry.node.kind), not a table")
            return nil
        }
        var reader = TableReader(table, "command \"\(entry.key.value)\"", report)
        reader.readAllowedWarnings()
        let account = account(&reader)
        if reader.has("drop") { return drop(&reader, entry, account, errors) }
        for key in ["verify", "on_complete"] {
            if let entry = reader.entry(key) { report.error(entry.key.region, "\"\(key)\" is for a drop account", hint: "there is no \"drop\"") }
        }
        if reader.has("rsync") { return rsync(&reader, entry, account, errors) }
        let git = reader.table("git").map { GitReader(surroundings, report, allowed: reader.allowedWarnings).read($0) }
        let subsystem = subsystem(&reader)
        let usage = git == nil ? usage(&reader, isSubsystem: subsystem != nil) : nil
        let words = git.map { gitProgram(&reader, $0) } ?? run(&reader, usage)
        var command = Command(
            name: entry.key.value, account: account, login: login(&reader) ?? account.name, usage: usage?.value,
            run: words.map(\.value), sandbox: sandbox(&reader, words, git ?? nil), position: entry.key.region.position)
        command.subsystem = subsystem
        command.git = git ?? nil
        command.directory = command.git?.root
        command.arguments = reader.table("args").map { ArgumentReader(report: report).read($0, usage: usage?.value) } ?? [:]
        readStreams(&reader, &command)
        readEnvironment(&reader, &command)
        readCourse(&reader, &command)
        reader.finish()
        guard report.errorCount == errors else { return nil }
        CommandWarnings(command, words.map(\.region), table.region, reader.allowedWarnings, surroundings, report).find()
        return command
    }

    private mutating func drop(_ reader: inout TableReader, _ entry: Table.Entry, _ account: Account, _ errors: Int) -> Command? {
        guard case (var command, let programs)? = readDrop(&reader, entry.key, account, login(&reader)) else { return nil }
        readStreams(&reader, &command)
        readCourse(&reader, &command)
        reader.finish()
        guard report.errorCount == errors else { return nil }
        CommandWarnings(command, programs.map(\.region), entry.key.region, reader.allowedWarnings, surroundings, report).findForDrop(programs)
        return command
    }

    private mutating func rsync(_ reader: inout TableReader, _ entry: Table.Entry, _ account: Account, _ errors: Int) -> Command? {
        guard var command = readRsync(&reader, entry.key, account, login(&reader)) else { return nil }
        readStreams(&reader, &command)
        readCourse(&reader, &command)
        reader.finish()
        guard report.errorCount == errors, let region = reader.entry("rsync")?.key.region else { return nil }
        CommandWarnings(command, [region], entry.key.region, reader.allowedWarnings, surroundings, report).findForRsync()
        return command
    }

    private func account(_ reader: inout TableReader) -> Account {
        guard let name = reader.word("as") else {
            if !reader.has("as") { reader.missing("as", hint: "the unix user it runs as, as as = \"deploy\"") }
            return Self.nobody
        }
        do throws(Objection) {
            guard let account = try surroundings.account(name.value) else {
                report.error(name.region, "there is no unix user \"\(name.value)\"", hint: "adduser --system \(name.value)")
                return Self.nobody
            }
            if account.uid == 0 || account.name == "root" {
                report.error(name.region, "a command never runs as root", hint: "make a unix user for it that owns what it needs")
            }
            return account
        } catch {
            report.error(name.region, "unix user \"\(name.value)\": \(error.reason)", hint: error.hint)
            return Self.nobody
        }
    }

    private func login(_ reader: inout TableReader) -> String? {
        guard let login = reader.word("login") else { return nil }
        checkToken(login, "login name")
        return login.value
    }

    /// Names that clients send: printable, without spaces, at most 64 bytes.
    private func checkToken(_ text: Located<String>, _ noun: String) {
        if text.value.utf8.count > 64 || !text.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            report.error(text.region, "\"\(text.value)\" cannot be a \(noun)", hint: "up to 64 printable characters without spaces")
        }
    }

    private func subsystem(_ reader: inout TableReader) -> String? {
        guard let name = reader.word("subsystem") else { return nil }
        checkToken(name, "subsystem")
        return name.value
    }

    /// A subsystem has none: nobody asks for it with a line.
    private func usage(_ reader: inout TableReader, isSubsystem: Bool) -> Located<Usage>? {
        guard let text = reader.string("usage") else {
            if !isSubsystem, !reader.has("usage") {
                reader.missing("usage", hint: "what the client writes, as usage = \"release <tag>\"; or subsystem = \"name\"")
            }
            return nil
        }
        if isSubsystem {
            report.error(
                text.region, "a subsystem has no \"usage\"",
                hint: "clients ask for it by its name; write a second command for the line")
        }
        do throws(UsageError) {
            let usage = try Usage(parsing: text.value)
            if usage.acceptsAnyLine {
                report.warning(
                    .anyLine, text.region, allowed: reader.allowedWarnings, "the program gets any line, unparsed",
                    hint: "only for a program that parses SSH_ORIGINAL_COMMAND with care, and never with a shell")
            }
            return Located(usage, text.region)
        } catch {
            report.fault(error, in: text)
            return nil
        }
    }

    private func run(_ reader: inout TableReader, _ usage: Located<Usage>?) -> [Located<RunWord>] {
        guard let texts = reader.strings("run") else {
            if !reader.has("run") {
                reader.missing("run", hint: "the program and its arguments, as run = [\"/usr/bin/id\", \"-u\"]")
            }
            return []
        }
        guard let program = texts.first else {
            if let node = reader.entry("run")?.node {
                report.error(node.region, "\"run\" is empty", hint: "it begins with a program")
            }
            return []
        }
        // Without a sound usage every `<name>` would be reported again.
        if usage == nil, !reader.has("subsystem") { return [] }
        var words = RunReader(usage?.value ?? .anyLine, report)
        var read = texts.map { Located(words.word($0), $0.region) }
        if let path = AbsolutePath.check(program, report), isFixed(read[0]) { read[0].value = RunWord([.literal(path.value)]) }
        if let usage { reportUnused(usage, words.used, reader) }
        return read
    }

    /// What is run is git itself, which parses its own line.
    private func gitProgram(_ reader: inout TableReader, _ service: GitService?) -> [Located<RunWord>] {
        for key in ["usage", "run", "args", "subsystem", "stdin", "directory"] {
            guard let entry = reader.entry(key) else { continue }
            report.error(entry.key.region, "a command for git has no \"\(key)\"", hint: "write a second command for it")
        }
        guard let region = reader.entry("git")?.node.region else { return [] }
        return [Located(RunWord([.literal(GitService.program)]), region)]
    }

    private func isFixed(_ program: Located<RunWord>) -> Bool {
        if case .literal? = program.value.pieces.first, program.value.pieces.count == 1 { return true }
        report.error(program.region, "the program cannot be chosen by the client", hint: "write one command for each program")
        return false
    }

    private func reportUnused(_ usage: Located<Usage>, _ used: Set<Usage.Part>, _ reader: TableReader) {
        for part in usage.value.parts where !used.contains(part) {
            if case .literal = part { continue }
            report.warning(
                .unusedArgument, usage.region, allowed: reader.allowedWarnings, "\"\(part)\" is never passed on",
                hint: "add \"\(part)\" to \"run\"")
        }
    }

    /// The index of the plan for this program in the command's sandbox.
    mutating func sandbox(_ reader: inout TableReader, _ words: [Located<RunWord>], _ git: GitService? = nil) -> Int {
        var sandbox = sandboxes.standard(for: git)
        if let name = reader.word("sandbox") {
            guard let named = sandboxes.named(name) else { return 0 }
            sandbox = named
            if sandboxes.isPredefined(name.value) {
                SandboxReader.warnOfNetwork(named.plan.network, of: name, allowed: reader.allowedWarnings, report)
            }
        }
        usedSandboxes.insert(sandbox.plan.name)
        guard case .literal(let program)? = words.first?.value.pieces.first else { return 0 }
        if let git { sandbox.plan.open(git) }
        let key = PlanKey(sandbox: sandbox.plan.name, program: git.map { "\(program) \($0.root) \($0.access) \($0.hooks ?? "")" } ?? program)
        if let known = planIndices[key] { return known }
        // The program is implied (DESIGN §3.4); one that is missing is the command's own fault: 127, not 125.
        if !sandbox.plan.paths.contains(where: { $0.path == program && $0.access == .execute }) {
            sandbox.plan.paths.append(PathRule(path: program, access: .execute, isRequired: false))
        }
        plans.append(sandbox.plan)
        planIndices[key] = plans.count - 1
        return plans.count - 1
    }

    private func readStreams(_ reader: inout TableReader, _ command: inout Command) {
        if let summary = reader.string("summary") {
            if summary.value.utf8.count > Self.longestSummary
                || summary.value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
            {
                report.error(summary.region, "the summary is not one line of at most \(Self.longestSummary) bytes")
            }
            command.summary = summary.value
        }
        if let stdin = reader.choice("stdin", of: ["none", "stream"]) { command.takesInput = stdin.value == "stream" }
    }

    private func readEnvironment(_ reader: inout TableReader, _ command: inout Command) {
        let environment = EnvironmentReader(report: report)
        if let table = reader.table("env") { command.environment = environment.fixed(table) }
        if let table = reader.table("accept_env") { command.acceptEnvironment = environment.accepted(table) }
        if command.git != nil { command.acceptEnvironment["GIT_PROTOCOL"] = environment.gitProtocol }
    }

    /// Where the command runs, how long, and what ends it.
    private func readCourse(_ reader: inout TableReader, _ command: inout Command) {
        for name in reader.strings("signals") ?? [] {
            if Self.signals.contains(name.value) {
                command.signals.append(name.value)
            } else {
                let _: String? = reader.wrongChoice(name, "signals", Self.signals)
            }
        }
        if command.git == nil, let path = reader.word("directory") { command.directory = AbsolutePath.check(path, report)?.value }
        if let timeout = reader.duration("timeout", in: .seconds(1)...Self.longestTimeout) { command.timeout = timeout.value }
        readOutputLimit(&reader, &command)
        readLock(&reader, &command)
        if let choice = reader.choice("on_disconnect", of: ["kill", "finish"]) {
            command.survivesDisconnect = choice.value == "finish"
        }
    }

    private func readOutputLimit(_ reader: inout TableReader, _ command: inout Command) {
        guard let limit = reader.bytes("output_limit", in: 1...1 << 50) else { return }
        if command.drop != nil { report.error(limit.region, "a drop account has no \"output_limit\"", hint: "give files a \"max_file\"") }
        command.outputLimit = limit.value
    }

    private func readLock(_ reader: inout TableReader, _ command: inout Command) {
        let wait = reader.duration("lock_wait", in: .zero...Self.longestWait)
        guard let lock = reader.word("lock") else {
            if let wait { report.error(wait.region, "\"lock_wait\" is for a lock", hint: "say which one, as lock = \"app\"") }
            return
        }
        if command.drop != nil { report.error(lock.region, "a drop account has no \"lock\"", hint: "files are taken one by one already") }
        if !Name.check(lock, "lock", report) { return }
        command.lock = lock.value
        if let wait { command.lockWait = wait.value }
    }

    /// RFC 4254 §6.10.
    private static let signals = [
        "ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2",
    ]
    private static let longestWait: Duration = .seconds(86_400)
    private static let longestSummary = 200
    private static let longestTimeout: Duration = .seconds(30 * 86_400)
    /// Stands for an account that was not found; no policy with it is used.
    private static let nobody = Account(unresolved: "")
}
