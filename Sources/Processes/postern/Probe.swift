import ArgumentParser
import Linux
import Policy
import PolicySource
import Sandbox

/// `postern probe`: the self-test of the commands' sandboxes on this machine.
struct Probe: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Try forbidden acts in the sandbox of a command, and run the policy's tests that say run = true.",
        discussion: """
            Each act is tried by a program of its own in the command's place: the same user, files, system calls and limits. \
            Nothing comes of it where it is allowed after all. Commands that only root can run are passed over by other users. \
            Exit status 0: all were refused and the tests passed. 1: not, or there was nothing to try.
            """)

    @Argument(help: "The command; by default all that this user can run.")
    var command: String?
    @Option(help: "The policy: a file, or a directory of *.toml.", completion: .file(extensions: ["toml"]))
    var policy = PolicyOptions.standard
    @Flag(help: "Print the answer as JSON.")
    var json = false

    func run() throws {
        let (loaded, policy) = try PolicyOptions.load(policy, namedAs: "--policy policy.toml")
        var isSound = false
        try Console.reporting { () throws(Failure) in
            let prober = try Prober(policy, files: [Machine.absolute(self.policy)])
            let commands = try chosen(policy)
            let results = commands.map { ($0, prober.probe($0)) }
            let runs = loaded.runs.filter { command == nil || prober.command(of: $0)?.name == command }.map { ($0, prober.run($0)) }
            isSound = ProbeReport.isSound(results, runs)
            try Console.write(json ? ProbeReport.json(results, runs) : ProbeReport.text(results, runs), to: .standardOutput)
        }
        if !isSound { throw ExitCode(1) }
    }

    private func chosen(_ policy: Policy) throws(Failure) -> [Command] {
        guard let name = command else { return policy.commands }
        guard let found = policy.commands.first(where: { $0.name == name }) else { throw Failure("there is no command \"\(name)\" in the policy") }
        return [found]
    }
}
