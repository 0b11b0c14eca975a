import Policy

/// What is legal but unwise in one command (DESIGN §3.6).
struct CommandWarnings {
    private let command: Command
    /// Of the words of `run`, in order.
    private let regions: [Region]
    private let header: Region
    private let allowed: Set<String>
    private let surroundings: Surroundings
    private let report: Report

    init(
        _ command: Command, _ regions: [Region], _ header: Region, _ allowed: Set<String>, _ surroundings: Surroundings,
        _ report: Report
    ) {
        self.command = command
        self.regions = regions
        self.header = header
        self.allowed = allowed
        self.surroundings = surroundings
        self.report = report
    }

    func find() {
        findProgram()
        findForeignUser()
        if command.git == nil { findDirectory() }
        for index in command.run.indices.dropFirst() where isFree(command.run[index]) { findArgument(at: index) }
    }

    /// The same of a drop account, whose programs are those of `verify` and `on_complete`.
    func findForDrop(_ programs: [Located<String>]) {
        for program in programs { findProgram(program.value, program.region) }
        findForeignUser()
    }

    /// The same of a command for rsync, whose directory is made when it is first used.
    func findForRsync() {
        findProgram()
        findForeignUser()
    }

    private var program: String {
        if case .literal(let path)? = command.run.first?.pieces.first { path } else { "" }
    }

    private func findProgram() {
        guard let region = regions.first else { return }
        findProgram(program, region)
    }

    private func findProgram(_ program: String, _ region: Region) {
        switch surroundings.program(program, command.account.uid) {
        case .missing: warn(.missingProgram, region, "program \"\(program)\" is not there")
        case .notExecutable: warn(.missingProgram, region, "\"\(program)\" cannot be executed")
        case .executable(let writer?):
            warn(
                .writableProgram, region, "who may not decide can change the program: \(writer)",
                hint: "let root own it and the directories above it")
        case .executable(nil): break
        }
    }

    private func findForeignUser() {
        guard surroundings.uid != 0, command.account.uid != surroundings.uid else { return }
        warn(.foreignUser, header, "a gateway that is not root's cannot run this as \"\(command.account.name)\"")
    }

    private func findDirectory() {
        let directory = command.directory ?? command.account.home
        if surroundings.exists(directory) { return }
        let what =
            command.directory == nil ? "the home of \"\(command.account.name)\", \"\(directory)\"," : "directory \"\(directory)\""
        warn(.missingPath, header, "\(what) is not there: the command cannot start", hint: "say directory = \"/\" if any will do")
    }

    private func findArgument(at index: Int) {
        if isScript(index) {
            warn(
                .interpreter, regions[index], "the client chooses what the interpreter runs",
                hint: "write a program that takes the argument as data")
        } else if let flag = literal(command.run[index - 1]), flag.hasPrefix("-"), flag != "--" {
            warn(
                .argumentAfterFlag, regions[index], "the client chooses the value of \"\(flag)\"",
                hint: "give the argument a narrow type, or put \"--\" before it if it is no value of the flag")
        }
    }

    /// Whether the word is where an interpreter takes its program from: the first that is no flag, or one after `-c` or `-e`; or where a program is
    /// named that another starts.
    private func isScript(_ index: Int, of start: Int = 0) -> Bool {
        let name = Self.baseName(start == 0 ? program : literal(command.run[start]) ?? "")
        if Self.launchers.contains(name) {
            let next = (start + 1..<index).first { literal(command.run[$0]).map(Self.isProgram) ?? false }
            return next.map { isScript(index, of: $0) } ?? true
        }
        guard Self.interpreters.contains(name) else { return false }
        let before = command.run[start + 1..<index].map { literal($0) }
        if let last = before.last, last == "-c" || last == "-e" { return true }
        return before.allSatisfy { $0?.hasPrefix("-") ?? true }
    }

    /// Whether a word for a launcher is what it starts: no flag, no number or time, no variable.
    private static func isProgram(_ word: String) -> Bool { !word.hasPrefix("-") && !word.contains("=") && !(word.first?.isNumber ?? true) }

    /// The program's name without a version behind it: `python` of `/usr/bin/python3.11`.
    private static func baseName(_ program: String) -> String {
        var name = program.split(separator: "/").last ?? ""
        while let last = name.last, last.isNumber || last == "." { name.removeLast() }
        return String(name)
    }

    /// Whether the client has a free hand in some piece of the word.
    private func isFree(_ word: RunWord) -> Bool {
        word.pieces.contains { piece in
            switch piece {
            case .literal, .flag: return false
            case .value(let name), .values(let name):
                switch (command.arguments[name] ?? .word).kind {
                case .word, .match: return true
                default: return false
                }
            }
        }
    }

    private func literal(_ word: RunWord) -> String? {
        if case .literal(let text)? = word.pieces.first, word.pieces.count == 1 { text } else { nil }
    }

    private func warn(_ warning: Warning, _ region: Region, _ message: String, hint: String? = nil) {
        report.warning(warning, region, allowed: allowed, message, hint: hint)
    }

    private static let interpreters: Set<String> = [
        "sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox", "python", "perl", "ruby", "node", "php", "lua", "tclsh",
        "awk", "gawk", "mawk", "find", "ssh",
    ]
    /// They start what the words behind their own flags name.
    private static let launchers: Set<String> = ["env", "xargs", "sudo", "nice", "timeout"]
}
