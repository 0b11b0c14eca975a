/// A control group of one command (cgroups(7), version 2): all its processes are in it, whatever they do, and nobody else's.
///
/// With the last reference it is removed, and what is left in it killed.
public final class ControlGroup: Sendable {
    /// What a process is started in.
    public let directory: Descriptor
    private let parent: Descriptor
    private let name: [UInt8]

    /// Rounds of ``end()`` until all must have gone, of a millisecond each.
    private static let rounds = 500

    /// Makes one that has no limits yet.
    public init(named name: String, in parent: Descriptor) throws(Errno) {
        self.parent = parent
        self.name = Array(name.utf8)
        try parent.makeDirectory(self.name, mode: 0o755)
        do throws(Errno) {
            directory = try parent.openBeneath(self.name, .directory)
        } catch {
            try parent.remove(self.name, isDirectory: true)
            throw error
        }
    }

    /// Takes over one that is there.
    public init(existing name: [UInt8], in parent: Descriptor) throws(Errno) {
        self.parent = parent
        self.name = name
        directory = try parent.openBeneath(name, .directory)
    }

    deinit {
        kill()
        _ = isRemoved
    }

    /// Writes one of its files.
    public func set(_ file: String, to value: String) throws(Errno) {
        try directory.openBeneath(Array(file.utf8), .write).writeAll(Array(value.utf8))
    }

    /// Kills all that is in it at once, new processes too.
    public func kill() {
        // Without it, a group that was removed, or a kernel before 5.14: then there is nothing in it, or ``end()`` says so.
        do throws(Errno) { try set("cgroup.kill", to: "1") } catch {}
    }

    /// Kills all that is in it, waits until it has gone, and removes it.
    ///
    /// - Returns: false when something is left.
    public func end() -> Bool {
        kill()
        for _ in 0..<Self.rounds {
            if isRemoved { return true }
            pause(.milliseconds(1))
        }
        return false
    }

    /// Removes it where nothing is in it.
    private var isRemoved: Bool {
        do throws(Errno) {
            try parent.remove(name, isDirectory: true)
            return true
        } catch {
            return error == .notFound
        }
    }

    /// Whether the kernel killed in it because its memory was used up.
    public var hasRunOutOfMemory: Bool {
        do throws(Errno) {
            let text = try directory.openBeneath(Array("memory.events".utf8)).readAll(limit: 4096)
            return ControlGroupText.number(named: "oom_kill", in: String(decoding: text, as: UTF8.self)) ?? 0 > 0
        } catch {
            return false
        }
    }
}
