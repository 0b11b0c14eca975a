/// Where log lines go.
public enum LogSink {
    /// Standard error, or what else is open already.
    case descriptor(Descriptor)
    case file(LogFile)
    /// syslog(3), facility authpriv.
    case systemLog(LogSocket, name: String)
    /// The journal of systemd, with fields of their own.
    case journal(LogSocket, name: String)

    public enum Level: Int32, Sendable, CaseIterable {
        case error = 3, warning = 4, notice = 5, info = 6, debug = 7
    }

    /// Writes one entry whole. In what is a line control characters become `?`, so that one entry is one line.
    public func write(_ entry: LogEntry) throws(Errno) {
        switch self {
        case .descriptor(let descriptor): try descriptor.writePatiently(Self.line(entry.line) + [0x0a])
        case .file(let file): try file.append(Self.line(entry.line) + [0x0a])
        case .systemLog(let socket, let name):
            let head = SystemLogMessage.head(entry.level, at: localTime(seconds: Clock.unixSeconds), name: name, process: processID)
            try socket.send(Array(head.utf8) + Self.line(entry.line))
        case .journal(let socket, let name): try socket.sendWhole(JournalMessage(entry, name: name, process: processID).bytes)
        }
    }

    /// Says one line on standard error; where that is closed, to nobody.
    public static func complain(_ text: String) {
        do throws(Errno) { try LogSink.descriptor(.standardError).write(LogEntry(.error, text, message: text)) } catch {}
    }

    private static func line(_ text: String) -> [UInt8] {
        text.utf8.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "?") : $0 }
    }
}

/// One thing that is logged, for every kind of sink.
public struct LogEntry: Sendable {
    public var level: LogSink.Level
    /// What stands in files, and goes to standard error and syslog.
    public var line: String
    /// What people read in the journal; nowhere else.
    public var message: String
    /// For the journal: names of `A-Z0-9_`, which do not begin with an underscore.
    public var fields: [(name: String, value: String)]

    public init(_ level: LogSink.Level, _ line: String, message: String = "", fields: [(name: String, value: String)] = []) {
        self.level = level
        self.line = line
        self.message = message
        self.fields = fields
    }
}

extension Descriptor {
    /// Writes all bytes, also where somebody who shares the open file made it non-blocking: then for at most two seconds without progress.
    func writePatiently(_ bytes: [UInt8]) throws(Errno) {
        var position = 0
        while position < bytes.count {
            if let count = try write(bytes, position..<bytes.count) {
                position += count
                continue
            }
            var poll = PollSet()
            poll.add(self, .writable, token: 0)
            if try poll.wait(timeout: .seconds(2)).isEmpty { throw .wouldBlock }
        }
    }
}
