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
}
