import Files
import Gcrypt
import Linux

/// The files that a client is shown: the directory this process was started in, with what its key may do there.
struct Inbox: FileSystem {
    typealias Download = Descriptor
    typealias Upload = UploadFile
    typealias Listing = DirectoryListing

    let root: Descriptor
    let settings: Settings
    let reporter: Reporter
    /// Made when something is taken for the first time.
    var storage: Storage?
    /// What this connection has sent, which its sender may look at.
    var sent: Set<RemotePath> = []
    /// What this connection is sending: it sees these files as if they were there.
    var uploads: [RemotePath: UploadFile] = [:]

    /// What taking files needs.
    struct Storage {
        let hidden: HiddenDirectory
        /// Nil without a limit.
        let quota: Quota?
    }

    /// More than these are not remembered.
    static let mostSent = 20_000

    init(_ settings: Settings, _ reporter: Reporter) throws(Settings.Fault) {
        self.reporter = reporter
        self.settings = settings
        do throws(Errno) {
            root = try openFile(".", .directory)
        } catch {
            throw Settings.Fault(text: "the directory cannot be opened: \(error)")
        }
        if settings.access.contains(.upload) { Gcrypt.initialize() }
    }

    func may(_ access: Access) -> Bool { settings.access.contains(access) }

    /// - Throws: without the right.
    func require(_ access: Access) throws(FileError) {
        if !may(access) { throw FileError(.permissionDenied) }
    }

    // MARK: - Names

    /// The directory that a path stands in, and its name there.
    func place(_ path: RemotePath) throws(FileError) -> (parent: Descriptor, name: [UInt8]) {
        guard !path.isRoot else { throw FileError(.failure, "that is the directory itself") }
        let parent = path.parent
        return (parent.isRoot ? root : try open(parent, .directory), path.name)
    }

    /// - Throws: for what is hidden as if it were not there.
    func checkIsShown(_ path: RemotePath) throws(FileError) {
        if path.isWithin(HiddenDirectory.name) { throw FileError(.noSuchFile) }
    }

    /// - Throws: for a name that nothing of a client's may have.
    func checkIsFree(_ path: RemotePath) throws(FileError) {
        if path.isWithin(HiddenDirectory.name) { throw FileError(.permissionDenied, "the name is reserved") }
    }

    func open(_ path: RemotePath, _ flags: OpenFlags) throws(FileError) -> Descriptor {
        try checkIsShown(path)
        return try asking { () throws(Errno) in try root.openBeneath(path.relative, flags.union(.noFollow)) }
    }

    /// What is at a path, whoever may know.
    func status(_ path: RemotePath) throws(FileError) -> FileStatus {
        if path.isRoot { return try asking { () throws(Errno) in try root.status() } }
        try checkIsShown(path)
        let (parent, name) = try place(path)
        return try asking { () throws(Errno) in try parent.status(of: name) }
    }

    /// Whether a new file may be called so.
    func checkName(_ path: RemotePath) throws(FileError) {
        try checkIsFree(path)
        guard settings.names.isEmpty || settings.names.contains(where: { $0.matches(path.name) }) else {
            throw FileError(.permissionDenied, "a file of this name is not taken here")
        }
    }

    // MARK: - Looking

    func attributes(of path: RemotePath) throws(FileError) -> FileAttributes {
        if let upload = uploads[path] { return try attributes(of: upload) }
        let isKnown = path.isRoot || sent.contains(path) || may(.list) || may(.download)
        guard isKnown || may(.makeDirectory) else { throw FileError(.noSuchFile) }
        let status = try status(path)
        guard isKnown || status.kind == .directory else { throw FileError(.noSuchFile) }
        return FileAttributes(status)
    }

    func isDirectory(_ path: RemotePath) -> Bool {
        do throws(FileError) { return try status(path).kind == .directory } catch { return false }
    }

    func openListing(_ path: RemotePath) throws(FileError) -> DirectoryListing {
        try require(.list)
        let directory = try open(path, .directory)
        return DirectoryListing(directory, try asking { () throws(Errno) in try DirectoryReader(directory) }, isRoot: path.isRoot)
    }

    func entries(of listing: DirectoryListing, limit: Int) throws(FileError) -> [DirectoryEntry] { listing.next(limit) }

    // MARK: - Downloads

    func openDownload(_ path: RemotePath) throws(FileError) -> Descriptor {
        try require(.download)
        // A FIFO in its place is not waited for.
        let file = try open(path, .nonBlocking)
        guard try asking({ () throws(Errno) in try file.status() }).kind == .file else { throw FileError(.failure, "not a regular file") }
        return file
    }

    func attributes(of download: Descriptor) throws(FileError) -> FileAttributes {
        FileAttributes(try asking { () throws(Errno) in try download.status() })
    }

    func read(_ download: Descriptor, at offset: UInt64, count: Int, into bytes: inout [UInt8]) throws(FileError) {
        let (start, end) = (bytes.count, bytes.count + count)
        do throws(Errno) {
            while bytes.count < end {
                let place = offset + UInt64(bytes.count - start)
                if try download.read(at: place, count: end - bytes.count, appendingTo: &bytes) == 0 { break }
            }
        } catch {
            bytes.removeSubrange(start...)
            throw FileError(error)
        }
    }

    // MARK: - Space

    mutating func space() throws(FileError) -> FileSpace {
        let all = try asking { () throws(Errno) in try root.fileSystemSpace() }
        var space = FileSpace(total: all.bytes, free: all.freeBytes, totalFiles: all.files, freeFiles: all.freeFiles)
        guard may(.upload), let quota = try taking().quota else { return space }
        let allowed = try quota.space
        space.total = min(space.total, allowed.total)
        space.free = min(space.free, allowed.free)
        space.totalFiles = min(space.totalFiles, allowed.totalFiles)
        space.freeFiles = min(space.freeFiles, allowed.freeFiles)
        return space
    }

    /// What taking files needs, made once.
    mutating func taking() throws(FileError) -> Storage {
        if let storage { return storage }
        let hidden = try asking { () throws(Errno) in try HiddenDirectory(in: root) }
        let isLimited = settings.quota != nil || settings.maxFiles != nil
        let made = Storage(hidden: hidden, quota: isLimited ? try Quota(bytes: settings.quota, files: settings.maxFiles, root, hidden) : nil)
        storage = made
        return made
    }
}

/// A directory that is being read.
final class DirectoryListing {
    private let directory: Descriptor
    private let reader: DirectoryReader
    private let isRoot: Bool

    init(_ directory: Descriptor, _ reader: DirectoryReader, isRoot: Bool) {
        self.directory = directory
        self.reader = reader
        self.isRoot = isRoot
    }

    /// What goes while it is read is left out.
    func next(_ limit: Int) -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        while entries.count < limit, let name = reader.next() {
            if isRoot && name == HiddenDirectory.name { continue }
            do throws(Errno) {
                entries.append(DirectoryEntry(name: name, attributes: FileAttributes(try directory.status(of: name))))
            } catch {}
        }
        return entries
    }
}

extension FileAttributes {
    init(_ status: FileStatus) {
        let kind: Kind =
            switch status.kind {
            case .file: .file
            case .directory: .directory
            case .link: .link
            default: .other
            }
        self.init(
            kind: kind, size: UInt64(clamping: status.size), mode: status.mode & 0o777, uid: status.uid, gid: status.gid,
            links: UInt32(clamping: status.links), accessed: status.accessed / 1_000_000_000, modified: status.modified / 1_000_000_000)
    }
}
