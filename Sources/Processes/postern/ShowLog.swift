import ArgumentParser
import Linux
import Policy
import PolicySource

/// `postern log`: reads the audit log.
struct ShowLog: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Show, follow and sum up the audit log.",
        discussion: """
            A line that is no whole record is shown as broken, whatever is looked for. Times are UTC, as 2026-01-31, 2026-01-31T18:00 or \
            2026-01-31T18:00:30Z, or how long ago, as 30m, 12h or 7d.
            """)

    @Argument(help: "The log; \"-\" for standard input.", completion: .file())
    var file = "/var/log/postern/audit.log"
    @Option(help: "Only what is about this key of the policy.")
    var key: String?
    @Option(help: "Only what is about this command of the policy.")
    var command: String?
    @Option(help: "Only what happened at that time or later.")
    var since: LogMoment?
    @Option(help: "Only what happened before that time.")
    var until: LogMoment?
    @Flag(help: "Only what was refused, or failed to start.")
    var refused = false
    @Flag(name: .shortAndLong, help: "Go on with what is written to the file, also after it is moved away.")
    var follow = false
    @Flag(help: "Instead of records: for each key and command how often, how often refused and failed, and the CPU time and bytes.")
    var summary = false
    @Flag(help: "Answer in JSON; records one on each line.")
    var json = false

    func validate() throws {
        if follow, summary { throw ValidationError("what is followed has no sum") }
        if follow, file == "-" { throw ValidationError("standard input cannot be followed") }
    }

    func run() throws {
        try Console.reporting { () throws(Failure) in
            var reader = try LogReader(file)
            if summary { try sumUp(&reader) } else { try show(&reader) }
        }
    }

    private func show(_ reader: inout LogReader) throws(Failure) {
        var output = ""
        try reader.read(following: follow) { (line) throws(Failure) in
            guard let text = text(of: line) else { return }
            output += text + "\n"
            if follow || output.utf8.count > Self.mostUnwritten {
                try Console.write(output, to: .standardOutput)
                output = ""
            }
        }
        try Console.write(output, to: .standardOutput)
    }

    private static let mostUnwritten = 1 << 16

    private func sumUp(_ reader: inout LogReader) throws(Failure) {
        var sum = LogSummary()
        try reader.read(following: false) { (line) throws(Failure) in
            switch line {
            case .record(let record) where accepts(record): sum.add(record)
            case .broken: sum.addBroken()
            case .record, .remark: break
            }
        }
        try Console.say(json ? sum.json.description : sum.text)
    }

    private func text(of line: LogLine) -> String? {
        switch line {
        case .remark: nil
        case .record(let record): accepts(record) ? (json ? JSONText.object(record.members).description : Self.text(of: record)) : nil
        case .broken(let bytes):
            json
                ? JSONText.object([.init("event", "broken"), .init("text", JSONText.bytes(bytes).abridged(to: Self.mostOfBroken))]).description
                : "broken: \(VisibleText.shortened(bytes))"
        }
    }

    private static let mostOfBroken = 1000

    private static func text(of record: LogLine.Record) -> String {
        let head = [record.time, record.text("connection") ?? "", record.text("peer") ?? ""].filter { !$0.isEmpty }
        // Also this may have been written by somebody else.
        return VisibleText.of(head.joined(separator: " ")) + " " + AuditSentence.text(record.event, record.members)
    }

    private func accepts(_ record: LogLine.Record) -> Bool {
        // Times of one form are in the order of their texts.
        if let since, record.time < since.text { return false }
        if let until, record.time >= until.text { return false }
        if let key, record.text("key") != key { return false }
        if let command, record.text("command") != command { return false }
        return !refused || record.isRefusal
    }
}

/// A time that somebody typed.
struct LogMoment: ExpressibleByArgument {
    /// As the log has it.
    let text: String

    init?(argument: String) {
        if let ago = Quantity.duration(argument) {
            text = Clock.rfc3339(unix: max(.zero, Clock.unix - ago))
            return
        }
        guard let parts = argument.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?Z?/)?.output else { return nil }
        let numbers = [parts.2, parts.3, parts.4 ?? "00", parts.5 ?? "00", parts.6 ?? "00"].map { Int($0) ?? 99 }
        guard 1...12 ~= numbers[0], 1...31 ~= numbers[1], 0...23 ~= numbers[2], 0...59 ~= numbers[3], 0...60 ~= numbers[4] else { return nil }
        let digits = parts.7 ?? ""
        let fraction = digits + String(repeating: "0", count: 3 - digits.count)
        text = "\(parts.1)-\(parts.2)-\(parts.3)T\(parts.4 ?? "00"):\(parts.5 ?? "00"):\(parts.6 ?? "00").\(fraction)Z"
    }
}
