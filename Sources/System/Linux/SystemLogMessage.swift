internal import CLinux

/// What programs write to `/dev/log` before the text (RFC 3164 §4.1, without the host name, as every C library does).
enum SystemLogMessage {
    /// LOG_AUTHPRIV of syslog(3).
    private static let facility: Int32 = 10
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func head(_ level: LogSink.Level, at time: LocalTime, name: String, process: Int32) -> String {
        let clock = [time.hour, time.minute, time.second].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        let day = time.day < 10 ? " \(time.day)" : "\(time.day)"
        return "<\(facility * 8 + level.rawValue)>\(months[time.month]) \(day) \(clock) \(name)[\(process)]: "
    }
}

/// A time of the day in this machine's zone.
struct LocalTime {
    /// From 0.
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
}

/// A time counted from 1970, in this machine's zone.
func localTime(seconds: Int64) -> LocalTime {
    var time = time_t(seconds)
    // SAFETY: the structure's text is not looked at.
    var parts = unsafe tm()
    // SAFETY: localtime_r(3) reads the time and fills the structure.
    _ = unsafe localtime_r(&time, &parts)
    // SAFETY: numbers only.
    let numbers = unsafe [parts.tm_mon, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec].map { Int($0) }
    return LocalTime(month: min(max(numbers[0], 0), 11), day: numbers[1], hour: numbers[2], minute: numbers[3], second: numbers[4])
}
