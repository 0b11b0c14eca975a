import Foundation

/// The subcommands of `postern` and what they take, as its argument parser tells.
struct CommandTree {
    struct Command {
        /// `--name` and `-n`.
        var flags: Set<String>
        /// Of these, the ones that a value follows.
        var valued: Set<String>
        /// How many words without a dash there can be.
        var mostWords: Int
    }
    let commands: [String: Command]

    /// What every subcommand has.
    static let common: Set<String> = ["--help", "-h", "--version"]

    static func ofPostern() throws -> CommandTree {
        let answer = try Programs.run("postern --experimental-dump-help", in: Programs.package)
        let dump = try JSONDecoder().decode(Dump.self, from: Data(answer.output.utf8))
        let commands = (dump.command.subcommands ?? []).map { ($0.commandName, Command($0.arguments ?? [])) }
        return CommandTree(commands: Dictionary(uniqueKeysWithValues: commands))
    }

    /// Why `postern` would not understand these words; nil: it would.
    func fault(in words: [String]) -> String? {
        guard let name = words.first, let command = commands[name] else { return "there is no such subcommand" }
        var rest = words.dropFirst()
        var count = 0
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word.count > 1 else {
                count += 1
                // The words of a client are its own.
                if name == "explain" { break }
                continue
            }
            guard command.flags.contains(word) else { return "there is no option \(word)" }
            if command.valued.contains(word), rest.popFirst() == nil { return "\(word) needs a value" }
        }
        return count > command.mostWords ? "there are too many words" : nil
    }

    // What `--experimental-dump-help` writes, as far as it is looked at.
    private struct Dump: Decodable { var command: DumpedCommand }
    fileprivate struct DumpedCommand: Decodable {
        var commandName: String
        var subcommands: [DumpedCommand]?
        var arguments: [DumpedArgument]?
    }
    fileprivate struct DumpedArgument: Decodable {
        struct Name: Decodable { var kind: String, name: String }
        var kind: String
        var isRepeating: Bool
        var names: [Name]?
    }
}

extension CommandTree.Command {
    fileprivate init(_ arguments: [CommandTree.DumpedArgument]) {
        let names = { (argument: CommandTree.DumpedArgument) in
            (argument.names ?? []).map { $0.kind == "long" ? "--\($0.name)" : "-\($0.name)" }
        }
        flags = Set(arguments.flatMap(names))
        valued = Set(arguments.filter { $0.kind == "option" }.flatMap(names))
        let words = arguments.filter { $0.kind == "positional" }
        mostWords = words.contains(where: \.isRepeating) ? .max : words.count
    }
}
