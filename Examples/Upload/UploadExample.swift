// Uploads so many bytes: Upload HOST PORT USER KEYFILE KNOWNHOSTS BYTES REMOTEFILE
import SSHClient

@main struct UploadExample {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 8, let port = Int(words[2]), let count = Int(words[6]) else {
            preconditionFailure("HOST PORT USER KEYFILE KNOWNHOSTS BYTES REMOTEFILE")
        }

        let client = try await SSHClient.connect(
            to: words[1], port: port, as: words[3], with: .key(try SSHPrivateKey(contentsOf: words[4])), trusting: .knownHosts(at: words[5]))
        let files = try await client.openSFTP()

        try await files.write([UInt8](repeating: 7, count: count), to: words[7]) { progress in
            if progress.bytes % (1 << 20) == 0 { print("\(progress.bytes >> 20) of \(count >> 20) MiB") }
        }
        print("\(try await files.status(of: words[7]).size ?? 0) bytes are there")
        client.close()
    }
}
