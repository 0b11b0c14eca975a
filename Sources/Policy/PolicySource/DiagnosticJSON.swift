public import Policy

extension Diagnostic {
    /// The fault or warning for programs.
    ///
    /// `line` and `column` count from 1, the column in bytes; both are null where the fault is of the whole file.
    public var json: JSONText {
        [
            "severity": .string(severity == .error ? "error" : "warning"),
            "name": name.map { .string($0) } ?? .null,
            "file": .string(position?.file ?? file),
            "line": position.map { .integer(Int64($0.line)) } ?? .null,
            "column": position.map { .integer(Int64($0.column)) } ?? .null,
            "length": .integer(Int64(length)),
            "message": .string(message),
            "hint": hint.map { .string($0) } ?? .null,
        ]
    }
}

extension LoadedPolicy {
    /// Whether the policy is sound, what it holds, and every fault and warning.
    public var json: JSONText {
        [
            "sound": .bool(policy != nil),
            "keys": count(policy?.keys.count),
            "commands": count(policy?.commands.count),
            "tests": .integer(Int64(testCount)),
            "diagnostics": .array(diagnostics.map(\.json)),
            "unlisted": .integer(Int64(unlisted)),
        ]
    }

    /// Null for what only a sound policy has.
    private func count(_ number: Int?) -> JSONText {
        number.map { .integer(Int64($0)) } ?? .null
    }
}
