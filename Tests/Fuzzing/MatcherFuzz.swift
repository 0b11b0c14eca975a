import Policy

enum MatcherFuzz {
    /// A pattern, a NUL, and a value; or a usage.
    static func run(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first else { return }
        let text = String(decoding: first.prefix(200), as: UTF8.self)
        do throws(MatcherError) {
            let matcher = try Matcher(text)
            _ = matcher.matches(Array(parts.last ?? []))
        } catch {}
        do throws(UsageError) {
            let usage = try Usage(parsing: text)
            let again = try Usage(parsing: usage.description)
            precondition(again == usage, "a usage reads as it is written")
        } catch {}
    }
}
