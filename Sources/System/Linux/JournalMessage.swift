/// An entry as the journal of systemd takes it (systemd's "Native Journal Protocol").
///
/// Each value that could hold a line feed goes with its length before it: no value can begin a field.
public struct JournalMessage {
    /// The whole datagram.
    public private(set) var bytes: [UInt8] = []

    /// - Parameters:
    ///   - name: of the program.
    ///   - process: its number.
    public init(_ entry: LogEntry, name: String, process: Int32) {
        add("MESSAGE", entry.message)
        add("PRIORITY", "\(entry.level.rawValue)")
        add("SYSLOG_FACILITY", "10")
        add("SYSLOG_IDENTIFIER", name)
        add("SYSLOG_PID", "\(process)")
        for field in entry.fields { add(field.name, field.value) }
    }

    private mutating func add(_ name: String, _ value: String) {
        precondition(Self.isName(name), "not a name of a field")
        let value = Array(value.utf8)
        bytes += name.utf8
        if value.contains(0x0a) {
            bytes.append(0x0a)
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value.count >> shift)) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(0x0a)
    }

    /// What the journal accepts as a name from a program: at most 64 of `A-Z0-9_`, not beginning with `_` or a digit.
    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (0x41...0x5a).contains(first), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }
}
