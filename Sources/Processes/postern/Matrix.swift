import ArgumentParser
import Linux
import Policy
import PolicySource
import SSHKeys
import Sodium

/// `postern matrix`: which keys reach which commands.
struct Matrix: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say which keys reach which commands, and why not.",
        discussion: "The policy can be a compiled one too. Exit status 1: it is not sound.")

    @Argument(help: "The policy: a file, a directory of *.toml, or a compiled policy.", completion: .file())
    var policy = PolicyOptions.standard
    @Option(help: "The client's address; by default any that the key may come from.")
    var from: String?
    @OptionGroup var place: PlaceOptions
    @Flag(help: "Answer in JSON.")
    var json = false

    func validate() throws {
        if let from, IPAddress(from) == nil { throw ValidationError("\"\(from)\" is not an address") }
    }

    func run() throws {
        Sodium.initialize()
        let policy = try PolicyFile.read(policy, place.surroundings, orExit: 1)
        let reach = Reach(of: policy, at: Clock.unixSeconds, from: from)
        try Console.reporting { () throws(Failure) in
            try Console.write(json ? reach.json.description + "\n" : reach.text(hasAddress: from != nil), to: .standardOutput)
        }
    }
}

extension Reach {
    /// A line for each key and command, in columns.
    func text(hasAddress: Bool) -> String {
        var lines = [["key", "login", "command", "reached"]]
        for row in rows {
            lines.append([row.key.name, row.command.login, row.command.name, answer(row, hasAddress)])
        }
        lines += idleKeys.map { [$0, "-", "-", "no: the key may run nothing"] }
        lines += unusedCommands.map { ["-", $0.login, $0.name, "no: no key may run it"] }
        return TextTable.text(lines)
    }

    private func answer(_ row: Row, _ hasAddress: Bool) -> String {
        if let obstacle = row.obstacle { return "no: \(obstacle.text)" }
        var conditions: [String] = []
        if !hasAddress, !row.key.from.isEmpty { conditions.append("from \(row.key.from.map(\.description).joined(separator: " "))") }
        if let expires = row.key.expires { conditions.append("until \(Moment.text(expires))") }
        return conditions.isEmpty ? "yes" : "yes, " + conditions.joined(separator: ", ")
    }

    var json: JSONText {
        [
            "rows": .array(rows.map(\.json)),
            "idle_keys": .array(idleKeys.map { .string($0) }),
            "unused_commands": .array(unusedCommands.map { .string($0.name) }),
        ]
    }
}

extension Reach.Obstacle {
    fileprivate var text: String {
        switch self {
        case .revoked: "revoked"
        case .notYetValid(let time): "not yet valid, until \(Moment.text(time))"
        case .expired(let time): "expired, \(Moment.text(time))"
        case .wrongAddress: "wrong address"
        case .hidden(let name): "\(name) comes first and takes all its lines"
        }
    }

    /// For programs.
    fileprivate var word: String {
        switch self {
        case .revoked: "revoked"
        case .notYetValid: "not-yet-valid"
        case .expired: "expired"
        case .wrongAddress: "wrong-address"
        case .hidden: "hidden"
        }
    }
}

extension Reach.Row {
    fileprivate var json: JSONText {
        var hider: String?
        if case .hidden(let name)? = obstacle { hider = name }
        return [
            "key": .string(key.name),
            "fingerprints": .array(fingerprints.map { .string(PublicKey.fingerprintText($0)) }),
            "login": .string(command.login),
            "command": .string(command.name),
            "usage": command.usage.map { .string($0.description) } ?? .null,
            "subsystem": command.subsystem.map { .string($0) } ?? .null,
            "user": .string(command.account.name),
            "reached": .bool(obstacle == nil),
            "why_not": obstacle.map { .string($0.word) } ?? .null,
            "hidden_by": hider.map { .string($0) } ?? .null,
            "from": .array(key.from.map { .string($0.description) }),
            "not_before": key.notBefore.map { .string(Moment.text($0)) } ?? .null,
            "expires": key.expires.map { .string(Moment.text($0)) } ?? .null,
        ]
    }
}

/// Lines of cells as columns, two spaces apart.
enum TextTable {
    static func text(_ lines: [[String]]) -> String {
        let columns = lines.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return lines.map { cells in
            let padded = cells.enumerated().map { index, cell in
                index + 1 == cells.count ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
            }
            return padded.joined(separator: "  ") + "\n"
        }.joined()
    }
}
