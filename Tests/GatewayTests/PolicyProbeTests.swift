import Foundation
import Linux
import Testing

/// The worked examples, in a copy with this machine's user and with directories and programs that are there.
@Suite("policies/: probe finds nothing that works") struct PolicyProbeTests {
    static let folder =
        Environment.value(of: "POSTERN_POLICIES")
        ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "policies").path(percentEncoded: false)
    static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.filter { $0.hasSuffix(".toml") }.sorted() ?? []

    @Test func `there are examples`() { #expect(Self.names.count >= 6) }

    @Test(arguments: names) func `each forbidden act is refused in each of its sandboxes`(name: String) throws {
        let directory = "/tmp/policyprobe-\(processID)-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory(directory, mode: 0o755)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let text = try prepare(name, directory)
        let words = [try Gateway.program("postern"), "probe", "--policy", "\(directory)/\(name)"]
        var outcome = try run(words)
        // What other tests run meanwhile as the same user counts against the sandbox's limit of processes.
        _ = try becomesTrue(within: .seconds(10)) {
            guard outcome.output.contains("exec: resource temporarily unavailable") else { return true }
            outcome = try run(words)
            return false
        }
        let commands = text.matches(of: /(?m)^\[command\.[a-z0-9-]+\]/).count
        let sound = outcome.output.matches(of: /([0-9]+) of ([0-9]+) forbidden acts refused/).filter { $0.1 == $0.2 }
        let passedOver = outcome.output.matches(of: /(?m)^  not run  (path "\/proc" shows all processes: only root|(?:a drop account|a command for rsync) has its directory only with a key)/)
        // A drop account and rsync need a session; what the monitoring policy runs needs a /proc, which only root can give.
        let needing = name == "monitoring.toml" && !isRoot ? commands : text.matches(of: /(?m)^(drop|rsync) +=/).count
        #expect(sound.count == commands - needing && passedOver.count == needing, "\(outcome)")
        // With nothing to try there is nothing to be sure of.
        #expect(outcome.code == (needing == commands ? 1 : 0), "\(outcome)")
    }

    /// Returns the policy as it stands in `directory` then.
    private func prepare(_ name: String, _ directory: String) throws -> String {
        try makeDirectory("\(directory)/keys", mode: 0o755)
        for file in try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/keys") {
            try createFile("\(directory)/keys/\(file)", try readFile("\(Self.folder)/keys/\(file)", limit: 1 << 20), mode: 0o644)
        }
        for path in ["app/bin", "app/releases", "git", "partners/a", "partners/b", "data", "plugins"] {
            try FileManager.default.createDirectory(atPath: "\(directory)/srv/\(path)", withIntermediateDirectories: true)
        }
        for program in ["app/bin/release", "app/bin/status", "app/bin/logs", "plugins/check_disk", "plugins/check_load", "plugins/check_procs"] {
            try createFile("\(directory)/srv/\(program)", Array("#!/bin/sh\nexit 0\n".utf8), mode: 0o755)
        }
        // The names that clients log in with stay, so that the policy's tests do.
        let text = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
            .replacing(/(?m)^as( *)= "([a-z-]+)"/) { "as\($0.1)= \"\(Self.user)\"\nlogin = \"\($0.2)\"" }
            .replacing("/usr/lib/nagios/plugins/", with: "/srv/plugins/")
            .replacing("/srv/", with: "\(directory)/srv/")
        try createFile("\(directory)/\(name)", Array(text.utf8), mode: 0o644)
        return text
    }

    private static let user = isRoot ? "postern-test" : ((try? Users.with(uid: Users.currentUID))?.name ?? "")
}
