import Files
import Gcrypt
import Linux

/// A file on its way in, which has no name yet, or a hidden one where the file system has no files without.
final class UploadFile {
    let path: RemotePath
    let file: Descriptor
    /// Where it will appear: what happens to the path meanwhile changes nothing.
    let parent: Descriptor
    /// In the hidden directory; nil: it has none.
    var hiddenName: [UInt8]?
    /// Where it was looked at, under its own name in a hidden directory; it has that name until it appears. Nil: it was not.
    var checked: (directory: Descriptor, name: [UInt8])?
    /// There is a file of this name, which is not to be mixed with what comes.
    let mustBeWhole: Bool
    /// The permission bits it will have.
    var mode: UInt32 { didSet { isOnDisk = false } }
    var times: FileTimes? { didSet { isOnDisk = false } }
    /// What was set aside for it.
    var reserved: Usage
    /// Its length so far, in bytes.
    private(set) var size: UInt64 = 0
    /// Something of it is missing: it must not appear.
    private(set) var fault: FileError?
    private var hash = SHA256Hash()
    /// Up to where the content is hashed, in the order it came.
    private var hashed: UInt64 = 0
    /// Whether what was hashed was changed afterwards.
    private var isHashStale = false
    /// What was written behind a gap, sorted, apart from each other.
    private var islands: [Range<UInt64>] = []

    /// All of it, as it is to appear.
    private var isOnDisk = false
    /// How often that was tried before its end.
    private var preparations = 0
    /// Once for its content, and once for times and modes that are told afterwards.
    private static let mostPreparations = 2
    /// Larger ones are not prepared, in bytes: their parts go to the disk as they come.
    private static let longestPrepared = UInt64(ServiceLimit.packet)

    /// Up to where the disk was told of what was written.
    private var started: UInt64 = 0
    /// What is written to the disk at once, in bytes.
    private static let part: UInt64 = 8 << 20

    /// Clients that write out of order have a few dozen requests under way.
    private static let mostIslands = 1024

    init(_ path: RemotePath, _ file: Descriptor, in parent: Descriptor, hiddenName: [UInt8]?, mustBeWhole: Bool, mode: UInt32, reserved: Usage) {
        self.path = path
        self.file = file
        self.parent = parent
        self.hiddenName = hiddenName
        self.mustBeWhole = mustBeWhole
        self.mode = mode
        self.reserved = reserved
    }

    /// Does a step without which the file is not what its sender means; none is done after one has failed.
    func step(_ body: () throws(FileError) -> Void) throws(FileError) {
        if let fault { throw FileError(fault.kind) }
        do throws(FileError) {
            try body()
        } catch {
            fault = error
            throw error
        }
    }

    func write(_ bytes: ArraySlice<UInt8>, at offset: UInt64) throws(FileError) {
        // Nothing written past the end makes no file longer (pwrite(2)).
        guard !bytes.isEmpty else { return }
        let range = offset..<offset + UInt64(bytes.count)
        if range.lowerBound > covered, islands.count >= Self.mostIslands { throw FileError(.failure, "too many gaps") }
        isOnDisk = false
        try asking { () throws(Errno) in try file.writeAll(bytes, at: offset) }
        size = max(size, range.upperBound)
        startWriting()
        if range.lowerBound < hashed {
            isHashStale = true
        } else if range.lowerBound == hashed {
            hash.update(bytes)
            hashed = range.upperBound
        }
        cover(range)
    }

    /// Lets the disk work while more comes, so that there is less to wait for at the end.
    private func startWriting() {
        guard size >= started + Self.part else { return }
        // Where it cannot be begun early, the end waits longer.
        do throws(Errno) { try file.startWriting(started..<size) } catch {}
        started = size
    }

    /// Waits until all of it is on the disk, with its mode and times.
    func synchronize() throws(Errno) {
        guard !isOnDisk else { return }
        try file.setMode(mode)
        if let times { try file.setTimes(accessed: times.accessed, modified: times.modified) }
        try file.synchronize()
        isOnDisk = true
    }

    /// Puts a small file on the disk before its sender says that it is whole. Where more comes after all, the disk has worked once more.
    func prepare() {
        guard preparations < Self.mostPreparations, size <= Self.longestPrepared else { return }
        preparations += 1
        // The kernel tells of a failed write to the disk once only: it is kept for the end.
        do throws(FileError) { try step { () throws(FileError) in try asking(synchronize) } } catch {}
    }

    func setLength(_ length: UInt64) throws(FileError) {
        isOnDisk = false
        try asking { () throws(Errno) in try file.setLength(length) }
        if length < size {
            if length < hashed { isHashStale = true }
            covered = min(covered, length)
            islands = islands.compactMap { $0.lowerBound >= length ? nil : $0.clamped(to: 0..<length) }
        }
        size = length
    }

    /// Up to where everything was written.
    private var covered: UInt64 = 0

    private func cover(_ range: Range<UInt64>) {
        guard range.lowerBound > covered else {
            covered = max(covered, range.upperBound)
            while let first = islands.first, first.lowerBound <= covered {
                covered = max(covered, first.upperBound)
                islands.removeFirst()
            }
            return
        }
        // Those it touches become one with it.
        let first = islands.firstIndex { $0.upperBound >= range.lowerBound } ?? islands.endIndex
        let end = islands[first...].firstIndex { $0.lowerBound > range.upperBound } ?? islands.endIndex
        let touched = islands[first..<end]
        let merged = min(range.lowerBound, touched.first?.lowerBound ?? .max)..<max(range.upperBound, touched.last?.upperBound ?? 0)
        islands.replaceSubrange(first..<end, with: [merged])
    }

    /// Whether nothing is missing that somebody could take for the content of a file that is there.
    var isWhole: Bool { !mustBeWhole || covered == size }

    /// Of the whole content; what did not come in order is read again.
    func sha256() throws(FileError) -> [UInt8] {
        if !isHashStale, hashed == size { return hash.value() }
        let again = SHA256Hash()
        var buffer = [UInt8](repeating: 0, count: ServiceLimit.packet)
        var offset: UInt64 = 0
        while true {
            let count = try asking { () throws(Errno) in try file.read(at: offset, into: &buffer, buffer.indices) }
            if count == 0 { return again.value() }
            again.update(buffer[..<count])
            offset += UInt64(count)
        }
    }
}
