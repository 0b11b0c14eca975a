import Foundation
import SSHKeys
import Sodium
import Testing

/// Whether the other implementation is there to be asked.
let keygen = "/usr/bin/ssh-keygen"
let hasKeygen = FileManager.default.isExecutableFile(atPath: keygen)

@Suite("Files shared with ssh-keygen(1)", .enabled(if: hasKeygen)) struct SSHKeygenTests {
    /// Runs ssh-keygen and returns what it prints.
    func run(_ arguments: String...) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: keygen)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: text, as: UTF8.self)
    }

    /// Lends a directory that is removed afterwards.
    func withDirectory(_ body: (URL) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "postern-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(directory)
    }

    @Test func `ours is read by ssh-keygen`() throws {
        try withDirectory { directory in
            var random = SystemRandom()
            let file = PrivateKeyFile(key: .generate(), comment: "made by postern")
            let path = directory.appending(path: "key")
            try Data(file.text(random: &random)).write(to: path)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path.path)
            #expect(try run("-y", "-f", path.path) == file.publicKey.line(comment: "made by postern") + "\n")
            #expect(try run("-l", "-f", path.path).contains(file.publicKey.fingerprintText))
        }
    }

    @Test func `ssh-keygen's is read by us`() throws {
        try withDirectory { directory in
            let path = directory.appending(path: "key")
            _ = try run("-q", "-t", "ed25519", "-N", "", "-C", "made by ssh-keygen", "-f", path.path)
            let file = try PrivateKeyFile(text: Array(Data(contentsOf: path)))
            let line = try PublicKeyLine(parsing: String(contentsOf: path.appendingPathExtension("pub"), encoding: .utf8))
            #expect(line == (try PublicKeyLine(parsing: file.publicKey.line(comment: "made by ssh-keygen"))))
            #expect(file.comment == "made by ssh-keygen")
        }
    }

    @Test func `other kinds of ssh-keygen are refused for their reason`() throws {
        try withDirectory { directory in
            let locked = directory.appending(path: "locked").path
            _ = try run("-q", "-t", "ed25519", "-N", "pass", "-f", locked)
            #expect(throws: KeyError.encrypted(cipher: "aes256-ctr")) {
                try PrivateKeyFile(text: Array(Data(contentsOf: URL(fileURLWithPath: locked))))
            }
            let ecdsa = directory.appending(path: "ecdsa").path
            _ = try run("-q", "-t", "ecdsa", "-N", "", "-f", ecdsa)
            #expect(throws: KeyError.unsupported(algorithm: "ecdsa-sha2-nistp256")) {
                try PrivateKeyFile(text: Array(Data(contentsOf: URL(fileURLWithPath: ecdsa))))
            }
            #expect(throws: KeyError.unsupported(algorithm: "ecdsa-sha2-nistp256")) {
                try PublicKeyLine(parsing: String(contentsOfFile: ecdsa + ".pub", encoding: .utf8))
            }
        }
    }
}
