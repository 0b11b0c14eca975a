import Linux
import Policy

/// Where audit records and lines for people go.
///
/// An audit record is one line of JSON; nothing a client sends can begin a line or forge a field. A class, since there is one of it.
final class Log {
    private let sink: LogSink
    private let verbosity: Options.Verbosity
    /// In every record: which connection it is about.
    var connection = ""
    /// The client's address, once it is known.
    var peer = ""
    /// The name of the client's key, once it is proven.
    var key = ""
    /// Records that could not be written, and have not been told of since.
    private(set) var lost = 0
    private var hasComplained = false

    init(_ options: Options) throws(Fault) {
        verbosity = options.verbosity
        sink =
            switch options.log {
            case .standardError where Log.standardErrorIsConnection, .syslog: Self.systemLog
            case .standardError: .descriptor(.standardError)
            case .journal: .journal(LogSocket("/run/systemd/journal/socket"), name: Self.name)
            case .file(let path): .file(try naming("log file \"\(path)\"") { () throws(Errno) in try LogFile(path) })
            }
    }

    private static let name = "posternd"
    private static var systemLog: LogSink { .systemLog(LogSocket("/dev/log"), name: name) }

    /// Under inetd and its like standard error is the connection: what is written there would be the first bytes on the wire.
    private static var standardErrorIsConnection: Bool {
        guard Descriptor.standardInput.isSocket, Descriptor.standardError.isSocket else { return false }
        do throws(Errno) {
            let (input, error) = (try Descriptor.standardInput.status(), try Descriptor.standardError.status())
            return input.inode == error.inode && input.device == error.device
        } catch {
            return true
        }
    }

    /// Says what keeps the program from having a log, or the log from being written; never to a client.
    static func complain(_ text: String) {
        let sink: LogSink = standardErrorIsConnection ? systemLog : .descriptor(.standardError)
        // There is no further place.
        do throws(Errno) { try sink.write(LogEntry(.error, "\(name): \(text)", message: text)) } catch {}
    }

    /// Opens the log file anew: what SIGHUP asks for.
    func reopen() {
        guard case .file(let file) = sink else { return }
        do throws(Errno) { try file.reopen() } catch { complainOnce(error) }
    }

    // MARK: - Records

    /// Writes an audit record. Where a member had to be shortened, it says so.
    ///
    /// - Returns: false when it could not be written.
    @discardableResult
    func audit(_ event: String, _ members: [JSONText.Member]) -> Bool {
        guard verbosity > .quiet else { return true }
        do throws(Errno) {
            if lost > 0 {
                try write("lost", [.init("count", .integer(Int64(lost)))])
                lost = 0
            }
            try write(event, members)
            return true
        } catch {
            lost += 1
            complainOnce(error)
            return false
        }
    }

    /// What of one member a record keeps, in bytes. With the most that a record has of long members it stays below the 4096 bytes that
    /// a pipe takes in one piece (pipe(7)): the records of connections that share one cannot mix.
    private static let longestMember = 1100

    private func write(_ event: String, _ members: [JSONText.Member]) throws(Errno) {
        var kept = isJournal ? members : members.map { JSONText.Member($0.name, $0.value.abridged(to: Self.longestMember)) }
        if kept != members { kept.append(.init("shortened", true)) }
        var head: [JSONText.Member] = [
            .init("time", .string(Clock.timestamp)), .init("event", .string(event)), .init("connection", .string(connection)),
            .init("peer", .string(peer)),
        ]
        if !key.isEmpty { head.append(.init("key", .string(key))) }
        let all = head + kept
        let record = JSONText.object(all).description
        // Only there people read what stands beside the record.
        guard isJournal else {
            try sink.write(LogEntry(.notice, record))
            if verbosity >= .verbose { trySaying("\(peer) \(AuditSentence.text(event, all))", .info) }
            return
        }
        try sink.write(LogEntry(.notice, record, message: "\(connection) \(peer) \(AuditSentence.text(event, all))", fields: Self.fields(all, record)))
    }

    /// Writes that connections were turned away.
    ///
    /// - Parameter times: how many; nil: it is not to be said of this one.
    func turnedAway(_ reason: String, _ times: Int?) {
        guard let times else { return }
        audit("refused", [.init("reason", .string(reason)), .init("times", .integer(Int64(times)))])
    }

    /// There each record has a line for people already, and may be of any length.
    private var isJournal: Bool { if case .journal = sink { true } else { false } }

    /// For the journal: the record, and each of its members by itself, as in the record.
    private static func fields(_ members: [JSONText.Member], _ record: String) -> [(name: String, value: String)] {
        [("POSTERN_RECORD", record)]
            + members.map { member in
                let text =
                    switch member.value {
                    case .string(let text): VisibleText.of(text)
                    case .bytes(let bytes): VisibleText.of(bytes)
                    default: member.value.description
                    }
                return ("POSTERN_\(member.name.uppercased())", text)
            }
    }

    // MARK: - Lines for people

    /// Writes what an administrator should look at.
    func error(_ text: String) { trySaying(text, .error) }

    /// Writes what goes on, for `-v`.
    func info(_ text: @autoclosure () -> String) {
        if verbosity >= .verbose { trySaying(text(), .info) }
    }

    /// Writes what a developer wants, for `-vv`.
    func debug(_ text: @autoclosure () -> String) {
        if verbosity >= .debug { trySaying(text(), .debug) }
    }

    private func trySaying(_ text: String, _ level: LogSink.Level) {
        do throws(Errno) { try say(text, level) } catch { complainOnce(error) }
    }

    /// Writes a line for people. What came from a peer neither moves a cursor nor hides or turns round what stands behind it.
    private func say(_ text: String, _ level: LogSink.Level) throws(Errno) {
        let head = connection.isEmpty ? "" : "\(connection) "
        let text = head + VisibleText.shortened(Array(text.utf8), limit: Self.longestLine)
        try sink.write(LogEntry(level, "\(Self.name): \(text)", message: text, fields: connection.isEmpty ? [] : [("POSTERN_CONNECTION", connection)]))
    }

    /// In columns.
    private static let longestLine = 2000

    // MARK: - A log that cannot be written

    private func complainOnce(_ error: Errno) {
        guard !hasComplained else { return }
        hasComplained = true
        Self.complain("\(connection) the log cannot be written: \(error)")
    }

    /// Says at the end what is in no log.
    func close() {
        if lost > 0 { Self.complain("\(connection) \(lost) audit records could not be written") }
    }
}
