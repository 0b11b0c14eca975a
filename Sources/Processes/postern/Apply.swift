import ArgumentParser
import Linux
import Policy
import PolicySource

/// `postern apply`: a policy that is sound goes live, another never does.
struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a policy and make it live.",
        discussion: """
            The compiled policy replaces the one before at once and whole; running gateways take it up with the next command. \
            If the policy is not sound, or anything fails, the one before stays.
            """)

    @OptionGroup var options: PolicyOptions
    @Option(name: .shortAndLong, help: "The compiled policy.", completion: .file())
    var output = Apply.standard

    static let standard = "/var/lib/postern/policy.db"

    func run() throws {
        let (loaded, policy) = try PolicyOptions.load(options.policy)
        try Console.reporting { () throws(Failure) in
            if output == Self.standard { try Self.makeHome() }
            try Self.publish(policy, as: output)
            try Console.say("applied: \(PolicyOptions.summary(loaded, policy)); live in \"\(output)\"")
        }
    }

    /// Compiles a policy and puts it into place.
    static func publish(_ policy: Policy, as path: String) throws(Failure) {
        do throws(Errno) {
            try replaceFile(path, CompiledPolicy<[UInt8]>.encode(policy), mode: 0o600)
        } catch {
            throw Failure(
                "\"\(path)\" cannot be written: \(error)",
                hint: Machine.exists(path) ? "the policy before it is still live" : nil)
        }
    }

    /// The directory that packages and `make install` make, where neither did.
    private static func makeHome() throws(Failure) {
        let directory = Machine.directory(of: standard)
        do throws(Errno) {
            try makeDirectory(directory, mode: 0o755)
        } catch .exists {
        } catch {
            throw Failure("\"\(directory)\" cannot be made: \(error)", hint: "as a normal user, say -o FILE")
        }
    }
}
