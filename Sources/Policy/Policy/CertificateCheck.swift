/// What a certificate is held against: the policy that is live, or one that is only looked at.
public protocol CertificateGround {
    /// Why it cannot be read.
    associatedtype ReadError: Error
    /// The authority whose key has this SHA-256 fingerprint.
    func authority(fingerprint: [UInt8]) throws(ReadError) -> CertificateAuthority?
    /// Whether a fingerprint, or what stands for a key id, is revoked.
    func isRevoked(digest: [UInt8]) throws(ReadError) -> Bool
    /// Whether a serial of an authority's certificates is revoked.
    func isRevoked(serial: UInt64, of authority: [UInt8]) throws(ReadError) -> Bool
    /// Whether a listed key has this name, and none of those that have it this fingerprint.
    func isTaken(name: String, besides fingerprint: [UInt8]) throws(ReadError) -> Bool
}

/// What a user certificate amounts to under a policy: a key with the authority's word for its name, its commands, its times and places.
public struct CertificateCheck {
    private let claims: CertificateClaims

    public init(_ claims: CertificateClaims) { self.claims = claims }

    /// The key that the policy would list, and whose word that is; whether that key may be used now, from here and under a name, ``Decision`` says.
    ///
    /// Whether the key that is certified is itself revoked is for the caller: that holds for listed keys too.
    public func key<Ground: CertificateGround>(
        in ground: Ground
    ) throws(Ground.ReadError) -> Result<(key: Key, authority: CertificateAuthority), CertificateRefusal> {
        guard claims.isOfUser else { return .failure(.notOfAUser) }
        guard let authority = try ground.authority(fingerprint: claims.signer) else { return .failure(.unknownAuthority) }
        if try ground.isRevoked(digest: claims.signer) { return .failure(.revokedAuthority) }
        if try ground.isRevoked(digest: claims.keyIDDigest) { return .failure(.revoked) }
        if try ground.isRevoked(serial: claims.serial, of: claims.signer) { return .failure(.revoked) }
        guard NameRule.accepts(claims.keyID.utf8) else { return .failure(.badKeyID(claims.keyID)) }
        if try ground.isTaken(name: claims.keyID, besides: claims.fingerprint) { return .failure(.takenKeyID(claims.keyID)) }
        do throws(CertificateRefusal) {
            return .success((try key(of: authority), authority))
        } catch {
            return .failure(error)
        }
    }

    private func key(of authority: CertificateAuthority) throws(CertificateRefusal) -> Key {
        // What is not understood restricts in a way that nobody would see to (PROTOCOL.certkeys).
        if let option = claims.unknownOptions.first { throw .unknownOption(option) }
        if claims.principals.isEmpty { throw .noPrincipals }
        let commands = authority.commands(of: claims.principals)
        if commands.isEmpty { throw .unknownPrincipals }
        var key = Key(name: claims.keyID, fingerprint: claims.fingerprint, may: commands, position: authority.position)
        key.from = try from()
        key.notBefore = Int64(clamping: claims.validAfter)
        key.expires = claims.validBefore == .max ? nil : Int64(clamping: claims.validBefore)
        if claims.requiresVerification {
            guard claims.isOfSecurityKey else { throw .needsSecurityKey }
            key.requiresPIN = true
        }
        return key
    }

    /// Addresses and networks, none of them excluded (PROTOCOL.certkeys).
    private func from() throws(CertificateRefusal) -> [AddressPattern] {
        guard let list = claims.sourceAddress else { return [] }
        var patterns: [AddressPattern] = []
        for text in list.split(separator: ",", omittingEmptySubsequences: false) {
            do throws(AddressPatternError) {
                let pattern = try AddressPattern(parsing: String(text))
                if pattern.isExclusion { throw AddressPatternError(.notAnAddress(String(text)), at: 0) }
                patterns.append(pattern)
            } catch {
                throw .badSourceAddress
            }
        }
        return patterns
    }
}

extension Policy: CertificateGround {
    public func authority(fingerprint: [UInt8]) -> CertificateAuthority? { authorities.first { $0.fingerprint == fingerprint } }

    public func isRevoked(digest: [UInt8]) -> Bool { revoked.contains(digest) }

    public func isRevoked(serial: UInt64, of authority: [UInt8]) -> Bool {
        serial > 0 && revoked.serials.contains { authorities[$0.authority].fingerprint == authority && $0.range.contains(serial) }
    }

    public func isTaken(name: String, besides fingerprint: [UInt8]) -> Bool {
        let named = keys.filter { $0.name.hasSameBytes(as: name) }
        return !named.isEmpty && !named.contains { $0.fingerprint == fingerprint }
    }
}
