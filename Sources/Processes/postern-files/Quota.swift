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

    /// Bytes that are reserved at once, so that not every write takes the lock.
    private static let step: UInt64 = 8 << 20

    init(bytes: UInt64?, files: UInt64?, _ root: Descriptor, _ hidden: HiddenDirectory) throws(FileError) {
        limit = Usage(bytes: bytes ?? .max, files: files ?? .max)
        self.root = root
        self.hidden = hidden
        usageFile = try asking { () throws(Errno) in
            try hidden.directory.openBeneath(Array("usage".utf8), [.readWrite, .create, .noFollow], mode: 0o600)
        }
        try count()
    }

    /// Counts what is there.
    func count() throws(FileError) { try hidden.locked { () throws(FileError) in try recount() } }

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

    /// What was reserved is there now, in the place of what was `replaced`. Told before the file appears: a kill in between counts too much,
    /// and the next session counts anew.
    func settle(_ amount: Usage, replacing replaced: Usage = Usage()) throws(FileError) {
        used = used - amount
        reserved = reserved - amount
        try hidden.locked { () throws(FileError) in
            try asking { () throws(Errno) in try write(try Usage(reading: usageFile) + amount - replaced, to: usageFile) }
            try store()
        }
    }

    /// Files have been removed.
    func remove(_ amount: Usage) throws(FileError) { try settle(Usage(), replacing: amount) }

    var space: FileSpace {
        get throws(FileError) {
            let taken = try hidden.locked { () throws(FileError) in try total() }
            let free = limit - taken
            return FileSpace(total: limit.bytes, free: free.bytes, totalFiles: limit.files, freeFiles: free.files)
        }
    }

    // MARK: - Under the lock

    private func extend(by missing: Usage) throws(FileError) {
        if try !fits(missing) {
            try recount()
            if let exceeded = try exceeded(by: missing) { throw FileError(.failure, exceeded) }
        }
        var more = missing
        if missing.bytes > 0 {
            // Little where little is left: what one sender has in reserve another cannot have.
            let free = limit - (try total())
            more.bytes = max(missing.bytes, min(Self.step, free.bytes / 16))
        }
        reserved = reserved + more
        try store()
    }

    private func fits(_ more: Usage) throws(FileError) -> Bool { try exceeded(by: more) == nil }

    private func exceeded(by more: Usage) throws(FileError) -> String? {
        let taken = try total() + more
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

    private func recount() throws(FileError) {
        try asking { () throws(Errno) in try write(try Usage(beneath: root), to: usageFile) }
    }

    private func store() throws(FileError) { try asking { () throws(Errno) in try write(reserved, to: hidden.sessionFile) } }

    private func write(_ usage: Usage, to file: Descriptor) throws(Errno) { try file.writeAll(usage.encoded[...], at: 0) }
}
