import Policy

/// One `[[test]]` of a policy (DESIGN §3.5): what somebody asks for, and what must come of it.
struct PolicyTest: Sendable {
    var asker: Asker
    var login: Located<String>
    var request: Request
    var isAllowed: Located<Bool>
    var argv: Located<[String]>?
    /// The word that the log has for the refusal.
    var reason: Located<String>?
    /// `postern probe` really runs it, and expects this exit status.
    var runsTo: UInt8?

    /// Who asks.
    enum Asker: Sendable {
        /// A listed key, by its name.
        case key(Located<String>)
        /// Whoever shows a certificate of an authority, by the authority's name.
        case certificate(authority: Located<String>, principals: [String], keyID: String)
    }
}

/// Reads the tables of `[[test]]`.
struct TestReader {
    private let report: Report

    init(_ report: Report) { self.report = report }

    func read(_ nodes: [Node]) -> [PolicyTest] {
        nodes.compactMap { node in
            guard case .table(let table) = node.content else {
                report.error(node.region, "a test is written [[test]]")
                return nil
            }
            return test(table)
        }
    }

    private func test(_ table: Table) -> PolicyTest? {
        var reader = TableReader(table, "the test", report)
        for name in ["login", "expect"] where !reader.has(name) { reader.missing(name) }
        let asker = asker(&reader)
        let login = reader.word("login")
        let request = request(&reader)
        let expect = reader.choice("expect", of: ["allow", "refuse"])
        var argv: Located<[String]>?
        if let node = reader.entry("argv")?.node, let words = reader.strings("argv") {
            argv = Located(words.map(\.value), node.region)
        }
        let reason = reader.word("reason")
        let runs = reader.bool("run")
        let status = reader.integer("status", in: 0...255)
        reader.finish()
        if let status, runs?.value != true { report.error(status.region, "only a test with run = true has a status") }
        guard let asker, let login, let request, let expect else { return nil }
        let isAllowed = Located(expect.value == "allow", expect.region)
        if isAllowed.value, let reason { report.error(reason.region, "only a refusal has a reason") }
        if !isAllowed.value, let argv { report.error(argv.region, "only what is allowed has an argv") }
        if !isAllowed.value, let runs, runs.value { report.error(runs.region, "only what is allowed can be run") }
        var test = PolicyTest(asker: asker, login: login, request: request, isAllowed: isAllowed, argv: argv, reason: reason)
        if runs?.value == true { test.runsTo = UInt8(status?.value ?? 0) }
        return test
    }

    /// `key`, or `authority` and `principals`.
    private func asker(_ reader: inout TableReader) -> PolicyTest.Asker? {
        let key = reader.word("key")
        let authority = reader.word("authority")
        let principals = reader.stringOrStrings("principals")
        let keyID = reader.string("key_id")
        if reader.has("key") {
            for name in ["authority", "principals", "key_id"] {
                guard let entry = reader.entry(name) else { continue }
                report.error(entry.key.region, "a test is of a key or of a certificate, not both", hint: "a certificate has an authority and principals")
            }
            return key.map { .key($0) }
        }
        guard reader.has("authority") else {
            reader.missing("key", hint: "for a certificate: authority = \"staff\" and principals = [\"developers\"]")
            return nil
        }
        if !reader.has("principals") { reader.missing("principals", hint: "those in the certificate, as principals = [\"developers\"]") }
        guard let authority, let principals else { return nil }
        return .certificate(authority: authority, principals: principals.map(\.value), keyID: keyID?.value ?? Caller.anyone)
    }

    /// `command`, or `subsystem`; an empty command is none, as in `ssh host`.
    private func request(_ reader: inout TableReader) -> Request? {
        let subsystem = reader.word("subsystem")
        if let command = reader.string("command") {
            if let subsystem { report.error(subsystem.region, "a test asks for a command or a subsystem, not both") }
            return command.value.isEmpty ? .shell : .exec(Array(command.value.utf8))
        }
        if subsystem == nil, !reader.has("command"), !reader.has("subsystem") { reader.missing("command") }
        return subsystem.map { .subsystem($0.value) }
    }
}
