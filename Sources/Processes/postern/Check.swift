import ArgumentParser
import Linux
import Policy
import PolicySource
import Sandbox

/// `postern check`: everything that is wrong or unwise in a policy.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say every fault of a policy, and run its tests.",
        discussion: "Exit status 0: the policy is sound. 1: it is not, and \"apply\" would refuse it.")

    @OptionGroup var options: PolicyOptions
    @OptionGroup var place: PlaceOptions
    @Flag(help: "Answer in JSON.")
    var json = false

    @Flag(help: "Instead say what this machine and this user can enforce.")
    var host = false

    func run() throws {
        if host {
            let layers = HostSupport.layers()
            return try Console.say(json ? Self.json(layers).description : Self.text(layers))
        }
        guard json else {
            let (loaded, policy) = try PolicyOptions.load(options.policy, place.surroundings, sayingTo: .standardOutput)
            return try Console.say("sound: \(PolicyOptions.summary(loaded, policy))")
        }
        let loaded = LoadedPolicy.read(options.policy, place.surroundings)
        try Console.say(loaded.json.description)
        if loaded.policy == nil { throw ExitCode(1) }
    }

    private static func json(_ layers: [HostSupport.Layer]) -> JSONText {
        .array(layers.map { ["layer": .string($0.name), "state": .string($0.state.rawValue), "text": .string($0.text)] })
    }

    private static func text(_ layers: [HostSupport.Layer]) -> String {
        let width = layers.map(\.name.count).max() ?? 0
        let lines = layers.map { layer in
            "\(layer.name.padding(to: width))  \(layer.state.rawValue.padding(to: 8))  \(layer.text)"
        }
        return lines.joined(separator: "\n") + "\na command that asks for what is refused gets exit status 125 and the reason"
    }
}

extension String {
    /// With spaces after it.
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
