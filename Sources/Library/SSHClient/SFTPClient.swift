import SFTP
public import SSHBase
import SSHNIO
import SSHWire

/// The files of a server, over the subsystem `sftp` (draft-ietf-secsh-filexfer-02, version 3).
///
/// Paths are as the server has them; a relative one begins where the server puts the user. It closes with its last reference.
public final class SFTPClient: Sendable {
    private let wire: SFTPWire

    /// What is asked for at once, in bytes: every server takes it.
    static let blockBytes = 32 * 1024
    /// Blocks of one transfer that are on their way; with these the window is full, and a round trip costs nothing.
    static let mostOpen = 48
    /// More entries than a directory that is to be listed whole has.
    private static let mostEntries = 1 << 20

    fileprivate init(_ wire: SFTPWire) { self.wire = wire }

    // MARK: - Directories

    /// All that is in a directory but `.` and `..`, in the server's order.
    ///
    /// - Throws: ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func list(_ path: String) async throws(SSHFailure) -> [RemoteFile] {
        let handle = try await open(PacketType.opendir, path) { _ in }
        var files: [RemoteFile] = []
        do throws(SSHFailure) {
            while files.count < Self.mostEntries, let some = try await readDirectory(handle, path) {
                files += some.filter { $0.name != "." && $0.name != ".." }
            }
        } catch {
            await closeQuietly(handle)
            throw error
        }
        try await close(handle, path)
        return files
    }

    /// Makes a directory.
    ///
    /// - Throws: ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func makeDirectory(_ path: String) async throws(SSHFailure) {
        try await change(PacketType.mkdir, path) { writer in
            writer.text(path)
            writer.uint32(0)
        }
    }

    /// Removes a directory that is empty.
    ///
    /// - Throws: ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func removeDirectory(_ path: String) async throws(SSHFailure) { try await change(PacketType.rmdir, path) { $0.text(path) } }

    // MARK: - Names

    /// What a file is; of a link, what it leads to.
    ///
    /// - Throws: ``SSHFailure/remoteFile(path:code:message:)`` with code 2 where there is none, or why the connection ended.
    public func status(of path: String, followingLinks: Bool = true) async throws(SSHFailure) -> RemoteFileStatus {
        let reply = try await wire.ask(followingLinks ? PacketType.stat : PacketType.lstat) { $0.text(path) }
        guard case .attributes(let status) = try reply.checked(path) else { throw reply.unexpected }
        return status
    }

    /// The path from the root, as the server sees it.
    ///
    /// - Throws: ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func absolutePath(of path: String) async throws(SSHFailure) -> String {
        let reply = try await wire.ask(PacketType.realpath) { $0.text(path) }
        guard case .names(let names) = try reply.checked(path), let name = names.first?.name else { throw reply.unexpected }
        return name
    }

    /// Gives a file another name. What has that name is replaced where the server can do that, and else in the way.
    ///
    /// - Throws: ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func rename(_ path: String, to other: String) async throws(SSHFailure) {
        guard wire.replacesByRename else {
            return try await change(PacketType.rename, path) { writer in
                writer.text(path)
                writer.text(other)
            }
        }
        try await change(PacketType.extended, path) { writer in
            writer.text(SFTPWire.posixRename)
            writer.text(path)
            writer.text(other)
        }
    }

    /// Removes a file.
    ///
    /// - Throws: ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func remove(_ path: String) async throws(SSHFailure) { try await change(PacketType.remove, path) { $0.text(path) } }

    // MARK: - Contents

    /// Reads a whole file.
    ///
    /// - Parameters:
    ///   - path: its path at the server.
    ///   - limit: the most it may have, in bytes.
    /// - Throws: ``SSHFailure/tooMuchOutput(limit:)``, ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func read(_ path: String, limit: Int = 1 << 30) async throws(SSHFailure) -> [UInt8] {
        var all: [UInt8] = []
        try await download(path) { (piece) async throws(SSHFailure) in
            guard all.count + piece.count <= limit else { throw .tooMuchOutput(limit: limit) }
            all += piece
        }
        return all
    }

    /// Reads a file in pieces, in order; many are asked for before they are needed, and the next ones when a piece is taken.
    ///
    /// - Parameters:
    ///   - path: its path at the server.
    ///   - progress: told how far it has come.
    ///   - take: takes a piece.
    /// - Throws: what `take` throws, ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func download(
        _ path: String, progress: (@Sendable (TransferProgress) -> Void)? = nil, _ take: ([UInt8]) async throws(SSHFailure) -> Void
    ) async throws(SSHFailure) {
        let total = try await status(of: path).size
        let handle = try await open(PacketType.open, path) { writer in
            writer.uint32(OpenBits.read.rawValue)
            writer.uint32(0)
        }
        do throws(SSHFailure) {
            var reading = SFTPReading(wire, handle, path)
            var done: UInt64 = 0
            while let piece = try await reading.next() {
                try await take(piece)
                done += UInt64(piece.count)
                progress?(TransferProgress(bytes: done, total: total))
            }
        } catch {
            await closeQuietly(handle)
            throw error
        }
        try await close(handle, path)
    }

    /// Writes a whole file, in place of what was there.
    ///
    /// - Parameters:
    ///   - bytes: all that it is to have.
    ///   - path: its path at the server.
    ///   - progress: told how far it has come.
    /// - Throws: ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func write(_ bytes: [UInt8], to path: String, progress: (@Sendable (TransferProgress) -> Void)? = nil) async throws(SSHFailure) {
        var position = 0
        try await upload(to: path, total: UInt64(bytes.count), progress: progress) { () async throws(SSHFailure) in
            guard position < bytes.count else { return nil }
            let end = min(position + Self.blockBytes, bytes.count)
            defer { position = end }
            return Array(bytes[position..<end])
        }
    }

    /// Writes a file of pieces, in place of what was there; the next piece is asked for when there is room for it.
    ///
    /// - Parameters:
    ///   - path: its path at the server.
    ///   - total: how long it will be, for `progress`.
    ///   - progress: told how far it has come: bytes that the server has confirmed.
    ///   - next: gives the next piece; nil at the end.
    /// - Throws: what `next` throws, ``SSHFailure/remoteFile(path:code:message:)``, or why the connection ended.
    public func upload(
        to path: String, total: UInt64? = nil, progress: (@Sendable (TransferProgress) -> Void)? = nil, _ next: () async throws(SSHFailure) -> [UInt8]?
    ) async throws(SSHFailure) {
        let handle = try await open(PacketType.open, path) { writer in
            writer.uint32(OpenBits([.write, .create, .truncate]).rawValue)
            writer.uint32(0)
        }
        do throws(SSHFailure) {
            var writing = SFTPWriting(wire, handle, path) { progress?(TransferProgress(bytes: $0, total: total)) }
            while let piece = try await next() { try await writing.write(piece) }
            try await writing.finish()
        } catch {
            await closeQuietly(handle)
            throw error
        }
        try await close(handle, path)
    }

    /// Ends the subsystem; again is harmless.
    public func close() { wire.close() }

    // MARK: - Steps

    private func open(_ type: UInt8, _ path: String, _ more: @Sendable (inout WireWriter) -> Void) async throws(SSHFailure) -> [UInt8] {
        let reply = try await wire.ask(type) { writer in
            writer.text(path)
            more(&writer)
        }
        guard case .handle(let handle) = try reply.checked(path) else { throw reply.unexpected }
        return handle
    }

    private func readDirectory(_ handle: [UInt8], _ path: String) async throws(SSHFailure) -> [RemoteFile]? {
        let reply = try await wire.ask(PacketType.readdir) { $0.string(handle) }
        if reply.isEndOfFile { return nil }
        guard case .names(let names) = try reply.checked(path) else { throw reply.unexpected }
        return names
    }

    private func change(_ type: UInt8, _ path: String, _ fields: (inout WireWriter) -> Void) async throws(SSHFailure) {
        _ = try await wire.ask(type, fields).checked(path)
    }

    private func close(_ handle: [UInt8], _ path: String) async throws(SSHFailure) { try await change(PacketType.close, path) { $0.string(handle) } }

    /// After something else went wrong, which is what is told.
    private func closeQuietly(_ handle: [UInt8]) async {
        _ = await outcome { () async throws(SSHFailure) in try await self.wire.post(PacketType.close) { $0.string(handle) } }
    }
}

extension SSHClient {
    /// Opens the server's files.
    ///
    /// - Throws: ``SSHFailure/requestRefused(_:)`` where the server has no subsystem `sftp`, and what ``startSubsystem(_:environment:)`` throws.
    public func openSFTP() async throws(SSHFailure) -> SFTPClient {
        SFTPClient(try await SFTPWire.begin(on: try await startSubsystem("sftp")))
    }
}
