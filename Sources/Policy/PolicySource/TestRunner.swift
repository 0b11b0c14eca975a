public import Policy

/// Runs a policy's own tests: decides as the gateway would, at a time and from a place where the key may enter.
struct TestRunner {
    private let policy: Policy
    private let now: Int64
    private let report: Report

    init(_ policy: Policy, _ now: Int64, _ report: Report) {
        self.policy = policy
        self.now = now
        self.report = report
    }

    func run(_ tests: [PolicyTest]) {
        for test in tests { run(test) }
    }

    private func run(_ test: PolicyTest) {
        guard let key = policy.keys.first(where: { $0.name == test.key.value }) else {
            let hint = Suggestion.hint(for: test.key.value, among: policy.keys.prefix(Self.mostSuggestions).map(\.name))
            return report.error(test.key.region, "there is no key \"\(test.key.value)\"", hint: hint)
        }
        if policy.revoked.contains(key.fingerprint) {
            if test.isAllowed.value { fail(test.isAllowed.region, "the key is revoked") }
            return
        }
        let session = Session(
            key: key, login: test.login.value, peer: .init(host: key.exampleAddress, port: 50_000),
            local: .init(host: "192.0.2.2", port: 22), now: time(for: key), requestID: "00000000", fingerprintText: "SHA256:")
        compare(Decision.decide(test.request, environment: [], in: session, commands: key.may.map { policy.commands[$0] }), test)
    }

    private func compare(_ verdict: Verdict, _ test: PolicyTest) {
        switch verdict {
        case .run(let launch):
            guard test.isAllowed.value else {
                return fail(test.isAllowed.region, "command \"\(launch.command.name)\" allows it, as \(Self.list(launch.argv))")
            }
            if let argv = test.argv, argv.value != launch.argv { fail(argv.region, "the argv is \(Self.list(launch.argv))") }
        case .print, .help:
            guard test.isAllowed.value else { return fail(test.isAllowed.region, "it prints the help") }
            if let argv = test.argv { fail(argv.region, "it prints the help, and runs nothing") }
        case .refuse(let refusal):
            guard !test.isAllowed.value else { return fail(test.isAllowed.region, "it is refused: \(refusal.reason)") }
            let reason = "\(refusal.reason)"
            if let expected = test.reason, expected.value != reason { fail(expected.region, "the reason is \"\(reason)\"") }
        }
    }

    private func fail(_ region: Region, _ message: String) {
        report.error(region, "the test fails: \(message)")
    }

    private func time(for key: Key) -> Int64 {
        let begun = max(now, key.notBefore ?? now)
        return min(begun, (key.expires ?? .max) - 1)
    }

    private static func list(_ argv: [String]) -> String {
        "[" + argv.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    }

    /// Suggestions are for people who mistype one of a few names.
    private static let mostSuggestions = 1000
}

extension Key {
    /// An address that the key may come from: the first of its first network that is not excluded.
    public var exampleAddress: String {
        let candidates = from.filter { !$0.isExclusion }.map { $0.network.description }
        return candidates.first { AddressPattern.list(from, admits: $0) } ?? candidates.first ?? "192.0.2.1"
    }
}
