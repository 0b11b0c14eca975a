// Runs a command: Client HOST PORT USER KEYFILE KNOWNHOSTS COMMAND
import SSHClient

@main struct ClientExample {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 7, let port = Int(words[2]) else { preconditionFailure("HOST PORT USER KEYFILE KNOWNHOSTS COMMAND") }

        let client = try await SSHClient.connect(
            to: words[1], port: port, as: words[3], with: .key(try SSHPrivateKey(contentsOf: words[4])), trusting: .knownHosts(at: words[5]))

        let process = try await client.start(words[6])
        try await process.standardInput.finish()
        for try await piece in process.standardOutput {
            print(String(decoding: piece, as: UTF8.self), terminator: "")
        }
        print("it ended with \(try await process.waitUntilExit())")
        client.close()
    }
}
