import Policy

/// Reads `env` and `accept_env` of a command (DESIGN §3.2, §4.1).
struct EnvironmentReader {
    let report: Report

    /// `env`: what is set, as it was written.
    func fixed(_ table: Table) -> [EnvironmentEntry] {
        table.entries.compactMap { entry in
            let value = TableReader(table, "\"env\"", report).text(of: entry.node, entry.key.value)
            guard checkName(entry.key), let value else { return nil }
            if Self.isGateways(entry.key.value) {
                report.error(entry.key.region, "\"\(entry.key.value)\" is set by the gateway", hint: "choose another name")
            }
            return EnvironmentEntry(name: entry.key.value, value: value.value)
        }
    }

    /// `accept_env`: what a client may set, and to what.
    func accepted(_ table: Table) -> [String: Matcher] {
        var accepted: [String: Matcher] = [:]
        for entry in table.entries {
            let pattern = TableReader(table, "\"accept_env\"", report).text(of: entry.node, entry.key.value)
            guard checkName(entry.key), let pattern else { continue }
            if !CommandEnvironment.mayAccept(entry.key.value) {
                report.error(
                    entry.key.region, "\"\(entry.key.value)\" is never accepted from a client",
                    hint: "it changes what programs do; set it in \"env\" if it is always the same")
            }
            do throws(MatcherError) {
                accepted[entry.key.value] = try Matcher(pattern.value)
            } catch {
                report.fault(error, in: pattern)
            }
        }
        return accepted
    }

    /// What every client of git may say.
    var gitProtocol: Matcher? {
        do throws(MatcherError) {
            return try Matcher(GitService.protocolPattern)
        } catch {
            preconditionFailure("the pattern of GIT_PROTOCOL is none: \(error)")
        }
    }

    private func checkName(_ name: Located<String>) -> Bool {
        if CommandEnvironment.isName(name.value) { return true }
        report.error(name.region, "\"\(name.value)\" cannot name a variable", hint: "letters, digits and \"_\", not a digit first")
        return false
    }

    static func isGateways(_ name: String) -> Bool {
        name.hasPrefix("POSTERN_") || name.hasPrefix("SSH_") || name == "TMPDIR"
    }
}
