import Foundation
import Glibc
import Linux
import SSHClient
import Testing

/// A server of other make on a free port of the loopback, which lets one key in as whoever runs the tests.
final class RealServer: @unchecked Sendable {
    let workplace: Workplace
    let port: Int
    let user: String
    private let process: RunningProgram

    enum Kind: String, CaseIterable, Sendable { case openSSH, dropbear, tinySSH }

    static func running(_ kind: Kind) async throws -> RealServer {
        let server = try RealServer(kind)
        let isUp = try await eventually { server.isListening }
        guard isUp else { throw Trouble("\(kind) does not listen on \(server.port): \(server.process.errorsSoFar)") }
        return server
    }

    private init(_ kind: Kind) throws {
        let workplace = try Workplace()
        self.workplace = workplace
        user = try #require(try Users.with(uid: Users.currentUID)).name
        port = try Self.freePort()
        let words =
            switch kind {
            case .openSSH: try Self.openSSH(workplace, port)
            case .dropbear: try Self.atHome(workplace, Self.dropbear(workplace, port))
            case .tinySSH: try Self.atHome(workplace, Self.tinySSH(workplace, port))
            }
        process = try RunningProgram(words)
    }

    deinit { try? process.kill() }

    /// The server's own key, as a client that never met it knows it.
    var hostKey: SSHPublicKey { get throws { try SSHPublicKey(line: try workplace.read("host.pub")) } }

    func connect(_ configuration: SSHClient.Configuration = .init()) async throws -> SSHClient {
        try await SSHClient.connect(to: "127.0.0.1", port: port, as: user, with: .key(workplace.key), trusting: .key(try hostKey), configuration: configuration)
    }

    private static func openSSH(_ place: Workplace, _ port: Int) throws -> [String] {
        if isRoot { try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true) }
        _ = try run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place.path("host")])
        try place.write("authorized_keys", try place.read("key.pub"))
        let lines = [
            "Port \(port)", "ListenAddress 127.0.0.1", "HostKey \(place.path("host"))", "PidFile none", "UsePAM no", "StrictModes no",
            "AuthorizedKeysFile \(place.path("authorized_keys"))", "PermitRootLogin yes", "LogLevel ERROR", "AcceptEnv WORD",
            "Subsystem sftp internal-sftp", "MaxStartups 500", "Banner \(place.path("banner"))",
        ]
        try place.write("banner", "a banner\n")
        try place.write("sshd_config", lines.joined(separator: "\n") + "\n")
        return ["/usr/sbin/sshd", "-D", "-e", "-f", place.path("sshd_config")]
    }

    private static func dropbear(_ place: Workplace, _ port: Int) throws -> String {
        let made = try run(["/usr/bin/dropbearkey", "-t", "ed25519", "-f", place.path("host")])
        try place.write("host.pub", try keyLine(in: made))
        return "exec /usr/sbin/dropbear -F -E -s -r \(place.path("host")) -P \(place.path("pid")) -p 127.0.0.1:\(port)"
    }

    private static func tinySSH(_ place: Workplace, _ port: Int) throws -> String {
        _ = try run(["/usr/sbin/tinysshd-makekey", "-q", place.path("keys")])
        let printed = try run(["/usr/sbin/tinysshd-printkey", place.path("keys")])
        try place.write("host.pub", try keyLine(in: printed))
        return "exec /usr/bin/tcpserver -HRDl0 127.0.0.1 \(port) /usr/sbin/tinysshd -q \(place.path("keys"))"
    }

    private static func keyLine(in outcome: Outcome) throws -> String {
        guard let line = outcome.output.firstMatch(of: /ssh-ed25519 [A-Za-z0-9+\/=]+/)?.output else { throw Trouble("no key: \(outcome)") }
        return String(line)
    }

    /// These two look for keys in the home directory: they see another one, in a mount namespace of their own.
    private static func atHome(_ place: Workplace, _ command: String) throws -> [String] {
        let home = try #require(try Users.with(uid: Users.currentUID)).home
        try makeDirectory(place.path("home"), mode: 0o700)
        try makeDirectory(place.path("home/.ssh"), mode: 0o700)
        try createFile(place.path("home/.ssh/authorized_keys"), Array(try place.read("key.pub").utf8), mode: 0o600)
        return ["/usr/bin/unshare", "-m", "/bin/sh", "-c", "mount --bind \(place.path("home")) \(home) && \(command)"]
    }

    private static func freePort() throws -> Int {
        let listener = try #require(try? SocketPort.free())
        return listener
    }

    private var isListening: Bool { SocketPort.isOpen(port) }
}

/// Ports of the loopback.
enum SocketPort {
    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return address
    }

    static func free() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor, $0, length) | getsockname(descriptor, $0, &length) }
        }
        guard status == 0 else { throw Trouble("no free port") }
        return Int(in_port_t(bigEndian: address.sin_port))
    }

    static func isOpen(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = address(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
    }
}
