import ArgumentParser
import Linux
import Policy
import PolicySource

/// The policy's source, and how all subcommands read it.
struct PolicyOptions: ParsableArguments {
    @Argument(help: "The policy: a file, or a directory of *.toml.", completion: .file(extensions: ["toml"]))
    var policy = PolicyOptions.standard

    static let standard = "/etc/postern/policy.toml"

    /// Reads a policy, checks it and runs its tests; what is found goes to `output`.
    ///
    /// - Parameter example: how another policy is named on this subcommand's line.
    /// - Throws: exit status 1 if it is not sound.
    static func load(
        _ path: String, _ surroundings: Surroundings = Machine.surroundings, namedAs example: String = "policy.toml", sayingTo output: Descriptor = .standardError
    ) throws -> (loaded: LoadedPolicy, policy: Policy) {
        let loaded = LoadedPolicy.read(path, surroundings)
        try Console.write(loaded.text, to: output)
        guard let policy = loaded.policy else {
            try Console.note("postern: \"\(path)\" is not sound: \(faults(in: loaded))")
            if path == standard, !Machine.surroundings.exists(path) { try Console.note("hint: that is where a policy is looked for; name yours, as \"\(example)\"") }
            throw ExitCode(1)
        }
        return (loaded, policy)
    }

    private static func faults(in loaded: LoadedPolicy) -> String {
        let number = loaded.diagnostics.count { $0.severity == .error } + loaded.unlisted
        return number == 1 ? "1 fault" : "\(number) faults"
    }

    /// What a sound policy holds, in a few words.
    static func summary(_ loaded: LoadedPolicy, _ policy: Policy) -> String {
        let authorities = policy.authorities.count
        let parts =
            [(policy.keys.count, "key", "keys")] + (authorities > 0 ? [(authorities, "authority", "authorities")] : [])
            + [(policy.commands.count, "command", "commands"), (loaded.testCount, "test", "tests"), (loaded.diagnostics.count, "warning", "warnings")]
        return parts.map { $0 == 1 ? "1 \($1)" : "\($0) \($2)" }.joined(separator: ", ")
    }
}

/// For which machine a policy is read.
struct PlaceOptions: ParsableArguments {
    @Flag(help: "Read it as for another machine: its users, programs and paths need not be here.")
    var elsewhere = false

    var surroundings: Surroundings { elsewhere ? Machine.elsewhere : Machine.surroundings }
}
