public import Policy

/// What a change of a policy newly allows and newly refuses.
///
/// Keys are the same where their public keys are, commands where their names are. What no key may run plays no part, and neither does
/// the time: a key that has expired counts as one that has not.
public struct PolicyDifference: Sendable {
    /// In the order: gateway, keys of the old policy, keys that are new, authorities alike, certificates, commands.
    public let changes: [Change]

    /// One thing that changed.
    public struct Change: Equatable, Sendable {
        /// What it is about.
        public enum Subject: Hashable, Sendable {
            case gateway
            /// With the SHA-256 fingerprint, 32 bytes.
            case key(name: String, fingerprint: [UInt8])
            /// With the fingerprint of its key.
            case authority(name: String, fingerprint: [UInt8])
            /// Of an authority, by its name and fingerprint.
            case principal(String, authority: String, fingerprint: [UInt8])
            /// Certificates of any authority.
            case certificates
            /// With the names of the keys that may run it before and after; of certificates `authority/principal`.
            case command(name: String, keys: [String])
        }

        public var subject: Subject
        /// As the policy calls it: `may`, `run`, `<tag>`, `sandbox network`.
        public var what: String
        public var shift: Shift
        /// Nil: it was not there.
        public var old: String?
        /// Nil: it is not there any more.
        public var new: String?

        init(_ subject: Subject, _ variation: Variation) {
            self.subject = subject
            what = variation.what
            shift = variation.shift
            old = variation.old
            new = variation.new
        }
    }

    /// All changes together.
    public var shift: Shift {
        Shift(allows: changes.contains(where: \.shift.allows), refuses: changes.contains(where: \.shift.refuses))
    }

    /// Compares two policies.
    ///
    /// - Parameters:
    ///   - destination: where a path leads, symbolic links followed; the path itself where nobody knows.
    ///   - group: the names of the system calls in a group `@name`, nil for what is no group.
    public init(
        from old: Policy, to new: Policy, destination: @escaping (String) -> String = { $0 },
        systemCalls group: @escaping (String) -> [String]?
    ) {
        var comparison = Comparison(old, new, SandboxVariations(group: group, destination: destination))
        changes = comparison.changes()
    }
}

/// Walks through two policies side by side.
private struct Comparison {
    private let old: Policy
    private let new: Policy
    private let sandboxes: SandboxVariations
    /// By the name of a command that some key may run before and after: the indices, and the names of the keys.
    private var common: [String: (old: Int, new: Int, keys: [String])] = [:]

    init(_ old: Policy, _ new: Policy, _ sandboxes: SandboxVariations) {
        self.old = old
        self.new = new
        self.sandboxes = sandboxes
    }

    mutating func changes() -> [PolicyDifference.Change] {
        var changes = GatewayVariations.between(old.gateway, new.gateway).map { PolicyDifference.Change(.gateway, $0) }
        var rest = Dictionary(new.keys.enumerated().map { ($1.fingerprint, $0) }, uniquingKeysWith: { first, _ in first })
        for key in old.keys {
            let index = rest.removeValue(forKey: key.fingerprint)
            changes += variations(key, index.map { new.keys[$0] }).map { .init(Self.subject(key), $0) }
        }
        for index in rest.values.sorted() {
            let key = new.keys[index]
            changes += added(key).map { .init(Self.subject(key), $0) }
        }
        changes += authorityChanges()
        changes += CertificateVariations.between(old, new).map { .init(.certificates, $0) }
        for (name, command) in common.sorted(by: { $0.value.old < $1.value.old }) {
            let subject = PolicyDifference.Change.Subject.command(name: name, keys: command.keys)
            changes += variations(old.commands[command.old], new.commands[command.new]).map { .init(subject, $0) }
        }
        if hasMore { changes.append(.init(.gateway, .unknown)) }
        return changes
    }

    /// Whether the policies differ in more than what is compared here.
    private var hasMore: Bool {
        var rest = new
        rest.gateway = old.gateway
        rest.keys = old.keys
        rest.commands = old.commands
        rest.sandboxes = old.sandboxes
        rest.authorities = old.authorities
        rest.revoked = old.revoked
        return rest != old
    }

    private static func subject(_ key: Key) -> PolicyDifference.Change.Subject {
        .key(name: key.name, fingerprint: key.fingerprint)
    }

    private func variations(_ one: Command, _ other: Command) -> [Variation] {
        var found = CommandVariations.between(one, other) + sandboxes.between(old.sandboxes[one.sandbox], new.sandboxes[other.sandbox])
        for (name, mine, theirs) in [("verify", one.drop?.verify, other.drop?.verify), ("on_complete", one.drop?.onComplete, other.drop?.onComplete)] {
            guard let mine, let theirs else { continue }
            found += sandboxes.between(old.sandboxes[mine.sandbox], new.sandboxes[theirs.sandbox]).map { variation in
                var variation = variation
                variation.what = "\(name) \(variation.what)"
                return variation
            }
        }
        return found
    }

    private func added(_ key: Key) -> [Variation] {
        var found = [Variation(what: "key", shift: .none, new: key.name)]
        found.compare("from", [], key.from, .none) { RuleText.of($0) }
        found.compare("not_before", nil, key.notBefore, .none) { Self.time($0) }
        found.compare("expires", nil, key.expires, .none) { Self.time($0) }
        found += revocation(of: key.fingerprint)
        return found + granted(key.may, isRevoked: new.revoked.contains(key.fingerprint))
    }

    private func removed(_ key: Key) -> [Variation] {
        [Variation(what: "key", shift: .none, old: key.name)] + revocation(of: key.fingerprint)
            + taken(key.may, isRevoked: old.revoked.contains(key.fingerprint))
    }

    private func granted(_ may: [Int], isRevoked: Bool) -> [Variation] {
        may.map { Variation(what: "may", shift: isRevoked ? .none : .wider, new: Self.text(new.commands[$0])) }
    }

    private func taken(_ may: [Int], isRevoked: Bool) -> [Variation] {
        may.map { Variation(what: "may", shift: isRevoked ? .none : .narrower, old: Self.text(old.commands[$0])) }
    }

    /// Whether a key that one of the policies names is revoked; it may be one that a certificate is for, too.
    private func revocation(of fingerprint: [UInt8]) -> [Variation] {
        let (was, isNow) = (old.revoked.contains(fingerprint), new.revoked.contains(fingerprint))
        var found: [Variation] = []
        found.compare("revoked", was, isNow, isNow ? Shift(allows: false, refuses: old.lets(fingerprint)) : Shift(allows: new.lets(fingerprint), refuses: false)) {
            $0 ? "yes" : "no"
        }
        return found
    }

    private mutating func variations(_ key: Key, _ other: Key?) -> [Variation] {
        guard let other else { return removed(key) }
        var found: [Variation] = []
        // Commands are told the name, and may go by it.
        found.compare("name", key.name, other.name, .other) { $0 }
        found.compare("from", key.from, other.from, .between(key.from, other.from) { AddressPattern.list($0, includes: $1) }) {
            RuleText.of($0)
        }
        // Without a beginning it was always valid.
        let begins: Shift = .between(key.notBefore ?? .min, other.notBefore ?? .min) { $0 <= $1 }
        found.compare("not_before", key.notBefore, other.notBefore, begins) { Self.time($0) }
        found.compare("expires", key.expires, other.expires, .ofLimit(key.expires, other.expires)) { Self.time($0) }
        found.compare("touch", key.requiresTouch, other.requiresTouch, other.requiresTouch ? .narrower : .wider) { "\($0)" }
        found.compare("pin", key.requiresPIN, other.requiresPIN, other.requiresPIN ? .narrower : .wider) { "\($0)" }
        found += revocation(of: key.fingerprint)
        compareCommands(key, other, &found)
        if Self.hasMore(key, other) { found.append(.unknown) }
        return found
    }

    /// Whether they differ in more than what is compared here.
    private static func hasMore(_ old: Key, _ new: Key) -> Bool {
        var rest = new
        rest.name = old.name
        rest.may = old.may
        rest.from = old.from
        rest.notBefore = old.notBefore
        rest.expires = old.expires
        rest.requiresTouch = old.requiresTouch
        rest.requiresPIN = old.requiresPIN
        rest.position = old.position
        return rest != old
    }

    // MARK: - Authorities

    private mutating func authorityChanges() -> [PolicyDifference.Change] {
        var changes: [PolicyDifference.Change] = []
        for authority in old.authorities {
            guard let other = new.authority(fingerprint: authority.fingerprint) else {
                changes += change(authority, [Variation(what: "authority", shift: .none, old: authority.name)] + revocation(of: authority.fingerprint))
                let isRevoked = old.revoked.contains(authority.fingerprint)
                for principal in authority.principals { changes += change(authority, principal, taken(principal.may, isRevoked: isRevoked)) }
                continue
            }
            changes += variations(authority, other)
        }
        for authority in new.authorities where old.authority(fingerprint: authority.fingerprint) == nil {
            changes += change(authority, [Variation(what: "authority", shift: .none, new: authority.name)] + revocation(of: authority.fingerprint))
            let isRevoked = new.revoked.contains(authority.fingerprint)
            for principal in authority.principals { changes += change(authority, principal, granted(principal.may, isRevoked: isRevoked)) }
        }
        return changes
    }

    private mutating func variations(_ one: CertificateAuthority, _ other: CertificateAuthority) -> [PolicyDifference.Change] {
        var found: [Variation] = []
        found.compare("name", one.name, other.name, .none) { $0 }
        found += revocation(of: one.fingerprint)
        found += CertificateVariations.serials(old, new, of: one.fingerprint)
        var each: [PolicyDifference.Change] = []
        var orders: Set<String> = []
        for principal in one.principals {
            guard let match = other.principals.first(where: { $0.name.hasSameBytes(as: principal.name) }) else {
                each += change(other, principal, taken(principal.may, isRevoked: false))
                continue
            }
            var differing: [Variation] = []
            compareCommands(other.key(named: principal.name, may: principal.may), other.key(named: principal.name, may: match.may), &differing)
            orders.formUnion(differing.filter { $0.what == "order" }.map { "\($0.old ?? "") \($0.new ?? "")" })
            each += change(other, match, differing)
        }
        for principal in other.principals where !one.principals.contains(where: { $0.name.hasSameBytes(as: principal.name) }) {
            each += change(other, principal, granted(principal.may, isRevoked: false))
        }
        // A certificate may have several principals, whose commands are tried in the policy's order.
        var joined: [Variation] = []
        var silent = self
        silent.compareCommands(
            one.key(named: "*", may: one.commands(of: one.principals.map(\.name))), other.key(named: "*", may: other.commands(of: other.principals.map(\.name))),
            &joined)
        found += joined.filter { $0.what == "order" && !orders.contains("\($0.old ?? "") \($0.new ?? "")") }
        return change(other, found) + each
    }

    private func change(_ authority: CertificateAuthority, _ found: [Variation]) -> [PolicyDifference.Change] {
        found.map { .init(.authority(name: authority.name, fingerprint: authority.fingerprint), $0) }
    }

    private func change(
        _ authority: CertificateAuthority, _ principal: CertificateAuthority.Principal, _ found: [Variation]
    ) -> [PolicyDifference.Change] {
        found.map { .init(.principal(principal.name, authority: authority.name, fingerprint: authority.fingerprint), $0) }
    }

    // MARK: - Commands

    private mutating func compareCommands(_ key: Key, _ other: Key, _ found: inout [Variation]) {
        let after = Dictionary(other.may.map { (new.commands[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
        for index in key.may {
            let command = old.commands[index]
            guard let match = after[command.name] else {
                found.append(Variation(what: "may", shift: .narrower, old: Self.text(command)))
                continue
            }
            // A key of several public keys is named once.
            if common[command.name]?.keys.last != other.name { common[command.name, default: (index, match, [])].keys.append(other.name) }
            compareOrder(Precedence(of: command, in: key, old), Precedence(of: new.commands[match], in: other, new), &found)
        }
        let before = Set(key.may.map { old.commands[$0].name })
        for index in other.may where !before.contains(new.commands[index].name) {
            found.append(Variation(what: "may", shift: .wider, new: Self.text(new.commands[index])))
        }
    }

    /// The first command that fits is run: where one that came before another is gone, its lines may be the other's.
    private func compareOrder(_ one: Precedence, _ other: Precedence, _ found: inout [Variation]) {
        guard one != other else { return }
        let shift = Shift(allows: !one.commands.isSubset(of: other.commands), refuses: !other.commands.isSubset(of: one.commands))
        found.append(Variation(what: "order", shift: shift, old: one.description, new: other.description))
    }

    /// A command as the matrix shows it: its name, who logs in for it, and how it is called.
    private static func text(_ command: Command) -> String {
        let call = command.usage.map { "\"\($0)\"" } ?? command.git.map(RuleText.of) ?? command.rsync.map(RuleText.of) ?? "subsystem \(command.subsystem ?? "")"
        return "\(command.name), login \(command.login), as \(command.account.name): \(call)"
    }

    private static func time(_ seconds: Int64?) -> String { seconds.map(Moment.text) ?? "never" }
}

extension Policy {
    /// Whether a public key might enter if it were not revoked: it is listed, or an authority may have certified it, or is itself one.
    fileprivate func lets(_ fingerprint: [UInt8]) -> Bool { !authorities.isEmpty || keys.contains { $0.fingerprint == fingerprint } }
}

extension CertificateAuthority {
    /// What the certificates with a principal amount to.
    fileprivate func key(named principal: String, may: [Int]) -> Key {
        Key(name: "\(name)/\(principal)", fingerprint: fingerprint, may: may, position: position)
    }
}

/// Which commands get a client's line before another does.
private struct Precedence: Equatable, CustomStringConvertible {
    /// What tells them apart: how they are called, and their arguments.
    let commands: Set<String>
    let description: String

    init(of command: Command, in key: Key, _ policy: Policy) {
        let before = key.may.prefix { policy.commands[$0].name != command.name }.map { policy.commands[$0] }.filter {
            $0.login == command.login && $0.overlaps(command)
        }
        commands = Set(before.map(\.call))
        description = before.isEmpty ? "\(command.name)" : before.map(\.name).joined(separator: ", ") + " before \(command.name)"
    }

    static func == (one: Precedence, other: Precedence) -> Bool { one.commands == other.commands }
}

extension Command {
    fileprivate func overlaps(_ other: Command) -> Bool {
        if let subsystem, let theirs = other.subsystem, subsystem == theirs { return true }
        switch (usage, other.usage) {
        case (let usage?, let theirs?): return usage.overlaps(theirs)
        case (let usage?, nil): return usage.mayTake(linesOf: other)
        case (nil, let theirs?): return theirs.mayTake(linesOf: self)
        case (nil, nil): return git != nil && other.git != nil || rsync != nil && other.rsync != nil
        }
    }

    fileprivate var call: String {
        let types = (usage?.argumentNames ?? []).map { RuleText.of(arguments[$0] ?? .word) }
        return ([name, usage?.description ?? "", subsystem ?? "", git.map(RuleText.of) ?? "", rsync.map(RuleText.of) ?? ""] + types).joined(separator: "\n")
    }
}

extension Usage {
    /// Whether a line of it can begin as those of a command without a usage: of git, of rsync, or scp to a drop account.
    fileprivate func mayTake(linesOf other: Command) -> Bool {
        let first = description.prefix { $0 != " " }
        if ["*", "<", "["].contains(where: first.hasPrefix) { return other.git != nil || other.rsync != nil || other.drop != nil }
        return other.git != nil && (first == "git" || first.hasPrefix("git-")) || other.rsync != nil && first == "rsync" || other.drop != nil && first == "scp"
    }
}

/// What two versions of the gateway's settings differ in; but for who may tell it a client's address, nobody's access is among it.
private enum GatewayVariations {
    private static func compareLimits(_ old: ArrivalLimits, _ new: ArrivalLimits, _ found: inout [Variation]) {
        found.compare("max_connections", old.connections, new.connections, .none) { "\($0)" }
        found.compare("max_unauthenticated", old.unauthenticated, new.unauthenticated, .none) { "\($0)" }
        found.compare("max_per_source", old.perSource, new.perSource, .none) { "\($0)" }
        found.compare("source_prefix ipv4", old.ipv4Prefix, new.ipv4Prefix, .none) { "\($0)" }
        found.compare("source_prefix ipv6", old.ipv6Prefix, new.ipv6Prefix, .none) { "\($0)" }
        found.compare("exempt", old.exempt, new.exempt, .none) { $0.isEmpty ? "none" : RuleText.of($0) }
        let times: [(String, Swift.KeyPath<Penalties, Duration>)] = [
            ("failed", \.failed), ("silent", \.silent), ("slow", \.slow), ("violation", \.violation), ("threshold", \.threshold), ("most", \.most),
            ("remember", \.remember),
        ]
        for (name, place) in times {
            found.compare("penalties \(name)", old.penalties[keyPath: place], new.penalties[keyPath: place], .none, Quantity.text)
        }
    }

    static func between(_ old: Gateway, _ new: Gateway) -> [Variation] {
        var found: [Variation] = []
        found.compare("banner", old.banner, new.banner, .none) { "\"\($0)\"" }
        found.compare("login_grace", old.loginGrace, new.loginGrace, .none, Quantity.text)
        found.compare("idle_timeout", old.idleTimeout, new.idleTimeout, .none, Quantity.text)
        found.compare("keepalive", old.keepalive, new.keepalive, .none, Quantity.text)
        found.compare("max_channels", old.maxChannels, new.maxChannels, .none) { "\($0)" }
        found.compare("key_exchange", old.keyExchange, new.keyExchange, .none) { "\"\($0.rawValue)\"" }
        found.compare("rekey bytes", old.rekeyBytes, new.rekeyBytes, .none) { Quantity.text(bytes: $0) }
        found.compare("rekey time", old.rekeyTime, new.rekeyTime, .none, Quantity.text)
        found.compare("drain", old.drain, new.drain, .none, Quantity.text)
        compareLimits(old.arrivals, new.arrivals, &found)
        // Who may tell any address may enter as any that a "from" names.
        found.compare("proxy", old.proxy, new.proxy, .other) { proxy in
            proxy.map { "\(RuleText.of($0.from)), \($0.isRequired ? "required" : "optional"), \(Quantity.text($0.timeout))" } ?? "none"
        }
        found.compare("log_failure", old.logFailure, new.logFailure, .none) { "\"\($0.rawValue)\"" }
        return found
    }
}
