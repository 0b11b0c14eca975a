import Foundation

/// The policy of one test, written as an administrator writes it.
///
/// In it `$USER` stands for the unix user, `$DIRECTORY` for the gateway's directory.
struct TestPolicy {
    /// A key that is made for the test, and the lines under its `public`.
    struct Key {
        var name: String
        var lines: String
        var isSecurityKey = false
    }

    /// The lines of `[gateway]`.
    var gateway = ""
    var keys = [Key(name: "alice", lines: #"may = ["sh"]"#)]
    var commands = Self.shell
    /// The host keys, the first being the one that clients know.
    var hostKeys = ["host"]
    /// What posternd is started by, in which `$DIRECTORY` stands for the gateway's: none, or a program with its first arguments.
    var launcher: [String] = []
    /// More words for posternd.
    var arguments: [String] = []
    /// What is done in the gateway's directory before it is started.
    var prepare: @Sendable (_ directory: String) throws -> Void = { _ in }
    /// Keys that are made, but not listed as such.
    var signers: [String] = []
    /// More tables, in which `$KEY(name)` stands for a public key.
    var more = ""

    /// Any script of a test, in the sandbox `tool`.
    static let shell = command("sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"], lines: "args = { script = { match = '.*' } }")

    /// A command that runs as `$USER` in `/`.
    static func command(_ name: String, usage: String? = nil, run: [String], lines: String = "") -> String {
        """
        [command.\(name)]
        as = "$USER"
        usage = "\(usage ?? name)"
        run = [\(run.map { "'\($0)'" }.joined(separator: ", "))]
        directory = "/"
        \(lines)
        \(isRoot || lines.contains("sandbox") ? "" : "sandbox = 'shared'")

        """
    }

    /// As a normal user all tests are one user, and what runs for each counts against the limit of every other.
    private static let shared = "[sandbox.shared]\nbase = 'tool'\nprocesses = 1000\n"

    func text(directory: String, user: String) throws -> String {
        var text = "version = 1\n"
        // All tests come from one address, and do much that an address is turned away for.
        let exempt = gateway.contains("exempt") ? "" : "exempt = ['127.0.0.0/8']\n"
        // Most tests stop the gateway while something runs.
        let drain = gateway.contains("drain") ? "" : "drain = '0s'\n"
        text += "[gateway]\n\(drain)\(exempt)\(gateway)\n"
        for key in keys {
            text += "[key.\(key.name)]\npublic = \"\(try publicKey("\(directory)/\(key.name).pub"))\"\n\(key.lines)\n"
        }
        var tables = more
        for signer in signers { tables = tables.replacing("$KEY(\(signer))", with: try publicKey("\(directory)/\(signer).pub")) }
        if (tables + commands).contains("sandbox = 'shared'") { text += Self.shared }
        return (text + tables + commands).replacing("$USER", with: user).replacing("$DIRECTORY", with: directory)
    }

    private func publicKey(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
