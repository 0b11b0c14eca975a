import ArgumentParser
import Linux
import Policy
import PolicySource

/// `postern check`: everything that is wrong or unwise in a policy.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say every fault of a policy, and run its tests.",
        discussion: "Exit status 0: the policy is sound. 1: it is not, and \"apply\" would refuse it.")

    @OptionGroup var options: PolicyOptions
    @OptionGroup var place: PlaceOptions
    @Flag(help: "Answer in JSON.")
    var json = false

    func run() throws {
        guard json else {
            let (loaded, policy) = try PolicyOptions.load(options.policy, place.surroundings, sayingTo: .standardOutput)
            return try Console.say("sound: \(PolicyOptions.summary(loaded, policy))")
        }
        let loaded = LoadedPolicy.read(options.policy, place.surroundings)
        try Console.say(loaded.json.description)
        if loaded.policy == nil { throw ExitCode(1) }
    }
}
