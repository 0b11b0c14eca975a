import Files
import Linux

/// Sees that all senders together stay within the quota, also while they send at once and after one was killed.
///
/// What is published is counted in the file `usage`, what is on its way is reserved in each session's file, and both are changed under one
/// lock. A session that was killed has no lock on its file any more, so that its reservation counts for nothing. The count is made anew by
/// looking at all files when a session begins, and when the limit seems to be reached: somebody takes files away without telling.
final class Quota {
    private let limit: Usage
    private let root: Descriptor
    private let hidden: HiddenDirectory
    private let usageFile: Descriptor
    /// Reserved by this session, and how much of that its uploads have used.
    private var reserved = Usage()
    private var used = Usage()
    /// When this session has counted last, and how long that took.
    private var counted = (end: Duration.zero, cost: Duration.zero)

    /// Bytes that are reserved at once, so that not every write takes the lock.
    private static let step: UInt64 = 8 << 20

    init(bytes: UInt64?, files: UInt64?, _ root: Descriptor, _ hidden: HiddenDirectory) throws(FileError) {
        limit = Usage(bytes: bytes ?? .max, files: files ?? .max)
        self.root = root
        self.hidden = hidden
        usageFile = try asking { () throws(Errno) in
            try hidden.directory.openBeneath(Array("usage".utf8), [.readWrite, .create, .noFollow], mode: 0o600)
        }
        try hidden.locked { () throws(FileError) in try recount() }
    }

    /// Sets this much aside for an upload.
    func reserve(_ wanted: Usage) throws(FileError) {
        let missing = used + wanted - reserved
        if missing != Usage() { try hidden.locked { () throws(FileError) in try extend(by: missing) } }
        used = used + wanted
    }

    /// An upload has been given up.
    func release(_ amount: Usage) {
        used = used - amount
        let spare = reserved - used
        guard spare != Usage() else { return }
        reserved = used
        // What cannot be given back is free when this session ends.
        do throws(FileError) { try hidden.locked { () throws(FileError) in try store() } } catch {}
    }

    /// What was reserved is there from now on, in the place of what was `replaced`: `appear` sees to that, under the lock, since another sender
    /// may count anew at any moment. It is counted before: a kill in between counts too much, and the next session counts anew.
    func settle(_ amount: Usage, replacing replaced: () -> Usage, _ appear: () throws(FileError) -> Void) throws(FileError) {
        used = used - amount
        reserved = reserved - amount
        // What this sender has in reserve for nothing another cannot have.
        if used == Usage() { reserved = Usage() }
        try hidden.locked { () throws(FileError) in
            try change { $0 + amount - replaced() }
            try store()
            do throws(FileError) {
                try appear()
            } catch {
                try recount()
                throw error
            }
        }
    }

    /// Does what takes files away, and says how much that was.
    func removing(_ body: () throws(FileError) -> Usage) throws(FileError) {
        try hidden.locked { () throws(FileError) in
            let amount = try body()
            try change { $0 - amount }
        }
    }

    var space: FileSpace {
        get throws(FileError) {
            let taken = try hidden.locked { () throws(FileError) in try total() }
            let free = limit - taken
            return FileSpace(total: limit.bytes, free: free.bytes, totalFiles: limit.files, freeFiles: free.files)
        }
    }

    // MARK: - Under the lock

    private func extend(by missing: Usage) throws(FileError) {
        var taken = try total()
        if excess(taken + missing) != nil, mayRecount {
            try recount()
            taken = try total()
        }
        if let excess = excess(taken + missing) { throw FileError(.failure, excess) }
        // Little where little is left: what one sender has in reserve another cannot have.
        let spare = min(Self.step, (limit - taken).bytes / 16)
        reserved = reserved + Usage(bytes: max(missing.bytes, spare), files: missing.files)
        try store()
    }

    /// What there would be too much of; nil: of nothing.
    private func excess(_ taken: Usage) -> String? {
        if taken.bytes > limit.bytes { return "the quota is used up" }
        return taken.files > limit.files ? "there may be no more files" : nil
    }

    /// What is published and what is reserved by all.
    private func total() throws(FileError) -> Usage {
        try asking { () throws(Errno) in
            try hidden.removeRemains()
            var sum = try Usage(reading: usageFile)
            for session in try hidden.sessions() { sum = sum + (try Usage(reading: session)) }
            return sum
        }
    }

    /// A sender that is refused and tries again keeps the others from the lock for a small part of the time only.
    private var mayRecount: Bool { Clock.monotonic >= counted.end + counted.cost * 20 }

    private func recount() throws(FileError) {
        let start = Clock.monotonic
        try asking { () throws(Errno) in try write(try Usage(beneath: root), to: usageFile) }
        counted = (Clock.monotonic, Clock.monotonic - start)
    }

    private func change(_ body: (Usage) -> Usage) throws(FileError) {
        try asking { () throws(Errno) in try write(body(try Usage(reading: usageFile)), to: usageFile) }
    }

    private func store() throws(FileError) { try asking { () throws(Errno) in try write(reserved, to: hidden.sessionFile) } }

    private func write(_ usage: Usage, to file: Descriptor) throws(Errno) { try file.writeAll(usage.encoded[...], at: 0) }
}
