import ArgumentParser
import Linux
import Policy
import PolicySource
import SSHKeys
import Sodium

/// `postern explain`: what the gateway would do with a request, and why.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a key may do with a command line, and exactly what would be run.",
        discussion: "Exit status 0: it is allowed. 1: it is refused. Without a command line, as in \"ssh host\", the help is shown."
    )

    @Option(help: "The policy: a file, or a directory of *.toml.", completion: .file(extensions: ["toml"]))
    var policy = PolicyOptions.standard
    @Option(help: "The name of a key in the policy.")
    var key: String?
    @Option(name: .customLong("public"), help: "A public key file.", completion: .file())
    var publicKey: String?
    @Option(help: "The name to log in with.")
    var login: String
    @Option(help: "The client's address; by default one that the key may come from.")
    var from: String?
    @Option(help: "Ask for a subsystem instead of a command.")
    var subsystem: String?
    @OptionGroup var place: PlaceOptions
    @Flag(help: "Answer in JSON.")
    var json = false
    @Argument(parsing: .captureForPassthrough, help: "The command line, as one word or several.")
    var commandLine: [String] = []

    func validate() throws {
        if (key == nil) == (publicKey == nil) { throw ValidationError("either --key or --public says who asks") }
        if subsystem != nil, !words.isEmpty { throw ValidationError("a subsystem has no command line") }
    }

    func run() throws {
        Sodium.initialize()
        let (_, policy) = try PolicyOptions.load(policy, place.surroundings)
        var isAllowed = false
        try Console.reporting { () throws(Failure) in isAllowed = try explain(policy) }
        if !isAllowed { throw ExitCode(1) }
    }

    /// `--` only parts our options from the client's words.
    private var words: [String] { commandLine.first == "--" ? Array(commandLine.dropFirst()) : commandLine }

    private func explain(_ policy: Policy) throws(Failure) -> Bool {
        let key = try find(policy)
        if policy.revoked.contains(key.fingerprint) {
            throw Failure("the key \"\(key.name)\" is revoked", hint: "it opens nothing, whatever it may do")
        }
        let session = Session(
            key: key, login: login, peer: .init(host: from ?? key.exampleAddress, port: 50_000),
            local: .init(host: "192.0.2.2", port: 22),
            now: Clock.unixSeconds, requestID: "00000000", fingerprintText: SSHKeys.PublicKey.fingerprintText(key.fingerprint))
        let verdict = Decision.decide(request, environment: [], in: session, commands: key.may.map { policy.commands[$0] })
        let explanation = Explanation(key: key, session: session, policy: policy)
        let answer = json ? explanation.json(of: verdict).description + "\n" : explanation.text(of: verdict)
        try Console.write(answer, to: .standardOutput)
        if case .refuse = verdict { return false }
        return true
    }

    private var request: Request {
        if let subsystem { return .subsystem(subsystem) }
        return words.isEmpty ? .shell : .exec(Array(words.joined(separator: " ").utf8))
    }

    private func find(_ policy: Policy) throws(Failure) -> Key {
        if let name = key {
            guard let found = policy.keys.first(where: { $0.name == name }) else {
                throw Failure("there is no key \"\(name)\" in the policy")
            }
            return found
        }
        let (parsed, _) = try KeyPair.publicKey(in: publicKey ?? "")
        let fingerprint = parsed.fingerprint
        guard let found = policy.keys.first(where: { $0.fingerprint == fingerprint }) else {
            throw Failure("the key \(parsed.fingerprintText) is not in the policy", hint: "nobody can log in with it")
        }
        return found
    }
}
