import Linux
import Policy

/// Where audit records and lines for people go.
///
/// An audit record is one line of JSON; nothing a client sends can begin a line or forge a field.
struct Log {
    private let sink: LogSink
    private let verbosity: Options.Verbosity
    /// In every record: which connection it is about.
    var connection = ""
    /// The client's address, once it is known.
    var peer = ""

    init(_ options: Options) throws(Fault) {
        verbosity = options.verbosity
        switch options.log {
        case .standardError where Log.standardErrorIsConnection, .syslog:
            openSystemLog(name: "posternd")
            sink = .systemLog
        case .standardError:
            sink = .descriptor(.standardError)
        case .file(let path):
            sink = .descriptor(try naming("log file \"\(path)\"") { () throws(Errno) in try openFile(path, [.write, .append, .create], mode: 0o600) })
        }
    }

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

    /// Where a fault goes that keeps the program from having a log: not to a client.
    static var sinkOfFaults: LogSink {
        guard standardErrorIsConnection else { return .descriptor(.standardError) }
        openSystemLog(name: "posternd")
        return .systemLog
    }

    /// What of one member a record keeps, in bytes. With the most that a record has of long members it stays below the 4096 bytes that
    /// a pipe takes in one piece (pipe(7)): the records of connections that share one cannot mix.
    private static let longestMember = 1100

    /// Writes an audit record. Where a member had to be shortened, it says so.
    func audit(_ event: String, _ members: [JSONText.Member]) {
        guard verbosity > .quiet else { return }
        var kept = members.map { JSONText.Member($0.name, $0.value.abridged(to: Self.longestMember)) }
        if kept != members { kept.append(.init("shortened", true)) }
        let head: [JSONText.Member] = [
            .init("time", .string(Clock.timestamp)), .init("event", .string(event)), .init("connection", .string(connection)),
            .init("peer", .string(peer)),
        ]
        sink.write(JSONText.object(head + kept).description, .notice)
    }

    /// Writes that connections were turned away.
    ///
    /// - Parameter times: how many; nil: it is not to be said of this one.
    func turnedAway(_ reason: String, _ times: Int?) {
        guard let times else { return }
        audit("refused", [.init("reason", .string(reason)), .init("times", .integer(Int64(times)))])
        info("refused \(times == 1 ? "a connection" : "\(times) connections") from \(peer): \(reason)")
    }

    /// Writes what an administrator should look at.
    func error(_ text: String) { say(text, .error) }

    /// Writes what goes on, for `-v`.
    func info(_ text: @autoclosure () -> String) {
        if verbosity >= .verbose { say(text(), .info) }
    }

    /// Writes what a developer wants, for `-vv`.
    func debug(_ text: @autoclosure () -> String) {
        if verbosity >= .debug { say(text(), .debug) }
    }

    /// Writes a line for people. What came from a peer neither moves a cursor nor hides or turns round what stands behind it.
    private func say(_ text: String, _ level: LogSink.Level) {
        let head = connection.isEmpty ? "" : "\(connection) "
        sink.write("posternd: \(head)\(VisibleText.shortened(Array(text.utf8), limit: Self.longestLine))", level)
    }

    /// In columns.
    private static let longestLine = 2000
}
