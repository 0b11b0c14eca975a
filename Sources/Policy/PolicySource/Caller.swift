public import Policy

/// Somebody who asks something of a policy that is only looked at: what the gateway would make of a key or a certificate.
public struct Caller: Sendable {
    /// The listed key, or what the certificate amounts to.
    public var key: Key
    /// Whose certificate it is; nil for a listed key.
    public var authority: CertificateAuthority?
    /// The only line that may be asked for, where the certificate says so.
    public var forcedLine: [UInt8]?

    /// A listed key.
    public init(_ key: Key) { self.key = key }

    /// Whoever shows a certificate.
    ///
    /// - Throws: why it opens nothing. Whether the key that is certified is itself revoked is for the caller.
    public init(_ certificate: CertificateClaims, in policy: Policy) throws(CertificateRefusal) {
        let (key, authority) = try CertificateCheck(certificate).key(in: policy).get()
        self.key = key
        self.authority = authority
        forcedLine = certificate.forcedLine
    }

    /// The session of this caller, as from an address and at a time.
    ///
    /// - Parameters:
    ///   - address: nil: one that the caller may come from.
    ///   - fingerprint: as text, for the command's environment.
    public func session(login: String, from address: String? = nil, now: Int64, fingerprint: String) -> Session {
        var session = Session(
            key: key, login: login, peer: .init(host: address ?? key.exampleAddress, port: 50_000), local: .init(host: "192.0.2.2", port: 22), now: now,
            requestID: "00000000", fingerprintText: fingerprint)
        session.forcedLine = forcedLine
        return session
    }

    /// A time at which the caller may enter: now, if that is one.
    public func time(nearest now: Int64) -> Int64 { min(max(now, key.notBefore ?? now), (key.expires ?? .max) - 1) }

    /// The key id of a certificate that is nobody's in particular.
    public static let anyone = "anyone"
}

extension CertificateClaims {
    /// What a certificate of an authority would say that has these principals, and no limits.
    ///
    /// - Parameter digest: what revokes a key id of an authority's certificates.
    public init(of authority: CertificateAuthority, principals: [String], keyID: String, digest: (_ keyID: String, _ authority: [UInt8]) -> [UInt8]) {
        self.init(
            keyID: keyID, keyIDDigest: digest(keyID, authority.fingerprint), signer: authority.fingerprint,
            fingerprint: [UInt8](repeating: 0, count: authority.fingerprint.count), principals: principals)
    }
}

extension Key {
    /// An address that the key may come from: the first of its first network that is not excluded.
    public var exampleAddress: String {
        let candidates = from.filter { !$0.isExclusion }.map { $0.network.description }
        return candidates.first { AddressPattern.list(from, admits: $0) } ?? candidates.first ?? "192.0.2.1"
    }
}
