import Files
import Linux
import Sodium

/// The directory in the root that no client sees: what is on its way in, and what is known of all senders together.
///
/// Each `postern-files` that takes something has a session file in it, locked as long as it lives (flock(2)): what belongs to a session
/// that is not locked was left behind by one that was killed, and the next one removes it. All changes are made under the lock of `lock`.
final class HiddenDirectory {
    static let name = Array(".postern".utf8)

    let directory: Descriptor
    /// What the names of our files begin with.
    let session: String
    private let lockFile: Descriptor
    /// Locked, and holds what this session has reserved.
    let sessionFile: Descriptor
    private var nextNumber = 0

    init(in root: Descriptor) throws(Errno) {
        do throws(Errno) { try root.makeDirectory(Self.name, mode: 0o700) } catch .exists {}
        directory = try root.openBeneath(Self.name, .directory)
        lockFile = try directory.openBeneath(Array("lock".utf8), [.readWrite, .create, .noFollow], mode: 0o600)
        session = randomBytes(count: 8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try lockFile.lock(waiting: true)
        sessionFile = try directory.openBeneath(Array("session.\(session)".utf8), [.readWrite, .create, .exclusive], mode: 0o600)
        try sessionFile.lock(waiting: true)
        try removeRemains()
        try lockFile.unlock()
    }

    /// A name for what is on its way in.
    func freshName() -> [UInt8] {
        nextNumber += 1
        return Array("\(session).\(nextNumber)".utf8)
    }

    func locked<Value>(_ body: () throws(FileError) -> Value) throws(FileError) -> Value {
        try asking { () throws(Errno) in try lockFile.lock(waiting: true) }
        defer { unlock() }
        return try body()
    }

    private func unlock() {
        do throws(Errno) { try lockFile.unlock() } catch { preconditionFailure("flock: \(error)") }
    }

    /// The session files of those that live, our own among them.
    func sessions() throws(Errno) -> [Descriptor] {
        var living: [Descriptor] = []
        for name in try directory.names() where name.starts(with: "session.".utf8) {
            do throws(Errno) { living.append(try directory.openBeneath(name)) } catch .notFound {}
        }
        return living
    }

    /// What a kill leaves the next session removes.
    deinit {
        do throws(Errno) { try directory.remove(Array("session.\(session)".utf8)) } catch {}
    }

    /// Called under the lock.
    func removeRemains() throws(Errno) {
        var living: Set<[UInt8]> = []
        let names = try directory.names()
        for name in names where name.starts(with: "session.".utf8) {
            var isLiving = name.elementsEqual("session.\(session)".utf8)
            if !isLiving { isLiving = try isLocked(name) }
            if isLiving {
                living.insert(Array(name.dropFirst(8)))
            } else {
                // One that ends at this moment removes its own.
                do throws(Errno) { try directory.remove(name) } catch .notFound {}
            }
        }
        for name in names where name.contains(UInt8(ascii: ".")) && !name.starts(with: "session.".utf8) {
            let session = Array(name.prefix { $0 != UInt8(ascii: ".") })
            if !living.contains(session) { removeUpload(name) }
        }
    }

    private func isLocked(_ name: [UInt8]) throws(Errno) -> Bool {
        do throws(Errno) {
            let file = try directory.openBeneath(name)
            return try !file.lock(waiting: false)
        } catch .notFound {
            return false
        }
    }

    /// A file, or the directory that one is looked at in.
    func removeUpload(_ name: [UInt8]) {
        do throws(Errno) {
            do throws(Errno) {
                try directory.remove(name)
            } catch .isDirectory {
                let inner = try directory.openBeneath(name, .directory)
                for file in try inner.names() { try inner.remove(file) }
                try directory.remove(name, isDirectory: true)
            }
        } catch {
            // It is tried again by the next session.
        }
    }
}
