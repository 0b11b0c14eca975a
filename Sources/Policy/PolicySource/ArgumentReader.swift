import Policy

/// Reads `args`: what the value of each argument may be (DESIGN §3.2).
struct ArgumentReader {
    let report: Report

    func read(_ table: Table, usage: Usage?) -> [String: ArgumentType] {
        var types: [String: ArgumentType] = [:]
        for entry in table.entries {
            let name = entry.key.value
            if let usage, !usage.argumentNames.contains(name) {
                report.error(
                    entry.key.region, "the usage has no argument \"<\(name)>\"",
                    hint: Suggestion.nearest(to: name, among: usage.argumentNames).map { "did you mean \"\($0)\"?" } ?? "write <\(name)> in \"usage\" where its value stands")
            }
            if let type = type(entry) { types[name] = type }
        }
        return types
    }

    private func type(_ entry: Table.Entry) -> ArgumentType? {
        guard case .table(let table) = entry.node.content else {
            report.error(
                entry.node.region, "\"\(entry.key.value)\" is \(entry.node.kind), not a table", hint: "as { match = 'v[0-9]+' }")
            return nil
        }
        var reader = TableReader(table, "argument \"<\(entry.key.value)>\"", report)
        let types = [match(&reader), choices(&reader), integer(&reader), path(&reader), named(&reader)].compactMap { $0 }
        reader.finish()
        guard table.entries.count == 1 else {
            report.error(entry.node.region, "an argument has exactly one type", hint: "match, one_of, integer, path_in or type")
            return nil
        }
        return types.first
    }

    private func match(_ reader: inout TableReader) -> ArgumentType? {
        guard let pattern = reader.string("match") else { return nil }
        do throws(MatcherError) {
            return try ArgumentType.match(pattern.value)
        } catch {
            report.fault(error, in: pattern)
            return nil
        }
    }

    private func choices(_ reader: inout TableReader) -> ArgumentType? {
        guard let node = reader.entry("one_of")?.node, let choices = reader.strings("one_of") else { return nil }
        return checked(choices.map(\.region), node.region) { () throws(ArgumentTypeError) in try .oneOf(choices.map(\.value)) }
    }

    private func integer(_ reader: inout TableReader) -> ArgumentType? {
        guard let node = reader.entry("integer")?.node else { return nil }
        guard case .array(let nodes) = node.content, nodes.count == 2, case .integer(let smallest) = nodes[0].content,
            case .integer(let largest) = nodes[1].content
        else {
            report.error(node.region, "\"integer\" is not two integers", hint: "the smallest and the largest, as [1, 99]")
            return nil
        }
        return checked([], node.region) { () throws(ArgumentTypeError) in try .integer(from: smallest, through: largest) }
    }

    private func path(_ reader: inout TableReader) -> ArgumentType? {
        guard let directory = reader.string("path_in") else { return nil }
        return checked([], directory.region) { () throws(ArgumentTypeError) in try .path(beneath: directory.value) }
    }

    private func named(_ reader: inout TableReader) -> ArgumentType? {
        guard let name = reader.string("type") else { return nil }
        return checked([], name.region) { () throws(ArgumentTypeError) in try .named(name.value) }
    }

    /// A type, or nil after reporting why it is none: at one of the `choices` if it is about one.
    private func checked(
        _ choices: [Region], _ region: Region, _ make: () throws(ArgumentTypeError) -> ArgumentType
    ) -> ArgumentType? {
        do throws(ArgumentTypeError) {
            return try make()
        } catch {
            switch error {
            case .choiceLength(let index, _), .choiceWithControl(let index), .choiceBeginsWithDash(let index),
                .duplicateChoice(let index):
                report.split(index < choices.count ? choices[index] : region, error.description)
            default: report.split(region, error.description)
            }
            return nil
        }
    }
}
