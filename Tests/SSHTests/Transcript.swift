import Foundation
import Peers

@testable import SSHTransport

/// A session of a real client: what it was, what our server made of it, and every byte that the client sent.
///
/// As text: `client`, `arguments`, `session`, a line `event` each, then lines of hexadecimal.
struct Transcript: Sendable {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    var name: String
    /// The client's version as it says it.
    var client = ""
    /// Of `ssh`, in words.
    var arguments = ""
    /// The session identifier, in hexadecimal.
    var session = ""
    var events: [String] = []
    var bytes: [UInt8] = []

    init(name: String) { self.name = name }

    init(reading name: String) throws {
        self.init(name: name)
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            switch (parts[0], parts.last ?? "") {
            case ("#", _): break
            case ("client", let value): client = value
            case ("arguments", let value): arguments = value
            case ("session", let value): session = value
            case ("event", let value): events.append(value)
            default: bytes += Self.bytes(hex: line)
            }
        }
    }

    var text: String {
        var lines = ["# A recorded session: RecordingTests.swift says how it is made.", "client \(client)", "arguments \(arguments)", "session \(session)"]
        lines += events.map { "event \($0)" }
        for start in stride(from: 0, to: bytes.count, by: 64) { lines.append(Self.hex(bytes[start..<min(start + 64, bytes.count)])) }
        return lines.joined(separator: "\n") + "\n"
    }

    static func hex(_ bytes: some Collection<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func bytes(hex: some StringProtocol) -> [UInt8] {
        let digits = hex.compactMap { $0.hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// The server of every transcript: its randomness, its key, its offer and what its commands do never change.
    static func host(output: Int) -> ServerHost {
        var host = ServerHost(random: SeededRandom(seed: 7)) { configuration in
            configuration.transport.proposal = AlgorithmProposal(
                kex: [.curve25519, .curve25519LibSSH], hostKey: ["ssh-ed25519"], cipher: [.chacha20Poly1305])
        }
        host.checksSignatures = true
        host.program = ([UInt8](repeating: UInt8(ascii: "x"), count: output), 7)
        return host
    }

    /// How much a command prints: its last word.
    static func output(of command: String) -> Int { command.split(separator: " ").last.flatMap { Int($0) } ?? 0 }
}
