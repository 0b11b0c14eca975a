package import Files

/// Files in memory, and a record of what was done to them.
package struct MemoryFiles: FileSystem {
    package final class Upload {
        package let path: RemotePath
        package var bytes: [UInt8] = []
        package init(_ path: RemotePath) { self.path = path }
    }
    package final class Listing {
        package var left: [DirectoryEntry]
        package init(_ left: [DirectoryEntry]) { self.left = left }
    }
    package typealias Download = [UInt8]

    /// What can be looked at afterwards.
    package final class State {
        package var files: [RemotePath: [UInt8]] = [:]
        package var directories: Set<RemotePath> = [.root]
        package var discarded = 0
        package var prepared: [RemotePath] = []
        /// Bytes after which a file is refused.
        package var longest = Int.max
        package var deniesDownloads = false
        package var times: [RemotePath: FileTimes] = [:]
    }
    package let state = State()

    package init() {}

    package static func path(_ text: String) -> RemotePath {
        do { return try RemotePath(Array(text.utf8)) } catch { preconditionFailure("no path: \(text)") }
    }

    private func attributes(_ bytes: [UInt8]) -> FileAttributes { FileAttributes(kind: .file, size: UInt64(bytes.count), mode: 0o644, uid: 7, gid: 8, modified: 1_000_000_000) }

    package func attributes(of path: RemotePath) throws(FileError) -> FileAttributes {
        if let bytes = state.files[path] { return attributes(bytes) }
        guard state.directories.contains(path) else { throw FileError(.noSuchFile) }
        return FileAttributes(kind: .directory, size: 0, mode: 0o755)
    }
    package func isDirectory(_ path: RemotePath) -> Bool { state.directories.contains(path) }
    package func change(_ path: RemotePath, _ change: AttributeChange) throws(FileError) {
        if change.owner { throw FileError(.permissionDenied) }
        if let times = change.times { state.times[path] = times }
    }
    package func openDownload(_ path: RemotePath) throws(FileError) -> [UInt8] {
        if state.deniesDownloads { throw FileError(.permissionDenied) }
        guard let bytes = state.files[path] else { throw FileError(.noSuchFile) }
        return bytes
    }
    package func attributes(of download: [UInt8]) throws(FileError) -> FileAttributes { attributes(download) }
    package func read(_ download: [UInt8], at offset: UInt64, count: Int, into bytes: inout [UInt8]) throws(FileError) {
        bytes += download.dropFirst(Int(clamping: offset)).prefix(count)
    }
    package func openUpload(_ path: RemotePath, _ options: UploadOptions, mode: UInt32?) throws(FileError) -> Upload {
        if state.files[path] != nil { throw FileError(.exists, "the name is taken") }
        guard state.directories.contains(path.parent) else { throw FileError(.noSuchFile) }
        return Upload(path)
    }
    package func attributes(of upload: Upload) throws(FileError) -> FileAttributes { attributes(upload.bytes) }
    package func write(_ upload: Upload, at offset: UInt64, _ bytes: ArraySlice<UInt8>) throws(FileError) {
        let end = Int(offset) + bytes.count
        guard end <= state.longest else { throw FileError(.failure, "the quota is used up") }
        if upload.bytes.count < end { upload.bytes += repeatElement(0, count: end - upload.bytes.count) }
        upload.bytes.replaceSubrange(Int(offset)..<end, with: bytes)
    }
    package func change(_ upload: Upload, _ change: AttributeChange) throws(FileError) { try self.change(upload.path, change) }
    package func synchronize(_ upload: Upload) throws(FileError) {}
    package func prepare(_ upload: Upload) { state.prepared.append(upload.path) }
    package func publish(_ upload: Upload) throws(FileError) { state.files[upload.path] = upload.bytes }
    package func discard(_ upload: Upload) { state.discarded += 1 }
    package func openListing(_ path: RemotePath) throws(FileError) -> Listing {
        guard state.directories.contains(path) else { throw FileError(.noSuchFile) }
        let files = state.files.filter { $0.key.parent == path }.map { DirectoryEntry(name: $0.key.name, attributes: attributes($0.value)) }
        let inner = state.directories.filter { !$0.isRoot && $0.parent == path }.map { DirectoryEntry(name: $0.name, attributes: FileAttributes(kind: .directory, size: 0, mode: 0o755)) }
        return Listing((files + inner).sorted { $0.name.lexicographicallyPrecedes($1.name) })
    }
    package func entries(of listing: Listing, limit: Int) throws(FileError) -> [DirectoryEntry] {
        defer { listing.left.removeFirst(min(limit, listing.left.count)) }
        return Array(listing.left.prefix(limit))
    }
    package func makeDirectory(_ path: RemotePath, mode: UInt32?) throws(FileError) {
        guard state.directories.insert(path).inserted else { throw FileError(.exists) }
    }
    package func removeDirectory(_ path: RemotePath) throws(FileError) {
        guard state.directories.remove(path) != nil else { throw FileError(.noSuchFile) }
    }
    package func remove(_ path: RemotePath) throws(FileError) {
        guard state.files.removeValue(forKey: path) != nil else { throw FileError(.noSuchFile) }
    }
    package func rename(_ path: RemotePath, to other: RemotePath, replacing: Bool) throws(FileError) {
        guard let bytes = state.files[path] else { throw FileError(.noSuchFile) }
        guard replacing || state.files[other] == nil else { throw FileError(.exists) }
        state.files[path] = nil
        state.files[other] = bytes
    }
    package func space() throws(FileError) -> FileSpace { FileSpace(total: 8192, free: 4096, totalFiles: 10, freeFiles: 9) }
}
