/// The names of keys, commands, sandboxes and arguments (DESIGN §3).
enum Name {
    /// `[a-z0-9][a-z0-9._-]{0,63}`
    static func isValid(_ name: some Collection<UInt8>) -> Bool {
        guard let first = name.first, name.count <= 64, isAlphanumeric(first) else { return false }
        return name.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }

    /// Reports a name that is not one.
    static func check(_ name: Located<String>, _ noun: String, _ report: Report) -> Bool {
        if isValid(name.value.utf8) { return true }
        report.error(name.region, "\"\(name.value)\" cannot name a \(noun)", hint: rule)
        return false
    }

    static let rule = "a name is a lower-case letter or digit, then up to 63 of a-z, 0-9, \".\", \"_\", \"-\""

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
