internal import CLinux

/// Where log lines go.
public enum LogSink: Sendable {
    case descriptor(Descriptor)
    /// syslog(3), facility authpriv; call ``openSystemLog(name:)`` first.
    case systemLog

    public enum Level: Int32, Sendable, CaseIterable {
        case error = 3, warning = 4, notice = 5, info = 6, debug = 7
    }

    /// Writes one line; control characters become `?`, so that one event is one line. A sink that fails is not reported.
    public func write(_ text: String, _ level: Level = .info) {
        let line = text.utf8.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "?") : $0 }
        switch self {
        case .descriptor(let descriptor):
            // Nothing sensible can be done about a log that cannot be written.
            do throws(Errno) { try descriptor.writeAll(line + [0x0a]) } catch {}
        case .systemLog:
            // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
            unsafe postern_syslog(level.rawValue, String(decoding: line, as: UTF8.self))
        }
    }
}

/// Connects to the system's log under a name, while `/dev/log` can still be reached.
public func openSystemLog(name: String) {
    // SAFETY: syslog(3) keeps the pointer, so the copy is never freed; a program has one log.
    unsafe openlog(strdup(name), LOG_PID | LOG_NDELAY, 10 << 3)  // LOG_AUTHPRIV
}
