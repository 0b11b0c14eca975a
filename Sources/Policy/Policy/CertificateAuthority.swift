/// A key whose certificates open what their principals may (DESIGN §3.1).
public struct CertificateAuthority: Equatable, Sendable {
    /// What a certificate may have among its principals, and what that opens.
    public struct Principal: Equatable, Sendable {
        public var name: String
        /// Indices into ``Policy/commands``.
        public var may: [Int]

        public init(name: String, may: [Int]) {
            self.name = name
            self.may = may
        }
    }

    /// Matches `[a-z0-9][a-z0-9._-]{0,63}`.
    public var name: String
    /// SHA-256 of the public key blob: 32 bytes.
    public var fingerprint: [UInt8]
    /// In the order they were written, which is the one their commands are tried in.
    public var principals: [Principal]
    /// Of its table.
    public var position: SourcePosition

    public init(name: String, fingerprint: [UInt8], principals: [Principal], position: SourcePosition) {
        self.name = name
        self.fingerprint = fingerprint
        self.principals = principals
        self.position = position
    }

    /// What a certificate with these principals may run: each command once, in the policy's order and not the certificate's.
    public func commands(of names: [String]) -> [Int] {
        var commands: [Int] = []
        for principal in principals where names.contains(where: { $0.hasSameBytes(as: principal.name) }) {
            for command in principal.may where !commands.contains(command) { commands.append(command) }
        }
        return commands
    }
}

/// Keys and certificates that open nothing any more.
public struct Revocations: Equatable, Sendable {
    /// A range of serials of one authority's certificates.
    public struct Serials: Hashable, Sendable {
        /// An index into ``Policy/authorities``.
        public var authority: Int
        public var range: ClosedRange<UInt64>

        public init(authority: Int, range: ClosedRange<UInt64>) {
            self.authority = authority
            self.range = range
        }
    }

    /// 32 bytes each, in their order and each once: SHA-256 fingerprints of keys, and what stands for the key ids of certificates.
    public let digests: [[UInt8]]
    /// In the order of authorities and numbers, without overlap.
    public let serials: [Serials]

    /// - Parameters: in any order, with repetitions and overlaps.
    public init(digests: [[UInt8]] = [], serials: [Serials] = []) {
        self.digests = digests.sorted { $0.lexicographicallyPrecedes($1) }.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
        var joined: [Serials] = []
        for next in serials.sorted(by: { ($0.authority, $0.range.lowerBound) < ($1.authority, $1.range.lowerBound) }) {
            if let last = joined.last, last.authority == next.authority, next.range.lowerBound <= last.range.upperBound {
                joined[joined.count - 1].range = last.range.lowerBound...max(last.range.upperBound, next.range.upperBound)
            } else {
                joined.append(next)
            }
        }
        self.serials = joined
    }

    /// Whether a fingerprint, or what stands for a key id, is among them.
    public func contains(_ digest: [UInt8]) -> Bool {
        var candidates = digests[...]
        while !candidates.isEmpty {
            let middle = candidates.startIndex + candidates.count / 2
            if candidates[middle] == digest { return true }
            candidates = candidates[middle].lexicographicallyPrecedes(digest) ? candidates[(middle + 1)...] : candidates[..<middle]
        }
        return false
    }

    public var isEmpty: Bool { digests.isEmpty && serials.isEmpty }
}
