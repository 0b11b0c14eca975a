extension CompiledPolicy where Storage: ~Copyable {
    /// What every compiled policy begins with.
    public static var magic: [UInt8] { CompiledPolicyHeader.magic }

    /// Everything in the file, tested and in memory at once: for reports about a policy, not for the gateway.
    ///
    /// Keys come in the order in which they were written.
    public func policy() throws(CompiledPolicyError) -> Policy {
        try verify()
        var policy = Policy()
        policy.gateway = try gateway()
        for index in 0..<sandboxCount { policy.sandboxes.append(try sandbox(at: index)) }
        for index in 0..<commandCount { policy.commands.append(try command(at: index)) }
        for index in 0..<keyCount { policy.keys.append(try key(at: index)) }
        policy.keys.sort { $0.position.precedes($1.position) }
        for index in 0..<authorityCount { policy.authorities.append(try authority(at: index)) }
        policy.revoked = try revocations()
        return policy
    }
}

extension SourcePosition {
    fileprivate func precedes(_ other: SourcePosition) -> Bool {
        file.hasSameBytes(as: other.file)
            ? (line, column) < (other.line, other.column) : file.utf8.lexicographicallyPrecedes(other.file.utf8)
    }
}
