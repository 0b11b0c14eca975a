public import Policy

/// Which keys reach which commands, and what stands between.
public struct Reach: Sendable {
    /// Why a key that may run a command does not reach it.
    public enum Obstacle: Hashable, Sendable {
        /// All public keys of this name are.
        case revoked
        /// The time when the key begins, in seconds since 1970.
        case notYetValid(Int64)
        /// The time when it ended.
        case expired(Int64)
        /// The address asked about is not one of the key's.
        case wrongAddress
        /// This command comes first, and gets every line.
        case hidden(by: String)
    }

    /// A key and a command that it may run.
    public struct Row: Sendable {
        public var key: Key
        /// All public keys of this name, as SHA-256 fingerprints.
        public var fingerprints: [[UInt8]]
        public var command: Command
        /// Nil: the key reaches the command, from the addresses of its ``Key/from`` if no address was asked about.
        public var obstacle: Obstacle?
    }

    /// By key, in the order of the policy, and then in the order in which its commands are tried.
    public let rows: [Row]
    /// Names of keys that may run nothing.
    public let idleKeys: [String]
    /// Commands that no key may run.
    public let unusedCommands: [Command]

    /// Goes through a policy.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - address: a client's, as text; nil: any from which the key may come.
    public init(of policy: Policy, at now: Int64, from address: String? = nil) {
        var order: [String] = []
        var keys: [String: [Key]] = [:]
        for key in policy.keys + Self.certified(policy) {
            if keys[key.name] == nil { order.append(key.name) }
            keys[key.name, default: []].append(key)
        }
        var rows: [Row] = []
        for name in order {
            guard let same = keys[name], let key = same.first else { continue }
            let isRevoked = same.allSatisfy { policy.revoked.contains($0.fingerprint) }
            for (place, index) in key.may.enumerated() {
                let command = policy.commands[index]
                let before = key.may[..<place].map { policy.commands[$0] }
                let obstacle = (isRevoked ? .revoked : nil) ?? Self.obstacle(to: key, now, address) ?? Self.hiding(command, before).map { .hidden(by: $0.name) }
                rows.append(Row(key: key, fingerprints: same.map(\.fingerprint), command: command, obstacle: obstacle))
            }
        }
        self.rows = rows
        idleKeys = order.filter { keys[$0]?.first?.may.isEmpty ?? true }
        let used = Set((policy.keys + Self.certified(policy)).flatMap(\.may))
        unusedCommands = policy.commands.indices.filter { !used.contains($0) }.map { policy.commands[$0] }
    }

    /// For each principal of an authority a key, called `authority/principal`, that may do what its certificates may.
    private static func certified(_ policy: Policy) -> [Key] {
        policy.authorities.flatMap { authority in
            authority.principals.map {
                Key(name: "\(authority.name)/\($0.name)", fingerprint: authority.fingerprint, may: $0.may, position: authority.position)
            }
        }
    }

    private static func obstacle(to key: Key, _ now: Int64, _ address: String?) -> Obstacle? {
        if let notBefore = key.notBefore, now < notBefore { return .notYetValid(notBefore) }
        if let expires = key.expires, now >= expires { return .expired(expires) }
        if let address, !AddressPattern.list(key.from, admits: address) { return .wrongAddress }
        return nil
    }

    /// A command before another that takes all lines that it could get, and its subsystem.
    private static func hiding(_ command: Command, _ before: [Command]) -> Command? {
        let before = before.filter { $0.login == command.login }
        return before.first { other in
            if let git = command.git { return other.usage?.acceptsAnyLine ?? other.git?.includes(git) ?? false }
            if let rsync = command.rsync { return other.usage?.acceptsAnyLine ?? other.rsync?.includes(rsync) ?? false }
            // A drop account gets lines of its own, which only another takes.
            if command.drop != nil, other.drop == nil { return other.usage?.acceptsAnyLine == true && other.subsystem == command.subsystem }
            if command.drop == nil, other.drop != nil, command.usage != nil { return false }
            return (command.usage.map { takes($0, of: command, other) } ?? true)
                && (command.subsystem.map { other.subsystem == $0 } ?? true)
        }
    }

    private static func takes(_ usage: Usage, of command: Command, _ other: Command) -> Bool {
        guard let theirs = other.usage, theirs.includes(usage) else { return false }
        return theirs.acceptsAnyLine
            || usage.argumentNames.allSatisfy { (other.arguments[$0] ?? .word).includes(command.arguments[$0] ?? .word) }
    }
}

extension RsyncRules {
    /// Whether every line that `other` takes is taken here too. Who may overwrite takes no more lines: it does more with them.
    fileprivate func includes(_ other: RsyncRules) -> Bool {
        Set(other.access).subtracting([.overwrite]).isSubset(of: access)
    }
}
