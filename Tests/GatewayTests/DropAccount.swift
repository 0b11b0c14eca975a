import Foundation
import Linux
import Testing

/// A gateway whose key `alice` has a drop account, and clients that copy files.
struct DropAccount {
    let gateway: Gateway
    /// What alice is shown as `/`.
    var inbox: String { "\(gateway.directory)/drop/alice" }

    /// - Parameters:
    ///   - drop: members of the `drop` table besides `root`.
    ///   - lines: more lines of the command.
    ///   - may: what alice may do.
    static func serving(_ drop: String = "", lines: String = "", more: String = "", may: [String] = ["inbox"], launcher: [String] = [], _ body: (DropAccount) throws -> Void) throws {
        var policy = TestPolicy(keys: [.init(name: "alice", lines: "may = \(may)")])
        policy.more = more
        policy.launcher = launcher
        policy.commands = """
            [command.inbox]
            as = "$USER"
            summary = "your reports"
            drop = { root = "$DIRECTORY/drop/<key>"\(drop.isEmpty ? "" : ", " + drop) }
            \(lines)

            """
        policy.prepare = { directory in
            try makeDirectory("\(directory)/drop", mode: 0o755)
            if isRoot, let user = try Users.named("postern-test") { try openDirectory("\(directory)/drop").changeOwner(uid: user.uid, gid: user.gid) }
        }
        try Gateway.serving(policy) { try body(DropAccount(gateway: $0)) }
    }

    static let everything = #"access = ["upload", "download", "list", "overwrite", "rename", "delete", "make_directory"]"#

    // MARK: - Clients

    private var options: [String] {
        ["-F", "\(gateway.directory)/ssh_config", "-i", "\(gateway.directory)/alice", "-o", "User=\(gateway.user.name)"]
    }

    func scp(_ words: String...) throws -> Outcome { try scp(words) }

    func scp(_ words: [String], patience: Duration = RunningProgram.patience) throws -> Outcome {
        try run(["/usr/bin/scp"] + options + words, patience: patience)
    }

    /// Runs a batch, in which each command that may fail begins with `-`.
    func sftp(_ batch: String, login: String? = nil) throws -> Outcome {
        // The first value of an option counts.
        try run(["/usr/bin/sftp", "-b", "-"] + (login.map { ["-o", "User=\($0)"] } ?? []) + options + ["gateway"], input: .bytes(Array("\(batch)\n".utf8)))
    }

    /// Speaks to the far end of a copy by hand.
    func speak(_ line: String, _ bytes: [UInt8]) throws -> Outcome { try gateway.ssh(line, input: .bytes(bytes)) }

    // MARK: - Files

    /// Writes a file for a client to send.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = "\(gateway.directory)/\(name)"
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    func received(_ name: String) throws -> [UInt8] { try readFile("\(inbox)/\(name)", limit: 1 << 28) }

    /// The names in the inbox that a consumer sees.
    var names: [String] {
        get throws {
            guard FileManager.default.fileExists(atPath: inbox) else { return [] }
            return try FileManager.default.contentsOfDirectory(atPath: inbox).filter { $0 != ".postern" }.sorted()
        }
    }

    /// What is on its way, or was left behind.
    var hidden: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "\(inbox)/.postern").filter { $0 != "lock" && $0 != "usage" }.sorted()
        }
    }
}
