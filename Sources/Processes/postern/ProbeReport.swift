import Linux
import Policy
import PolicySource
import Sandbox

/// What `postern probe` found, for people and for machines.
enum ProbeReport {
    typealias Results = [(command: Command, result: Prober.Result)]
    typealias Runs = [(run: LoadedPolicy.Run, result: Prober.Result)]

    /// Nothing forbidden worked, every test passed, and something was tried at all.
    static func isSound(_ results: Results, _ runs: Runs) -> Bool {
        results.allSatisfy(\.result.isSound) && runs.allSatisfy(\.result.isSound) && results.contains(where: \.result.isTried)
    }

    static func text(_ results: Results, _ runs: Runs) -> String {
        var lines: [String] = []
        for (command, result) in results {
            lines.append("\(command.name), as \(command.account.name)")
            lines += self.lines(of: result).map { "  \($0)" }
        }
        for (run, result) in runs {
            lines.append("test of \(run.caller.key.name) as \(run.login): \(asked(run.request))")
            lines += self.lines(of: result).map { "  \($0)" }
        }
        if !results.contains(where: \.result.isTried) { lines.append("there is no command that this user can run") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of result: Prober.Result) -> [String] {
        switch result {
        case .fault(let text): return ["FAULT    \(text)"]
        case .notOurs(let reason): return ["not run  \(reason)"]
        case .ran(let status, let isExpected, let output):
            return [(isExpected ? "passed   " : "FAILED   ") + status] + (isExpected ? [] : output.split(separator: "\n").suffix(5).map { "    \($0)" })
        case .acts(let acts):
            let width = acts.map { "\($0.act)".count }.max() ?? 0
            return acts.map { act, outcome in
                (outcome.isRefused ? "refused  " : "REACHED  ") + "\(act)".padding(to: width) + "  " + words(outcome)
            } + ["\(acts.count(where: \.outcome.isRefused)) of \(acts.count) forbidden acts refused"]
        }
    }

    private static func words(_ outcome: ForbiddenAct.Outcome) -> String {
        switch outcome {
        case .worked: "it worked"
        case .reached(let errno): "the kernel looked at it: \(errno)"
        case .refused(let errno): errno.description
        case .ended: "the process was ended"
        }
    }

    private static func asked(_ request: Request) -> String {
        switch request {
        case .exec(let line): String(decoding: line, as: UTF8.self)
        case .shell: "(shell)"
        case .subsystem(let name): "(subsystem) \(name)"
        }
    }

    static func json(_ results: Results, _ runs: Runs) -> String {
        let value: JSONText = [
            "sound": .bool(isSound(results, runs)),
            "commands": .array(results.map { command, result in ["command": .string(command.name), "user": .string(command.account.name), "result": json(result)] }),
            "tests": .array(runs.map { run, result in ["key": .string(run.caller.key.name), "login": .string(run.login), "asked": .string(asked(run.request)), "result": json(result)] }),
        ]
        return "\(value)\n"
    }

    private static func json(_ result: Prober.Result) -> JSONText {
        switch result {
        case .fault(let text): ["fault": .string(text)]
        case .notOurs(let reason): ["not_run": .string(reason)]
        case .ran(let status, let isExpected, _): ["status": .string(status), "passed": .bool(isExpected)]
        case .acts(let acts):
            .array(acts.map { act, outcome in ["act": .string("\(act)"), "refused": .bool(outcome.isRefused), "answer": .string(words(outcome))] })
        }
    }
}
