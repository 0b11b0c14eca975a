import Foundation
import Linux

/// A process as /proc shows it.
struct LiveProcess: Equatable {
    let pid: Int32
    let parent: Int32
    let name: String
    let startedAt: String
    /// The processor time it had used when it was looked at, in ticks of a hundredth of a second.
    let ticks: Int

    /// Nil when it has gone, or has ended and only waits to be reaped.
    init?(_ pid: Int32) {
        // proc_pid_stat(5): the name stands in parentheses and may hold anything.
        guard let stat = Self.bytes("/proc/\(pid)/stat"), let end = stat.lastIndex(of: UInt8(ascii: ")")), let start = stat.firstIndex(of: UInt8(ascii: "(")) else { return nil }
        let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 20).map { String(decoding: $0, as: UTF8.self) }
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X", let parent = Int32(fields[1]), let user = Int(fields[11]), let system = Int(fields[12]) else { return nil }
        self.pid = pid
        self.parent = parent
        name = String(decoding: stat[(start + 1)..<end], as: UTF8.self)
        startedAt = fields[19]
        ticks = user + system
    }

    /// Whether it is a monitor that a listener keeps for the next connection.
    var isWaiting: Bool { name == "postern-waiting" }

    /// Those that a listener keeps for connections to come.
    static func waiting(below listener: Int32) -> [LiveProcess] { children(of: listener).filter(\.isWaiting) }

    static func children(of parent: Int32) -> [LiveProcess] {
        precondition(showsChildren, "this kernel has no CONFIG_PROC_CHILDREN")
        return names(in: "/proc/\(parent)/task").flatMap { thread in
            // proc_tid_children(5): all that are there, unless one ends meanwhile.
            (bytes("/proc/\(parent)/task/\(thread)/children") ?? []).split(separator: UInt8(ascii: " ")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
        }.compactMap(LiveProcess.init).filter { $0.parent == parent }
    }

    private static let showsChildren = FileManager.default.fileExists(atPath: "/proc/thread-self/children")

    /// All below a process, itself not counted, nor what waits for connections to come.
    static func descendants(of root: Int32) -> [LiveProcess] {
        children(of: root).filter { !$0.isWaiting }.flatMap { [$0] + descendants(of: $0.pid) }
    }

    /// All that have `word` among their arguments.
    static func having(argument word: String) -> [LiveProcess] { pids.filter { holds(word, "/proc/\($0)/cmdline") }.compactMap(LiveProcess.init) }

    /// All whose environment holds `word`.
    static func having(inEnvironment word: String) -> [LiveProcess] { pids.filter { holds(word, "/proc/\($0)/environ") }.compactMap(LiveProcess.init) }

    var arguments: [String] { Self.words(Self.bytes("/proc/\(pid)/cmdline")) }
    var environment: [String] { Self.words(Self.bytes("/proc/\(pid)/environ")) }

    /// True while this very process lives.
    var isAlive: Bool { LiveProcess(pid)?.startedAt == startedAt }

    /// The lines of `/proc/pid/status`.
    var status: [String: String] {
        var lines: [String: String] = [:]
        for line in String(decoding: Self.bytes("/proc/\(pid)/status") ?? [], as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { lines[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        return lines
    }

    private static var pids: [Int32] { names(in: "/proc").compactMap { Int32($0) } }

    private static func names(in directory: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] }

    private static func bytes(_ path: String) -> [UInt8]? { try? readFile(path, limit: 1 << 20) }

    /// Many are asked, often: `Data` searches in compiled code.
    private static func holds(_ word: String, _ path: String) -> Bool { bytes(path).map { Data($0).range(of: Data(word.utf8)) != nil } ?? false }

    private static func words(_ bytes: [UInt8]?) -> [String] { (bytes ?? []).split(separator: 0).map { String(decoding: $0, as: UTF8.self) } }
}
