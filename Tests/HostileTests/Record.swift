import Foundation
import Linux
import Testing

/// What a monitor left behind: how it ended, and its log.
struct Record {
    let exit: Exit
    let connectionID: String
    let lines: [String]
    /// The audit records, in order.
    let events: [[String: Any]]

    init(exit: Exit, connectionID: String, log: String) {
        self.exit = exit
        self.connectionID = connectionID
        lines = log.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        events = lines.filter { $0.hasPrefix("{") }.compactMap { line in
            do { return try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] } catch { return nil }
        }
    }

    func all(_ event: String) -> [[String: Any]] { events.filter { $0["event"] as? String == event } }

    /// A member of every record of a kind, as text.
    func texts(_ event: String, _ member: String) -> [String] { all(event).map { $0[member] as? String ?? "" } }

    var violations: [String] { texts("violation", "reason") }
    /// Why the log says the connection ended.
    var farewell: String { texts("disconnect", "reason").joined(separator: ", ") }

    /// What holds for every connection, whatever its frontend did: the monitor came to its end, its log is whole, nothing is left.
    ///
    /// - Parameter isFault: the frontend said that its peer broke a rule.
    func expectSound(_ site: Site, isFault: Bool = false) {
        #expect(exit.status == .exited(violations.isEmpty && !isFault ? 0 : 111))
        #expect(events.count == lines.count { $0.hasPrefix("{") }, "a record that is no JSON: \(lines)")
        for line in lines where !line.hasPrefix("{") { #expect(line.hasPrefix("posternd: \(connectionID) "), "a line without its head") }
        #expect(lines.allSatisfy { !$0.unicodeScalars.contains { $0.value < 0x20 || 0x7f...0x9f ~= $0.value } }, "controls in the log")
        #expect(events.allSatisfy { $0["connection"] as? String == connectionID && $0["peer"] as? String == "127.0.0.1" })
        #expect(events.first?["event"] as? String == "connect")
        #expect(events.last?["event"] as? String == "disconnect")
        #expect(all("connect").count == 1 && all("disconnect").count == 1)
        #expect(leftovers(site, connectionID) == [])
        #expect(site.marksLeft.allSatisfy { $0.hasPrefix("proof-") }, "something was executed")
    }
}

/// Processes and directories of a connection that are still there. A killed process takes a moment to go.
func leftovers(_ site: Site, _ connectionID: String) -> [String] {
    let deadline = Clock.monotonic + .seconds(5)
    while true {
        let found = processes(site, connectionID) + directories(connectionID)
        if found.isEmpty || Clock.monotonic > deadline { return found }
        usleep(2000)
    }
}

/// Commands of the connection, and programs of the site but for its listeners.
private func processes(_ site: Site, _ connectionID: String) -> [String] {
    names(in: "/proc").filter { Int($0) != nil }.compactMap { pid in
        let program = target("/proc/\(pid)/exe")
        let belongs = program.hasPrefix(site.directory) || environment(pid).contains("POSTERN_REQUEST=\(connectionID)")
        return belongs ? "\(pid) \(program)" : nil
    }
}

/// Temporary directories of the connection's commands.
private func directories(_ connectionID: String) -> [String] {
    names(in: "/tmp").filter { $0.hasPrefix("postern-\(connectionID)") } + names(in: "/var/lib/postern/tmp").filter { $0.hasPrefix(connectionID) }
}

private func environment(_ pid: String) -> String {
    do { return String(decoding: try readFile("/proc/\(pid)/environ", limit: 1 << 20), as: UTF8.self) } catch { return "" }
}

/// Where a link points; empty when it cannot be read, as that of a process that has gone.
func target(_ link: String) -> String {
    do { return try readLink(link) } catch { return "" }
}

/// None for a directory that is not there.
func names(in directory: String) -> [String] {
    do { return try FileManager.default.contentsOfDirectory(atPath: directory) } catch { return [] }
}
