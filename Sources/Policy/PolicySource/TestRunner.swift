import Policy

/// Runs a policy's own tests: decides as the gateway would, at a time and from a place where the key may enter.
struct TestRunner {
    private let policy: Policy
    private let surroundings: Surroundings
    private let report: Report

    init(_ policy: Policy, _ surroundings: Surroundings, _ report: Report) {
        self.policy = policy
        self.surroundings = surroundings
        self.report = report
    }

    /// - Returns: who asks in each of the tests; nil where the test is not sound, or nobody would get in.
    func run(_ tests: [PolicyTest]) -> [Caller?] {
        tests.map { test in
            let caller = caller(of: test)
            if let caller { run(test, caller) }
            return caller
        }
    }

    private func run(_ test: PolicyTest, _ caller: Caller) {
        let session = caller.session(login: test.login.value, now: caller.time(nearest: surroundings.now), fingerprint: "SHA256:")
        compare(Decision.decide(test.request, environment: [], in: session, commands: caller.key.may.map { policy.commands[$0] }), test)
    }

    private func caller(of test: PolicyTest) -> Caller? {
        switch test.asker {
        case .key(let name):
            guard let key = policy.key(named: name.value) else {
                let hint = Suggestion.hint(for: name.value, among: policy.keys.prefix(Self.mostSuggestions).map(\.name))
                report.error(name.region, "there is no key \"\(name.value)\"", hint: hint)
                return nil
            }
            guard policy.revoked.contains(key.fingerprint) else { return Caller(key) }
            if test.isAllowed.value { fail(test.isAllowed.region, "the key is revoked") }
            return nil
        case .certificate(let name, let principals, let keyID):
            guard let authority = policy.authorities.first(where: { $0.name == name.value }) else {
                let hint = Suggestion.hint(for: name.value, among: policy.authorities.map(\.name))
                report.error(name.region, "there is no authority \"\(name.value)\"", hint: hint)
                return nil
            }
            let claims = CertificateClaims(of: authority, principals: principals, keyID: keyID, digest: surroundings.keyIDDigest)
            do throws(CertificateRefusal) {
                return try Caller(claims, in: policy)
            } catch {
                compare(reason: "certificate: \(error)", test)
                return nil
            }
        }
    }

    private func compare(_ verdict: Verdict, _ test: PolicyTest) {
        switch verdict {
        case .run(let launch):
            guard test.isAllowed.value else {
                return fail(test.isAllowed.region, "command \"\(launch.command.name)\" allows it, as \(JSONText.line(of: launch.argv))")
            }
            if let argv = test.argv, argv.value != launch.argv { fail(argv.region, "the argv is \(JSONText.line(of: launch.argv))") }
        case .print, .help:
            guard test.isAllowed.value else { return fail(test.isAllowed.region, "it prints the help") }
            if let argv = test.argv { fail(argv.region, "it prints the help, and runs nothing") }
        case .refuse(let refusal): compare(reason: "\(refusal.reason)", test)
        }
    }

    private func compare(reason: String, _ test: PolicyTest) {
        guard !test.isAllowed.value else { return fail(test.isAllowed.region, "it is refused: \(reason)") }
        if let expected = test.reason, expected.value != reason { fail(expected.region, "the reason is \"\(VisibleText.of(reason))\"") }
    }

    private func fail(_ region: Region, _ message: String) {
        report.error(region, "the test fails: \(message)")
    }

    /// Suggestions are for people who mistype one of a few names.
    private static let mostSuggestions = 1000
}
