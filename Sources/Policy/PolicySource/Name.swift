import Policy

/// The names of keys, commands, sandboxes and arguments (DESIGN §3).
enum Name {
    static func isValid(_ name: some Collection<UInt8>) -> Bool { NameRule.accepts(name) }

    /// Reports a name that is not one.
    static func check(_ name: Located<String>, _ noun: String, _ report: Report) -> Bool {
        if isValid(name.value.utf8) { return true }
        report.error(name.region, "\"\(name.value)\" cannot name \(noun.hasPrefix("a") ? "an" : "a") \(noun)", hint: rule)
        return false
    }

    static let rule = "a name is a lower-case letter or digit, then up to 63 of a-z, 0-9, \".\", \"_\", \"-\""
}
