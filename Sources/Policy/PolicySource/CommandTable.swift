import Policy

/// The commands that were read, by name.
struct CommandTable {
    private(set) var commands: [Command] = []
    /// Nil for a command that was declared but is faulty, so that who names it is not told that there is none.
    private var indices: [String: Int?] = [:]

    mutating func add(_ name: String, _ command: Command?) {
        indices.updateValue(command.map { _ in commands.count }, forKey: name)
        if let command { commands.append(command) }
    }

    func command(at index: Int) -> Command { commands[index] }

    /// The index of a command; nil where it is faulty, or unknown, which is reported.
    func index(of name: Located<String>, _ report: Report) -> Int? {
        if let known = indices[name.value] { return known }
        report.error(
            name.region, "there is no command \"\(name.value)\"", hint: Suggestion.hint(for: name.value, among: indices.keys))
        return nil
    }

    /// The indices of a list of commands, none of them twice.
    func indices(of names: [Located<String>], _ report: Report) -> [Int] {
        var seen: Set<String> = []
        for name in names where !seen.insert(name.value).inserted {
            report.error(name.region, "command \"\(name.value)\" is there twice")
        }
        return names.compactMap { index(of: $0, report) }
    }
}
