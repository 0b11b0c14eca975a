public import Policy

/// A policy read from its source, and everything that was found wrong or unwise on the way.
public struct LoadedPolicy: Sendable {
    /// Ready to be compiled; nil if there are errors.
    public let policy: Policy?
    /// In the order of the files and of the lines in them.
    public let diagnostics: [Diagnostic]
    /// Faults beyond those listed.
    public let unlisted: Int
    /// How many of the policy's own tests there are.
    public let testCount: Int
    /// What its tests allow: something to try.
    public let examples: [Example]

    /// Those that `postern probe` runs.
    public let runs: [Run]

    /// A test with `run = true`.
    public struct Run: Sendable {
        public var caller: Caller
        public var login: String
        public var request: Request
        /// The exit status that it must end with.
        public var status: UInt8
    }

    /// A command line that a key may run.
    public struct Example: Equatable, Sendable {
        public var key: String
        public var login: String
        public var command: String
    }

    /// Reads a file, or a directory of `*.toml` in name order, checks it and runs its tests.
    public static func read(_ path: String, _ surroundings: Surroundings) -> LoadedPolicy {
        let report = Report()
        let documents = files(path, surroundings, report).compactMap { Document.read($0, report) }
        // In half a policy names would be missing only because a file could not be read.
        guard !report.hasErrors else { return LoadedPolicy(nil, report, [], []) }
        var reader = PolicyReader(surroundings, report)
        for document in documents { reader.add(document) }
        let policy = reader.policy()
        let tests = TestReader(report).read(reader.tests)
        let callers = report.hasErrors ? [] : TestRunner(policy, surroundings, report).run(tests)
        return LoadedPolicy(report.hasErrors ? nil : policy, report, tests, callers)
    }

    /// Every fault and warning as text, each line with its line feed.
    public var text: String {
        let more = unlisted == 0 ? [] : ["and \(unlisted) more"]
        return (diagnostics.map(\.description) + more).map { $0 + "\n" }.joined()
    }

    private init(_ policy: Policy?, _ report: Report, _ tests: [PolicyTest], _ callers: [Caller?]) {
        self.policy = policy
        diagnostics = report.sorted
        unlisted = report.unlisted
        testCount = tests.count
        runs = zip(tests, callers).compactMap { test, caller in
            guard let caller, let status = test.runsTo else { return nil }
            return Run(caller: caller, login: test.login.value, request: test.request, status: status)
        }
        examples = tests.compactMap { test in
            guard test.isAllowed.value, case .exec(let line) = test.request, case .key(let key) = test.asker else { return nil }
            return Example(key: key.value, login: test.login.value, command: String(decoding: line, as: UTF8.self))
        }
    }

    private static func files(_ path: String, _ surroundings: Surroundings, _ report: Report) -> [SourceFile] {
        do throws(Objection) {
            guard let entries = try surroundings.entries(path, surroundings.owners) else {
                return file(path, surroundings, report).map { [$0] } ?? []
            }
            let names = entries.filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }.sorted {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
            if names.isEmpty { report.error(file: path, "no file in this directory ends in .toml") }
            return names.compactMap { file(path.hasSuffix("/") ? path + $0 : "\(path)/\($0)", surroundings, report) }
        } catch {
            report.error(file: path, error.reason, hint: error.hint)
            return []
        }
    }

    private static func file(_ path: String, _ surroundings: Surroundings, _ report: Report) -> SourceFile? {
        report.expect(path)
        do throws(Objection) {
            return SourceFile(name: path, bytes: try surroundings.read(path, surroundings.owners, largestFile))
        } catch {
            report.error(file: path, error.reason, hint: error.hint)
            return nil
        }
    }

    /// Ten thousand keys and their commands.
    private static let largestFile = 16 << 20
}
