import Foundation
import Linux
import Sandbox
import Testing

/// All that a frontend may try once it was taken over. One at a time: each looks for what the last one left.
@Suite(.serialized, .enabled(if: Site.isBuilt, "needs the programs of a release build: make build"))
enum Hostile {}

/// Another connection, with the frontend that is installed and OpenSSH's client, is served as ever.
func expectNormalSession(_ site: Site, _ role: Role) throws {
    let listener = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0))
    let port = try listener.localAddress().port
    let output = try memoryFile(named: "output")
    let plan = ProcessPlan(
        program: .path("/usr/bin/ssh"),
        arguments: [
            "ssh", "-F", "none", "-i", site.file("alice", Users.currentUID == 0 ? .root : .user), "-o", "IdentitiesOnly=yes",
            "-o", "UserKnownHostsFile=\(site.directory)/known_hosts", "-o", "HostKeyAlias=hostile", "-o", "BatchMode=yes", "-o", "KexAlgorithms=curve25519-sha256",
            "-p", "\(port)", "\(site.account.name)@127.0.0.1", "hello",
        ], environment: ["PATH=/usr/bin:/bin"], input: try openFile("/dev/null"), output: output, error: output)
    let client = try launch(plan)
    guard let connection = try listener.accept() else { throw Errno.wouldBlock }
    let log = try memoryFile(named: "log")
    let monitor = try Victim.start(site, role, "policy", "real", connection: connection, log: log)
    let status = try waitForExit(client).status
    try output.rewind()
    let text = String(decoding: try output.readAll(limit: 1 << 20), as: UTF8.self)
    #expect(status == .exited(0) && text == "hello\n", "\(text)")
    #expect(try waitForExit(monitor).status == .exited(0))
}
