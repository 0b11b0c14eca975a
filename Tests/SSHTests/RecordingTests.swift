import Foundation
import Glibc
import SSHKeys
import SSHWire
import Sodium
import Testing

/// Makes the transcripts anew, with the `ssh` of this machine:
///
///     POSTERN_RECORD=1 swift test --filter RecordingTests
///
/// A file is named for the client's version and the scenario, so that those of other versions stay.
@Suite("Recording OpenSSH's client", .serialized, .enabled(if: ProcessInfo.processInfo.environment["POSTERN_RECORD"] != nil))
struct RecordingTests {
    struct Scenario: Sendable {
        let name: String
        let options: [String]
        let command: String
    }

    static let scenarios = [
        Scenario(name: "curve25519", options: ["-oKexAlgorithms=curve25519-sha256", "-oCiphers=chacha20-poly1305@openssh.com"], command: "print 6"),
        Scenario(name: "defaults", options: [], command: "print 40000"),
        Scenario(name: "rekey", options: ["-oRekeyLimit=1M"], command: "print 6000000"),
    ]

    @Test(arguments: scenarios) func `records`(scenario: Scenario) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "postern-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: directory) }
        signal(SIGPIPE, SIG_IGN)
        let key = directory.appending(path: "key").path()
        var random = SystemRandom()
        try Data(PrivateKeyFile(key: .generate(), comment: "throw-away").text(random: &random)).write(to: URL(filePath: key))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        // The client's bytes go through two named pipes, which need no sockets here.
        let (toServer, toClient) = (directory.appending(path: "in").path(), directory.appending(path: "out").path())
        for pipe in [toServer, toClient] { try #require(mkfifo(pipe, 0o600) == 0) }
        let arguments = scenario.options + ["deploy@postern", scenario.command]
        let client = Process()
        client.executableURL = URL(filePath: "/usr/bin/ssh")
        client.arguments =
            ["-F", "none", "-oBatchMode=yes", "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oIdentityAgent=none", "-oLogLevel=ERROR"]
            + ["-i", key, "-oProxyCommand=cat \(toClient) & exec cat > \(toServer)"] + arguments
        client.standardInput = FileHandle.nullDevice
        let printed = Pipe()
        client.standardOutput = printed
        try client.run()
        let output = try #require(FileHandle(forWritingAtPath: toClient))
        let input = try #require(FileHandle(forReadingAtPath: toServer))
        let printing = Task { printed.fileHandleForReading.readDataToEndOfFile().count }
        defer { printing.cancel() }

        var transcript = Transcript(name: scenario.name)
        var host = Transcript.host(output: Transcript.output(of: scenario.command))
        while true {
            try? output.write(contentsOf: host.takeOutput())
            let bytes = input.availableData
            if bytes.isEmpty { break }
            transcript.bytes += bytes
            host.take(bytes)
        }
        client.waitUntilExit()
        #expect(client.terminationStatus == 7)
        #expect(host.error == nil)
        transcript.arguments = "ssh " + arguments.joined(separator: " ")
        transcript.client = String(host.log[0].split(separator: " ", maxSplits: 1)[1])
        transcript.session = Transcript.hex(try #require(host.server.sessionIdentifier))
        transcript.events = host.log
        let version = transcript.client.split { $0 == "_" || $0 == " " }[1].prefix { $0 != "p" }
        try Data(transcript.text.utf8).write(to: Transcript.folder.appending(path: "openssh-\(version)-\(scenario.name).txt"))
    }
}
