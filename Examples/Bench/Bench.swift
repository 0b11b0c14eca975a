// What bench/library measures: Bench server HOSTKEYFILE PUBLICKEYLINE | Bench client PORT KEYFILE (sessions N | bulk BYTES)
import SSHClient
import SSHServer

@main struct Bench {
    static func main() async throws {
        let words = CommandLine.arguments
        if words[1] == "server" { try await serve(words) } else { try await measure(words) }
    }

    static func serve(_ words: [String]) async throws {
        let allowed = try SSHPublicKey(line: words[3])
        let server = try await SSHServer.listen(
            port: 0, hostKey: try SSHPrivateKey(contentsOf: words[2]), authentication: Authentication(key: { $0.key == allowed ? .granted : .refused })
        ) { connection in
            for try await session in connection.sessions {
                try await session.run { _, output, _ in
                    var left = Int(session.command ?? "") ?? 0
                    let block = [UInt8](repeating: 0, count: 1 << 20)
                    while left > 0 {
                        try await output.write(left < block.count ? Array(block[..<left]) : block)
                        left -= block.count
                    }
                    return 0
                }
            }
        }
        print(server.port)
        await server.waitUntilClosed()
    }

    static func measure(_ words: [String]) async throws {
        guard let port = Int(words[2]), let count = Int(words[5]) else { return }
        let key = try SSHPrivateKey(contentsOf: words[3])
        func connect() async throws -> SSHClient {
            try await SSHClient.connect(to: "127.0.0.1", port: port, as: "bench", with: .key(key), trusting: .asking { _ in true })
        }
        let begun = ContinuousClock.now
        if words[4] == "sessions" {
            for _ in 0..<count {
                let client = try await connect()
                _ = try await client.run("0")
                client.close()
            }
        } else {
            let process = try await connect().start("\(count)")
            var bytes = 0
            for try await piece in process.standardOutput { bytes += piece.count }
            guard bytes == count else { preconditionFailure("\(bytes) bytes came") }
        }
        print((ContinuousClock.now - begun) / .seconds(1))
    }
}
