import Linux

/// A place in the queue for a lock of the policy, and then the lock itself: one command on this machine has it (DESIGN §3.2).
///
/// A queue is a directory with a file for the holder, and one for each who waits, called by its number. Who is alive holds a lock of the
/// kernel on its file: one whose gateway was killed is passed over and removed by the next. Places are taken and given up by one process
/// at a time, which holds the lock on the directory itself.
final class CommandLock {
    private let directory: Descriptor
    private let ticket: String
    private let ticketFile: Descriptor
    /// The lock, once it is ours.
    private var holder: Descriptor?

    private static let holderName = "holder"

    /// Takes the last place in the queue.
    init(_ name: String, asRoot: Bool) throws(Errno) {
        let directory = try Self.queue(name, asRoot)
        self.directory = directory
        (ticket, ticketFile) = try Self.alone(in: directory) { () throws(Errno) in
            let last = try Self.tickets(in: directory).last.flatMap { UInt64($0) } ?? 0
            let ticket = Self.padded(last + 1)
            let file = try openFile(ticket, [.write, .create, .exclusive], in: directory)
            try file.lock(waiting: false)
            return (ticket, file)
        }
    }

    /// Gives up the lock or the place.
    deinit { if holder == nil { leaveQueue() } }

    private func leaveQueue() {
        // One that is left is found to be nobody's, and removed.
        do throws(Errno) { try remove(ticket, isDirectory: false, in: directory) } catch {}
    }

    /// Takes the lock if it is free and nobody came before.
    ///
    /// - Returns: how many are before us; 0 when the lock is ours.
    func advance() throws(Errno) -> Int {
        if holder != nil { return 0 }
        return try Self.alone(in: directory) { () throws(Errno) in
            var before = 0
            for name in try Self.tickets(in: directory) where name < ticket {
                if try isAlive(name) { before += 1 }
            }
            let file = try openFile(Self.holderName, [.write, .create], in: directory)
            guard before == 0, try file.lock(waiting: false) else { return before + 1 }
            holder = file
            leaveQueue()
            return 0
        }
    }

    /// Removes the ticket of one that has died.
    private func isAlive(_ name: String) throws(Errno) -> Bool {
        do throws(Errno) {
            guard try openFile(name, .write, in: directory).lock(waiting: false) else { return true }
            try remove(name, isDirectory: false, in: directory)
        } catch .notFound {}
        return false
    }

    /// Those of the queue in their order.
    private static func tickets(in directory: Descriptor) throws(Errno) -> [String] {
        try directory.names().map { String(decoding: $0, as: UTF8.self) }.filter { $0 != holderName }.sorted()
    }

    /// While nobody else does: whoever does makes a few calls for files only, and is soon done.
    private static func alone<Value>(in directory: Descriptor, _ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        let gate = try openDirectory(".", in: directory)
        try gate.lock(waiting: true)
        let value = try body()
        try gate.unlock()
        return value
    }

    /// As many digits as the largest number has, so that names stand in the order of numbers.
    private static func padded(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }

    /// Below a directory that only root, or the normal user who runs the gateway, can write.
    private static func queue(_ name: String, _ asRoot: Bool) throws(Errno) -> Descriptor {
        let base = asRoot ? "/var/lib/postern/locks" : "/tmp/postern-locks-\(Users.currentUID)"
        if asRoot { try makeMissingDirectory("/var/lib/postern", mode: 0o711) }
        try makeMissingDirectory(base, mode: 0o700)
        let place = try openFile(base, [.directory, .noFollow])
        let status = try place.status()
        guard status.uid == Users.currentUID, status.mode & 0o077 == 0 else { throw .accessDenied }
        do throws(Errno) { try makeDirectory(name, mode: 0o700, in: place) } catch .exists {}
        return try openFile(name, [.directory, .noFollow], in: place)
    }
}
