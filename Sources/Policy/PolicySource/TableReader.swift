import Policy

/// Takes the entries of a table one by one; what nobody took is unknown, and an error.
struct TableReader {
    let table: Table
    /// What the table is, for messages: `command "release"`.
    let what: String
    let report: Report
    /// Every key asked for, for "did you mean".
    private var known: Set<String> = []
    /// Warnings silenced here by `allow_warnings`.
    private(set) var allowedWarnings: Set<String> = []

    init(_ table: Table, _ what: String, _ report: Report) {
        self.table = table
        self.what = what
        self.report = report
    }

    /// The entry called `key`, or nil where there is none.
    mutating func entry(_ key: String) -> Table.Entry? {
        known.insert(key)
        return table.entries.first { $0.key.value == key }
    }

    mutating func has(_ key: String) -> Bool { entry(key) != nil }

    /// Says that `key` must be there.
    func missing(_ key: String, hint: String? = nil) {
        report.error(table.region, "\(what) has no \"\(key)\"", hint: hint)
    }

    mutating func string(_ key: String) -> Located<String>? {
        guard let node = entry(key)?.node else { return nil }
        return text(of: node, key)
    }

    /// A string that must not be empty.
    mutating func word(_ key: String) -> Located<String>? {
        guard let text = string(key) else { return nil }
        guard text.value.isEmpty else { return text }
        report.error(text.region, "\"\(key)\" is empty")
        return nil
    }

    /// One string, or a list of strings.
    mutating func stringOrStrings(_ key: String) -> [Located<String>]? {
        guard let node = entry(key)?.node else { return nil }
        if case .string(let text) = node.content { return [Located(text, node.region)] }
        return strings(of: node, key)
    }

    mutating func strings(_ key: String) -> [Located<String>]? {
        entry(key).flatMap { strings(of: $0.node, key) }
    }

    mutating func bool(_ key: String) -> Located<Bool>? {
        guard let node = entry(key)?.node else { return nil }
        guard case .boolean(let value) = node.content else { return wrongKind(node, key, "true or false") }
        return Located(value, node.region)
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int64>) -> Located<Int64>? {
        guard let node = entry(key)?.node else { return nil }
        guard case .integer(let number) = node.content else { return wrongKind(node, key, "an integer") }
        guard range.contains(number) else {
            report.error(node.region, "\"\(key)\" is not from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return Located(number, node.region)
    }

    mutating func boolean(_ key: String) -> Located<Bool>? {
        guard let node = entry(key)?.node else { return nil }
        guard case .boolean(let flag) = node.content else { return wrongKind(node, key, "true or false") }
        return Located(flag, node.region)
    }

    mutating func bytes(_ key: String, in range: ClosedRange<UInt64>) -> Located<UInt64>? {
        let hint = "a whole number and B, KiB, MiB, GiB or TiB, as \"512MiB\""
        guard let text = entry(key).flatMap({ text(of: $0.node, key, hint: hint) }) else { return nil }
        guard let size = Quantity.bytes(text.value) else {
            report.error(text.region, "\"\(text.value)\" is not a size", hint: hint)
            return nil
        }
        guard range.contains(size) else {
            report.error(
                text.region,
                "\"\(key)\" is not from \(Quantity.text(bytes: range.lowerBound)) to \(Quantity.text(bytes: range.upperBound))")
            return nil
        }
        return Located(size, text.region)
    }

    mutating func duration(_ key: String, in range: ClosedRange<Duration>) -> Located<Duration>? {
        let hint = "a whole number and ms, s, m, h or d, as \"10m\""
        guard let text = entry(key).flatMap({ text(of: $0.node, key, hint: hint) }) else { return nil }
        guard let duration = Quantity.duration(text.value) else {
            report.error(text.region, "\"\(text.value)\" is not a duration", hint: hint)
            return nil
        }
        guard range.contains(duration) else {
            report.error(
                text.region, "\"\(key)\" is not from \(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))")
            return nil
        }
        return Located(duration, text.region)
    }

    mutating func moment(_ key: String) -> Located<Int64>? {
        guard let node = entry(key)?.node else { return nil }
        guard case .dateTime(let moment) = node.content else { return wrongKind(node, key, "a date and time") }
        guard moment.hasOffset else {
            report.error(
                node.region, "\"\(key)\" does not say its time zone", hint: "end it with Z for UTC, as 2027-01-01T00:00:00Z")
            return nil
        }
        return Located(moment.seconds, node.region)
    }

    /// Addresses and networks, of which not all are excluded.
    ///
    /// - Parameter use: what the list does with an address, in a message.
    mutating func addresses(_ key: String, use: String) -> (patterns: [AddressPattern], first: Region?)? {
        guard let texts = stringOrStrings(key) else { return nil }
        let patterns = texts.compactMap { text -> AddressPattern? in
            do throws(AddressPatternError) {
                return try AddressPattern(parsing: text.value)
            } catch {
                report.fault(error, in: text)
                return nil
            }
        }
        if let first = texts.first, patterns.count == texts.count, patterns.allSatisfy(\.isExclusion) {
            report.error(
                first.region, "\"\(key)\" only excludes, so it \(use) nobody",
                hint: "add \"0.0.0.0/0\" and \"::/0\" for everybody else")
        }
        return (patterns, texts.first?.region)
    }

    /// A string out of `choices`.
    mutating func choice(_ key: String, of choices: [String]) -> Located<String>? {
        guard let text = string(key) else { return nil }
        return choices.contains(text.value) ? text : wrongChoice(text, key, choices)
    }

    func wrongChoice<Value>(_ text: Located<String>, _ key: String, _ choices: [String]) -> Value? {
        let list = choices.map { "\"\($0)\"" }.joined(separator: ", ")
        report.error(
            text.region, "\"\(text.value)\" is not a value of \"\(key)\"",
            hint: Suggestion.hint(for: text.value, among: choices) ?? "one of \(list)")
        return nil
    }

    mutating func table(_ key: String) -> Table? {
        guard let node = entry(key)?.node else { return nil }
        guard case .table(let table) = node.content else { return wrongKind(node, key, "a table") }
        return table
    }

    mutating func readAllowedWarnings() {
        for text in strings("allow_warnings") ?? [] {
            if Warning(rawValue: text.value) == nil {
                let names = Warning.allCases.map(\.rawValue)
                report.error(
                    text.region, "no warning is called \"\(text.value)\"", hint: Suggestion.hint(for: text.value, among: names))
            }
            allowedWarnings.insert(text.value)
        }
    }

    /// Reports what was never asked for.
    func finish() {
        for entry in table.entries where !known.contains(entry.key.value) {
            let noun = if case .table = entry.node.content { "table" } else { "key" }
            report.error(
                entry.key.region, "\(what) has no \(noun) \"\(entry.key.value)\"",
                hint: Suggestion.hint(for: entry.key.value, among: known)
                    ?? "it may have \(known.sorted().joined(separator: ", "))")
        }
    }

    func text(of node: Node, _ key: String, hint: String? = nil) -> Located<String>? {
        guard case .string(let text) = node.content else { return wrongKind(node, key, "a string", hint: hint) }
        return Located(text, node.region)
    }

    func strings(of node: Node, _ key: String) -> [Located<String>]? {
        guard case .array(let nodes) = node.content else {
            if case .string = node.content { return wrongKind(node, key, "a list of strings", hint: "as [\"one\", \"two\"]") }
            return wrongKind(node, key, "a list of strings")
        }
        return nodes.compactMap { node in
            if case .string(let text) = node.content { return Located(text, node.region) }
            report.error(node.region, "\"\(key)\" holds \(node.kind), not only strings")
            return nil
        }
    }

    func wrongKind<Value>(_ node: Node, _ key: String, _ wanted: String, hint: String? = nil) -> Value? {
        report.error(node.region, "\"\(key)\" is \(node.kind), not \(wanted)", hint: hint)
        return nil
    }
}
