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
    @Option(name: .customLong("public"), help: "A public key file, or a certificate as ssh-keygen -s makes it.", completion: .file())
    var publicKey: String?
    @Option(help: "The name of an authority in the policy, for its certificates.")
    var authority: String?
    @Option(name: .customLong("principal"), help: "With --authority: a principal in the certificate. It can be given again.")
    var principals: [String] = []
    @Option(help: "With --authority: the key id in the certificate; by default \"anyone\".")
    var keyID: String?
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
        if [key, publicKey, authority].count(where: { $0 != nil }) != 1 { throw ValidationError("one of --key, --public and --authority says who asks") }
        if authority == nil, !principals.isEmpty || keyID != nil { throw ValidationError("--principal and --key-id are for --authority") }
        if let from, IPAddress(from) == nil { throw ValidationError("\"\(from)\" is not an address") }
        if subsystem != nil, !words.isEmpty { throw ValidationError("a subsystem has no command line") }
    }

    func run() throws {
        Sodium.initialize()
        let (_, policy) = try PolicyOptions.load(policy, place.surroundings, namedAs: "--policy policy.toml")
        var isAllowed = false
        try Console.reporting { () throws(Failure) in isAllowed = try explain(policy) }
        if !isAllowed { throw ExitCode(1) }
    }

    /// `--` only parts our options from the client's words.
    private var words: [String] { commandLine.first == "--" ? Array(commandLine.dropFirst()) : commandLine }

    private func explain(_ policy: Policy) throws(Failure) -> Bool {
        let caller = try Asker(policy).caller(self)
        let fingerprint = authority == nil ? PublicKey.fingerprintText(caller.key.fingerprint) : "SHA256:…"
        let session = caller.session(login: login, from: from, now: Clock.unixSeconds, fingerprint: fingerprint)
        let verdict = Decision.decide(request, environment: [], in: session, commands: caller.key.may.map { policy.commands[$0] })
        let explanation = Explanation(caller: caller, session: session, policy: policy)
        let answer = json ? explanation.json(of: verdict).description + "\n" : explanation.text(of: verdict)
        try Console.write(answer, to: .standardOutput)
        if case .refuse = verdict { return false }
        return true
    }

    private var request: Request {
        if let subsystem { return .subsystem(subsystem) }
        return words.isEmpty ? .shell : .exec(Array(words.joined(separator: " ").utf8))
    }
}

/// Finds out who asks.
private struct Asker {
    private let policy: Policy

    init(_ policy: Policy) { self.policy = policy }

    func caller(_ options: Explain) throws(Failure) -> Caller {
        if let name = options.authority { return try certified(try claims(name, options)) }
        if let name = options.key {
            guard let found = policy.key(named: name) else { throw Failure("there is no key \"\(name)\" in the policy") }
            return try listed(found)
        }
        let path = options.publicKey ?? ""
        if let certificate = try KeyPair.certificate(in: path) {
            try checkRevoked(certificate.key.fingerprint, "the key that is certified")
            return try certified(certificate.claims)
        }
        let (parsed, _) = try KeyPair.publicKey(in: path)
        let fingerprint = parsed.fingerprint
        guard let found = policy.keys.first(where: { $0.fingerprint == fingerprint }) else {
            throw Failure("the key \(parsed.fingerprintText) is not in the policy", hint: "nobody can log in with it")
        }
        return try listed(found)
    }

    private func listed(_ key: Key) throws(Failure) -> Caller {
        try checkRevoked(key.fingerprint, "the key \"\(key.name)\"")
        return Caller(key)
    }

    private func checkRevoked(_ fingerprint: [UInt8], _ what: String) throws(Failure) {
        if policy.revoked.contains(fingerprint) { throw Failure("\(what) is revoked", hint: "it opens nothing, whatever it may do") }
    }

    private func claims(_ name: String, _ options: Explain) throws(Failure) -> CertificateClaims {
        guard let authority = policy.authorities.first(where: { $0.name == name }) else { throw Failure("there is no authority \"\(name)\" in the policy") }
        return CertificateClaims(of: authority, principals: options.principals, keyID: options.keyID ?? Caller.anyone) { RevocationList.digest(ofKeyID: $0, authority: $1) }
    }

    private func certified(_ claims: CertificateClaims) throws(Failure) -> Caller {
        do throws(CertificateRefusal) {
            return try Caller(claims, in: policy)
        } catch {
            throw Failure("the certificate opens nothing: \(error)", hint: hint(for: error, claims))
        }
    }

    private func hint(for refusal: CertificateRefusal, _ claims: CertificateClaims) -> String? {
        switch refusal {
        case .unknownAuthority: "it is signed by \(PublicKey.fingerprintText(claims.signer)), which no [authority] of the policy has"
        case .noPrincipals, .unknownPrincipals:
            policy.authority(fingerprint: claims.signer).map { "the authority \"\($0.name)\" has \($0.principals.map { "\"\($0.name)\"" }.joined(separator: ", "))" }
        case .takenKeyID: "let the authority give another one, with ssh-keygen -I: one could pass for the other"
        case .badKeyID: "let the authority give another one, with ssh-keygen -I: a lower-case letter or digit, then up to 63 of a-z, 0-9, \".\", \"_\", \"-\""
        default: nil
        }
    }
}

extension Certificate {
    /// What it says, for a policy: as the gateway has it.
    fileprivate var claims: CertificateClaims {
        CertificateClaims(
            isOfUser: kind == .user, keyID: keyID, keyIDDigest: RevocationList.digest(ofKeyID: keyID, authority: signer.fingerprint),
            signer: signer.fingerprint, fingerprint: key.fingerprint, isOfSecurityKey: key.isSecurityKey, serial: serial, principals: principals,
            validAfter: validAfter, validBefore: validBefore, forcedLine: options.forcedCommand, sourceAddress: options.sourceAddress,
            requiresVerification: options.requiresVerification, unknownOptions: options.unknown)
    }
}
