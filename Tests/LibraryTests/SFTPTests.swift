import Linux
import SSHClient
import Synchronization
import Testing

@Suite("SFTP over SSHClient") struct SFTPTests {
    /// Files of `directory`, which is where the server's files are to be.
    private static func exercise(_ files: SFTPClient, _ directory: String) async throws {
        let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 11) }
        let confirmed = Mutex<[UInt64]>([])
        try await files.write(bytes, to: "\(directory)/one") { progress in confirmed.withLock { $0.append(progress.bytes) } }
        let seen = confirmed.withLock { $0 }
        #expect(seen.last == 3_000_001 && seen == seen.sorted() && seen.count > 90)
        let progress = Mutex<TransferProgress?>(nil)
        var all: [UInt8] = []
        try await files.download("\(directory)/one", progress: { now in progress.withLock { $0 = now } }) { (piece) async throws(SSHFailure) in all += piece }
        let isSame = all == bytes
        #expect(isSame, "\(all.count) bytes")
        #expect(progress.withLock { $0?.bytes } == 3_000_001 && progress.withLock { $0?.total } == 3_000_001)
        #expect(try await files.status(of: "\(directory)/one").size == 3_000_001)
        try await files.write([], to: "\(directory)/empty")
        #expect(try await files.read("\(directory)/empty") == [])
        try await files.rename("\(directory)/one", to: "\(directory)/two")
        try await files.makeDirectory("\(directory)/below")
        let names = try await files.list(directory)
        #expect(Set(names.map(\.name)) == ["below", "empty", "two"])
        #expect(names.first { $0.name == "below" }?.status.isDirectory == true)
        #expect(names.first { $0.name == "two" }?.status.isFile == true)
        try await files.removeDirectory("\(directory)/below")
        try await files.remove("\(directory)/two")
        await #expect(throws: SSHFailure.self) { _ = try await files.read("\(directory)/two") }
        do { _ = try await files.status(of: "\(directory)/two") } catch { guard case .remoteFile(_, 2, _) = error else { throw error } }
        await #expect(throws: SSHFailure.tooMuchOutput(limit: 10)) {
            try await files.write([UInt8](repeating: 1, count: 100), to: "\(directory)/three")
            _ = try await files.read("\(directory)/three", limit: 10)
        }
        try await files.remove("\(directory)/three")
        try await files.remove("\(directory)/empty")
        #expect(try await files.list(directory).isEmpty)
    }

    @Test func `works with OpenSSH's sftp-server`() async throws {
        let server = try await RealServer.running(.openSSH)
        let directory = server.workplace.path("files")
        try makeDirectory(directory, mode: 0o700)
        let client = try await server.connect()
        let files = try await client.openSFTP()
        try await Self.exercise(files, directory)
        #expect(try await files.absolutePath(of: directory + "/../files") == directory)
        files.close()
        await #expect(throws: SSHFailure.self) { _ = try await files.list(directory) }
        #expect(try await client.run("true").exit.isSuccess)
    }

    @Test func `works with the gateway's postern-files`() async throws {
        try await onThread {
            try DropAccount.serving(DropAccount.everything) { account in
                let connect = try account.gateway.clientOfLibrary()
                try waitFor {
                    let client = try await connect()
                    try await Self.exercise(try await client.openSFTP(), "")
                    client.close()
                }
            }
        }
    }
}
