// Answers commands: Server PORT HOSTKEYFILE PUBLICKEYLINE
import SSHServer

@main struct ServerExample {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 4, let port = Int(words[1]) else { preconditionFailure("PORT HOSTKEYFILE PUBLICKEYLINE") }
        let allowed = try SSHPublicKey(line: words[3])

        let authentication = Authentication(key: { proven in
            proven.key == allowed ? .granted(saying: "welcome, \(proven.user)\n") : .refused
        })

        let server = try await SSHServer.listen(
            port: port, hostKey: try SSHPrivateKey(contentsOf: words[2]), authentication: authentication
        ) { connection in
            for try await session in connection.sessions {
                try await session.run { input, output, error in
                    guard session.command == "upper" else {
                        try await error.write("this server knows \"upper\" only\n")
                        return 127
                    }
                    for try await piece in input {
                        try await output.write(String(decoding: piece, as: UTF8.self).uppercased())
                    }
                    return 0
                }
            }
        }
        print("listening on \(server.port)")
        await server.waitUntilClosed()
    }
}
