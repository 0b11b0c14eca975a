/// The files that a client is shown, and what it may do to them: the protocols ask, and say what they are told.
///
/// Every function throws a ``FileError`` that the client may see; none has done anything then.
public protocol FileSystem {
    /// An open file that is read.
    associatedtype Download
    /// A file on its way in, which nobody sees yet.
    associatedtype Upload
    /// A directory that is being read.
    associatedtype Listing

    mutating func attributes(of path: RemotePath) throws(FileError) -> FileAttributes
    /// Whether a client that names this path means something in it.
    mutating func isDirectory(_ path: RemotePath) -> Bool
    mutating func change(_ path: RemotePath, _ change: AttributeChange) throws(FileError)

    mutating func openDownload(_ path: RemotePath) throws(FileError) -> Download
    mutating func attributes(of download: Download) throws(FileError) -> FileAttributes
    /// Appends what stands at `offset`, at most `count` bytes; none at the end.
    mutating func read(_ download: Download, at offset: UInt64, count: Int, into bytes: inout [UInt8]) throws(FileError)

    mutating func openUpload(_ path: RemotePath, _ options: UploadOptions, mode: UInt32?) throws(FileError) -> Upload
    mutating func attributes(of upload: Upload) throws(FileError) -> FileAttributes
    mutating func write(_ upload: Upload, at offset: UInt64, _ bytes: ArraySlice<UInt8>) throws(FileError)
    mutating func change(_ upload: Upload, _ change: AttributeChange) throws(FileError)
    mutating func synchronize(_ upload: Upload) throws(FileError)
    /// Begins what ``publish(_:)`` would have to wait for, while the sender is thought to have sent all: it may yet send more.
    mutating func prepare(_ upload: Upload)
    /// Makes a whole file appear under its name. The upload is over, also when it throws: then nothing of it is left.
    mutating func publish(_ upload: Upload) throws(FileError)
    /// Ends an upload so that nothing of it is left.
    mutating func discard(_ upload: Upload)

    mutating func openListing(_ path: RemotePath) throws(FileError) -> Listing
    /// The next entries, at most `limit`; none at the end.
    mutating func entries(of listing: Listing, limit: Int) throws(FileError) -> [DirectoryEntry]

    mutating func makeDirectory(_ path: RemotePath, mode: UInt32?) throws(FileError)
    mutating func removeDirectory(_ path: RemotePath) throws(FileError)
    mutating func remove(_ path: RemotePath) throws(FileError)
    mutating func rename(_ path: RemotePath, to other: RemotePath, replacing: Bool) throws(FileError)
    mutating func space() throws(FileError) -> FileSpace
}

extension FileSystem {
    public mutating func prepare(_ upload: Upload) {}
}

/// How a file is to be opened for writing.
public struct UploadOptions: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// It need not be there.
    public static let create = UploadOptions(rawValue: 1)
    /// What is there counts no more.
    public static let truncate = UploadOptions(rawValue: 2)
    /// It must not be there.
    public static let exclusive = UploadOptions(rawValue: 4)
    /// What is written stands behind what is there.
    public static let append = UploadOptions(rawValue: 8)
}

/// What is known of a file.
public struct FileAttributes: Equatable, Sendable {
    public enum Kind: Equatable, Sendable { case file, directory, link, other }
    public var kind: Kind
    /// In bytes.
    public var size: UInt64
    /// The permission bits.
    public var mode: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// Hard links.
    public var links: UInt32
    /// Seconds since 1970, as is ``modified``.
    public var accessed: Int64
    public var modified: Int64

    public init(
        kind: Kind, size: UInt64, mode: UInt32, uid: UInt32 = 0, gid: UInt32 = 0, links: UInt32 = 1, accessed: Int64 = 0,
        modified: Int64 = 0
    ) {
        self.kind = kind
        self.size = size
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.links = links
        self.accessed = accessed
        self.modified = modified
    }
}

/// What is to change of a file; nil stays as it is.
public struct AttributeChange: Equatable, Sendable {
    public var size: UInt64?
    /// Permission bits; others than the lower nine are never set.
    public var mode: UInt32?
    /// Seconds since 1970.
    public var times: FileTimes?
    /// It is to be somebody else's, which is always refused.
    public var owner = false

    public init(size: UInt64? = nil, mode: UInt32? = nil, times: FileTimes? = nil, owner: Bool = false) {
        self.size = size
        self.mode = mode
        self.times = times
        self.owner = owner
    }
}

/// When a file was read and changed last, in seconds since 1970.
public struct FileTimes: Equatable, Sendable {
    public var accessed: Int64
    public var modified: Int64

    public init(accessed: Int64, modified: Int64) {
        self.accessed = accessed
        self.modified = modified
    }
}

/// A name in a directory.
public struct DirectoryEntry: Equatable, Sendable {
    public var name: [UInt8]
    public var attributes: FileAttributes

    public init(name: [UInt8], attributes: FileAttributes) {
        self.name = name
        self.attributes = attributes
    }
}

/// How much there may be, and how much is left.
public struct FileSpace: Equatable, Sendable {
    /// Bytes.
    public var total: UInt64
    public var free: UInt64
    /// Files.
    public var totalFiles: UInt64
    public var freeFiles: UInt64

    public init(total: UInt64, free: UInt64, totalFiles: UInt64, freeFiles: UInt64) {
        self.total = total
        self.free = free
        self.totalFiles = totalFiles
        self.freeFiles = freeFiles
    }
}
