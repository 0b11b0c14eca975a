import Foundation
import Linux

/// A process as /proc shows it.
struct LiveProcess: Equatable {
    let pid: Int32
    let parent: Int32
    let name: String
    let arguments: [String]
    let startedAt: String

    /// Nil when it has gone, or has ended and only waits to be reaped.
    init?(_ pid: Int32) {
        // proc_pid_stat(5): the name stands in parentheses and may hold anything.
        guard let stat = Self.text("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")"), let start = stat.firstIndex(of: "(") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X", let parent = Int32(fields[1]) else { return nil }
        self.pid = pid
        self.parent = parent
        name = String(stat[stat.index(after: start)..<end])
        startedAt = String(fields[19])
        arguments = (Self.text("/proc/\(pid)/cmdline") ?? "").split(separator: "\0").map(String.init)
    }

    static var all: [LiveProcess] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap(LiveProcess.init)
    }

    /// Whether it is a monitor that a listener keeps for the next connection.
    var isWaiting: Bool { name == "postern-waiting" }

    /// Those that a listener keeps for connections to come.
    static func waiting(below listener: Int32) -> [LiveProcess] { all.filter { $0.parent == listener && $0.isWaiting } }

    /// All below a process, itself not counted, nor what waits for connections to come.
    static func descendants(of root: Int32) -> [LiveProcess] {
        let all = all.filter { !$0.isWaiting }
        var found: [LiveProcess] = []
        var parents: Set<Int32> = [root]
        while !parents.isEmpty {
            let children = all.filter { parents.contains($0.parent) }
            found += children
            parents = Set(children.map(\.pid))
        }
        return found
    }

    /// All that have `word` among their arguments.
    static func having(argument word: String) -> [LiveProcess] { all.filter { $0.arguments.contains { $0.contains(word) } } }

    /// True while this very process lives.
    var isAlive: Bool { LiveProcess(pid)?.startedAt == startedAt }

    /// The lines of `/proc/pid/status`.
    var status: [String: String] {
        var lines: [String: String] = [:]
        for line in (Self.text("/proc/\(pid)/status") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { lines[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        return lines
    }

    private static func text(_ path: String) -> String? {
        (try? readFile(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }
}
