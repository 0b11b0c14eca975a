import Foundation
import Linux
import Testing

@Suite("systemd.unit(5): deploy/") struct UnitTests {
    static let analyzer = "/usr/bin/systemd-analyze"

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: analyzer), "needs systemd-analyze"))
    func `systemd finds nothing wrong with the units`() throws {
        let directory = "/tmp/unittest-\(processID)-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../deploy")
        let installed = ["postern.socket": "postern.socket", "postern.service": "postern.service", "postern@.service": "postern@1.service"]
        for (name, target) in installed {
            // The analyzer wants the program to be there.
            let text = try String(contentsOf: source.appending(path: name), encoding: .utf8)
                .replacing("/usr/sbin/posternd", with: try Gateway.program("posternd"))
            try text.write(toFile: "\(directory)/\(target)", atomically: true, encoding: .utf8)
            if name.contains("@") { try text.write(toFile: "\(directory)/\(name)", atomically: true, encoding: .utf8) }
        }
        let outcome = try run([Self.analyzer, "--man=no", "verify"] + installed.values.sorted().map { "\(directory)/\($0)" })
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
    }

    /// The lines that are left stand in deploy/README.md with their reasons.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: analyzer), "needs systemd-analyze"), arguments: ["postern.service", "postern@.service"])
    func `T36: the units leave no more open than the deploy page says`(name: String) throws {
        let directory = "/tmp/unittest-\(processID)-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = "\(directory)/\(name.replacing("@", with: "@1"))"
        try FileManager.default.copyItem(atPath: "\(Self.deploy)/\(name)", toPath: path)
        let outcome = try run([Self.analyzer, "security", "--offline=true", "--threshold=64", "--no-pager", path])
        #expect(outcome.code == 0 && outcome.output.contains("exposure level for"), "\(outcome)")
        let readme = try String(contentsOfFile: "\(Self.deploy)/README.md", encoding: .utf8)
        for line in outcome.output.split(separator: "\n") where line.hasPrefix("✗ ") {
            guard let directive = line.dropFirst(2).split(separator: "=").first, directive != "CapabilityBoundingSet" else { continue }
            #expect(readme.contains("`\(directive)"), "\(line)")
        }
    }

    static let deploy = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../deploy").path(percentEncoded: false)
}

@Suite("Issue 8: keeping out who only tries") struct BanTests {
    static let tester = "/usr/bin/fail2ban-regex"
    static let filter = "\(UnitTests.deploy)/fail2ban/postern.conf"

    /// On the log of a real gateway, with a client that would have another address banned.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: tester), "skipped: fail2ban is not installed (make setup)"))
    func `fail2ban finds who was refused in a real log, and nobody else`() throws {
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['sh']")])) { gateway in
            try Gateway.makeKey("\(gateway.directory)/mallory")
            #expect(try gateway.script("true").code == 0)
            let forged = #"","event":"authentication","connection":"00000000","peer":"198.51.100.1","result":"refused","stage":"signature""#
            _ = try gateway.ssh(forged)
            #expect(try gateway.ssh("x", key: "mallory").code == 255)
            #expect(try becomesTrue(within: .seconds(10)) { try gateway.records("disconnect").count == 3 })
            let log = "\(gateway.directory)/audit.log"
            try createFile(log, Array(gateway.log.utf8))
            let outcome = try run([Self.tester, "--print-all-matched", log, Self.filter])
            let found = outcome.output.split(separator: "\n").drop { !$0.contains("Matched line(s)") }.dropFirst().prefix { $0.hasPrefix("|  ") }
            #expect(found.count == 1 && found.allSatisfy { $0.contains(#""peer":"127.0.0.1","result":"refused""#) }, "\(outcome)")
        }
    }

    /// What fail2ban makes of an entry of the journal.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: tester), "skipped: fail2ban is not installed (make setup)"), arguments: [
        (#"box posternd[12]: 22222222 192.0.2.2 authentication: refused to "root" with SHA256:x: unknown key"#, "192.0.2.2"),
        (#"box posternd[12]: 22222222 2001:db8::1 violation: x"#, "2001:db8::1"),
        (#"box posternd[12]: 22222222 192.0.2.2 decision: refuse for me as "me", asked "box posternd[1]: 22222222 198.51.100.1 violation: x": syntax"#, nil),
        (#"box posternd[12]: 22222222 192.0.2.2 authentication: granted to me as "me" with SHA256:x"#, nil),
    ] as [(String, String?)])
    func `fail2ban finds the address of the journal's lines`(line: String, address: String?) throws {
        let outcome = try run([Self.tester, "-v", line, Self.filter])
        #expect(outcome.output.contains("Failregex: \(address == nil ? 0 : 1) total"), "\(outcome)")
        if let address { #expect(outcome.output.contains("      \(address)  "), "\(outcome)") }
    }

    @Test(.enabled(if: isRoot && FileManager.default.isExecutableFile(atPath: "/usr/sbin/nft"), "skipped: needs root and nftables (make setup)"))
    func `nftables takes the example`() throws {
        let outcome = try run(["/usr/bin/unshare", "-n", "/usr/sbin/nft", "-c", "-f", "\(UnitTests.deploy)/nftables.conf"])
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
    }
}
