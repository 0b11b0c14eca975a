import Foundation
import Linux
import SSHServer
import Testing

/// A client of other make, which runs one command at a server of this package.
enum RealClient: String, CaseIterable, Sendable {
    case openSSH, dbclient, plink, asyncssh, paramiko

    /// - Parameter server: has written its known_hosts.
    func run(_ command: String, at port: Int, of server: SampleServer, input: [UInt8] = Array("in\n".utf8)) async throws -> Outcome {
        let words = try await words(server, port, command)
        return try await program(words, environment: ["HOME=\(server.workplace.directory)"], input: input)
    }

    private func words(_ server: SampleServer, _ port: Int, _ command: String) async throws -> [String] {
        let place = server.workplace
        let key = place.path("key")
        switch self {
        case .openSSH: return Self.openSSH(server, port) + ["127.0.0.1", command]
        case .dbclient:
            // Dropbear reads OpenSSH's keys once they are converted.
            _ = try await program(["/usr/lib/dropbear/dropbearconvert", "openssh", "dropbear", key, place.path("key.db")])
            return ["/usr/bin/dbclient", "-y", "-y", "-T", "-i", place.path("key.db"), "-p", "\(port)", "-l", "alice", "127.0.0.1", command]
        case .plink:
            _ = try await program(["/usr/bin/puttygen", key, "-o", place.path("key.ppk")], environment: ["HOME=\(place.directory)"])
            return [
                "/usr/bin/plink", "-batch", "-ssh", "-noagent", "-hostkey", server.hostKey.publicKey.fingerprint, "-i", place.path("key.ppk"), "-P",
                "\(port)", "-l", "alice", "127.0.0.1", command,
            ]
        case .asyncssh: return ["/usr/bin/python3", "-W", "ignore", "-c", Self.asyncSSHProgram, "\(port)", key, place.path("known_hosts"), command]
        case .paramiko: return [Environment.value(of: "POSTERN_PYTHON") ?? "/usr/bin/python3", "-W", "ignore", "-c", Self.paramikoProgram, "\(port)", key, place.path("known_hosts"), command]
        }
    }

    static func openSSH(_ server: SampleServer, _ port: Int, _ options: [String] = []) -> [String] {
        let place = server.workplace
        return [
            "/usr/bin/ssh", "-F", "/dev/null", "-i", place.path("key"), "-p", "\(port)", "-l", "alice", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes",
            "-o", "IdentityAgent=none", "-o", "UserKnownHostsFile=\(place.path("known_hosts"))", "-o", "StrictHostKeyChecking=yes", "-o", "LogLevel=INFO",
        ] + options
    }

    /// Debian's paramiko has none of our ciphers.
    static let all = allCases.filter { $0 != .paramiko || Environment.value(of: "POSTERN_PYTHON")?.isEmpty == false }

    private static let asyncSSHProgram = """
        import asyncio, asyncssh, sys
        async def main():
            port, key, known, command = sys.argv[1:]
            async with asyncssh.connect('127.0.0.1', int(port), username='alice', client_keys=[key], known_hosts=known, config=None, agent_path=None) as c:
                done = await c.run(command, input=sys.stdin.read())
                sys.stdout.write(done.stdout); sys.stderr.write(done.stderr); sys.exit(done.exit_status)
        asyncio.run(main())
        """

    private static let paramikoProgram = """
        import paramiko, sys
        port, key, known, command = sys.argv[1:]
        c = paramiko.SSHClient()
        c.load_host_keys(known)
        c.connect('127.0.0.1', int(port), username='alice', key_filename=key, look_for_keys=False, allow_agent=False)
        i, o, e = c.exec_command(command)
        i.write(sys.stdin.read()); i.channel.shutdown_write()
        sys.stdout.write(o.read().decode()); sys.stderr.write(e.read().decode())
        status = o.channel.recv_exit_status(); c.close(); sys.exit(status)
        """
}
