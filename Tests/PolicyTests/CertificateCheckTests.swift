import Policy
import Testing

@Suite("DESIGN §3.1: what a certificate amounts to") struct CertificateCheckTests {
    private static let authority = [UInt8](repeating: 1, count: 32)
    private static let certified = [UInt8](repeating: 2, count: 32)
    private static let mallory = [UInt8](repeating: 3, count: 32)

    private static func policy() throws -> Policy {
        var policy = Policy()
        policy.sandboxes = [SandboxPlan(name: "tool")]
        policy.commands = [try Sample.command("a", "a"), try Sample.command("b", "b"), try Sample.command("c", "c")]
        policy.keys = [Sample.key()]
        let principals = [CertificateAuthority.Principal(name: "developers", may: [1, 0]), .init(name: "operators", may: [2, 1])]
        policy.authorities = [CertificateAuthority(name: "staff", fingerprint: authority, principals: principals, position: Sample.position)]
        policy.revoked = Revocations(digests: [mallory], serials: [.init(authority: 0, range: 5...9)])
        return policy
    }

    private static var claims: CertificateClaims {
        CertificateClaims(keyID: "carol", keyIDDigest: [UInt8](repeating: 4, count: 32), signer: authority, fingerprint: certified, principals: ["developers"])
    }

    /// The same answer from the policy and from its compiled form.
    private func answer(_ claims: CertificateClaims, _ policy: Policy) throws -> Result<Key, CertificateRefusal> {
        let answer = CertificateCheck(claims).key(in: policy).map(\.key)
        let compiled = try CertificateCheck(claims).key(in: Compiled(policy: try CompiledPolicy(CompiledPolicy.encode(policy)))).map(\.key)
        #expect(answer == compiled)
        return answer
    }

    static let refusals: [(@Sendable (inout CertificateClaims) -> Void, CertificateRefusal)] = [
        ({ $0.isOfUser = false }, .notOfAUser), ({ $0.signer = certified }, .unknownAuthority), ({ $0.keyIDDigest = mallory }, .revoked),
        ({ $0.serial = 5 }, .revoked), ({ $0.serial = 9 }, .revoked), ({ $0.keyID = "../git" }, .badKeyID("../git")), ({ $0.keyID = "" }, .badKeyID("")),
        ({ $0.keyID = "alice" }, .takenKeyID("alice")), ({ $0.unknownOptions = ["x@y"] }, .unknownOption("x@y")), ({ $0.principals = [] }, .noPrincipals),
        ({ $0.principals = ["root", "Developers"] }, .unknownPrincipals), ({ $0.sourceAddress = "" }, .badSourceAddress),
        ({ $0.sourceAddress = "192.0.2.1,!192.0.2.2" }, .badSourceAddress), ({ $0.requiresVerification = true }, .needsSecurityKey),
    ]

    @Test(arguments: refusals.indices) func `is refused for its reason`(index: Int) throws {
        var claims = Self.claims
        Self.refusals[index].0(&claims)
        #expect(try answer(claims, try Self.policy()) == .failure(Self.refusals[index].1))
    }

    @Test func `an authority that is revoked has nobody`() throws {
        var policy = try Self.policy()
        policy.revoked = Revocations(digests: [Self.authority])
        #expect(try answer(Self.claims, policy) == .failure(.revokedAuthority))
    }

    @Test func `it is a key with the authority's word for its name`() throws {
        var claims = Self.claims
        claims.principals = ["operators", "guests", "developers"]
        claims.serial = 10
        claims.validAfter = 100
        claims.validBefore = 200
        claims.sourceAddress = "192.0.2.0/24,2001:db8::1"
        claims.isOfSecurityKey = true
        claims.requiresVerification = true
        var key = Key(name: "carol", fingerprint: Self.certified, may: [1, 0, 2], position: Sample.position)
        key.from = [try AddressPattern(parsing: "192.0.2.0/24"), try AddressPattern(parsing: "2001:db8::1")]
        key.notBefore = 100
        key.expires = 200
        key.requiresPIN = true
        #expect(try answer(claims, try Self.policy()) == .success(key))
    }

    @Test func `a listed key may have a certificate with its own name`() throws {
        var claims = Self.claims
        claims.keyID = "alice"
        claims.fingerprint = Sample.key().fingerprint
        let key = try answer(claims, try Self.policy()).get()
        #expect(key.name == "alice" && key.may == [1, 0])
    }
}

/// A compiled policy as the gateway asks it.
private struct Compiled: CertificateGround {
    let policy: CompiledPolicy<[UInt8]>

    func authority(fingerprint: [UInt8]) throws(CompiledPolicyError) -> CertificateAuthority? { try policy.authority(fingerprint: fingerprint) }
    func isRevoked(digest: [UInt8]) throws(CompiledPolicyError) -> Bool { try policy.isRevoked(digest: digest) }
    func isRevoked(serial: UInt64, of authority: [UInt8]) throws(CompiledPolicyError) -> Bool { try policy.isRevoked(serial: serial, of: authority) }
    func isTaken(name: String, besides fingerprint: [UInt8]) throws(CompiledPolicyError) -> Bool { try policy.isTaken(name: name, besides: fingerprint) }
}
