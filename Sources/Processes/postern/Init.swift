import ArgumentParser
import Linux
import PolicySource
import SSHKeys
import Sodium

/// `postern init`: a policy to start from, a host key and a first client key.
struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a policy to start from, a host key and a first client key.", discussion: "Nothing is overwritten.")

    @Argument(help: "Where to; by default /etc/postern for root, ./postern for others.", completion: .directory)
    var directory: String?
    @Option(name: .customLong("as"), help: "The unix user that the first commands run as.")
    var user: String?

    func run() throws {
        Sodium.initialize()
        try Console.reporting { () throws(Failure) in
            let isRoot = Users.currentUID == 0
            let account = try account(isRoot: isRoot)
            let home = Home(directory ?? (isRoot ? "/etc/postern" : "postern"))
            try home.refuseWhatIsThere()
            try home.make(mode: isRoot ? 0o755 : 0o700)
            let hostKey = try KeyPair.make(home.hostKey, comment: "host")
            let clientKey = try KeyPair.make(home.clientKey, comment: "me")
            let starter = StarterPolicy.text(user: account.name, publicKey: clientKey.line(comment: ""), directory: Machine.destination(home.directory))
            try home.write(starter, to: home.policy)
            for place in [StarterPolicy.repositories, StarterPolicy.inboxes] { try home.make(place, for: account) }
            try home.write("\(Home.hostAlias) \(hostKey.line(comment: ""))\n", to: home.knownHosts)
            try Console.say(farewell(home, account))
        }
    }

    /// Who the commands run as: never root.
    private func account(isRoot: Bool) throws(Failure) -> User {
        let found: User?
        let name: String
        do throws(Errno) {
            let current = try Users.with(uid: Users.currentUID)?.name
            name = user ?? (isRoot ? Environment.value(of: "SUDO_USER") : current) ?? "nobody"
            found = try Users.named(name)
        } catch {
            throw Failure("looking for the unix user: \(error)")
        }
        guard let found else { throw Failure("there is no unix user \"\(name)\"", hint: "say --as NAME for one that there is") }
        if found.uid == 0 { throw Failure("a command never runs as root", hint: "say --as NAME for another user") }
        return found
    }

    private func farewell(_ home: Home, _ account: User) -> String {
        let unreachable = home.isReachable(by: account) ? "" : "\nnote: \"\(account.name)\" cannot enter \(home.directory): give git and drop another place there\n"
        return """
        made in \(home.directory):
          policy.toml     who may run what: read it, change it, then "postern check \(ShellWord.quoted(home.directory))"
          host_ed25519    the gateway's key
          id_ed25519      a first client key, called "me" in the policy
          git, drop       for the repositories and the files that "me" sends
        \(unreachable)
        try it, in two terminals:
          postern serve \(ShellWord.quoted(home.directory))
          \(home.sshCommand(login: account.name, host: "127.0.0.1", port: "2222", command: "greet world"))
        """
    }
}
