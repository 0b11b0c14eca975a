import Policy
import SSHKeys

/// Why a certificate opens nothing (DESIGN §3.1): for the log.
enum CertificateRefusal: Error, Equatable, CustomStringConvertible {
    case notOfAUser
    case unknownAuthority
    case revokedAuthority
    case revoked
    case badKeyID(String)
    case unknownOption(String)
    case noPrincipals
    case unknownPrincipals
    case badSourceAddress
    case needsSecurityKey

    var description: String {
        switch self {
        case .notOfAUser: "it is a host's"
        case .unknownAuthority: "unknown authority"
        case .revokedAuthority: "revoked authority"
        case .revoked: "revoked"
        case .badKeyID(let keyID): "the key id \(JSONText.string(keyID)) cannot be a name"
        case .unknownOption(let name): "unknown critical option \(JSONText.string(name))"
        case .noPrincipals: "no principals"
        case .unknownPrincipals: "no principal that the authority may name"
        case .badSourceAddress: "source-address is no list of networks"
        case .needsSecurityKey: "verify-required is for security keys"
        }
    }
}

/// What a user certificate amounts to under the live policy: a key with the authority's word for its name, its commands, its times and places.
struct CertificateCheck {
    private let certificate: Certificate

    init(_ certificate: Certificate) { self.certificate = certificate }

    func admission(_ policy: LivePolicy) throws(Fault) -> Result<Admission, Authority.Refusal> {
        let signer = certificate.signer.fingerprint
        guard certificate.kind == .user else { return .failure(.certificate(.notOfAUser)) }
        guard let authority = try policy.authority(fingerprint: signer) else { return .failure(.certificate(.unknownAuthority)) }
        if try policy.isRevoked(digest: signer) { return .failure(.certificate(.revokedAuthority)) }
        let keyID = RevocationList.digest(ofKeyID: certificate.keyID, authority: signer)
        if try policy.isRevoked(digest: keyID) { return .failure(.certificate(.revoked)) }
        if try policy.isRevoked(serial: certificate.serial, of: signer) { return .failure(.certificate(.revoked)) }
        let key: Key
        do throws(CertificateRefusal) {
            key = try self.key(authority)
        } catch {
            return .failure(.certificate(error))
        }
        let vouched = Admission.Vouched(
            authority: authority.name, serial: certificate.serial, forcedLine: certificate.options.forcedCommand)
        return .success(Admission(key: key, commands: try policy.commands(at: key.may), certificate: vouched))
    }

    /// The key that the policy would list. It says nothing of what is revoked.
    private func key(_ authority: CertificateAuthority) throws(CertificateRefusal) -> Key {
        guard NameRule.accepts(certificate.keyID.utf8) else { throw .badKeyID(certificate.keyID) }
        // What is not understood restricts in a way that nobody would see to (PROTOCOL.certkeys).
        if let option = certificate.options.unknown.first { throw .unknownOption(option) }
        if certificate.principals.isEmpty { throw .noPrincipals }
        let commands = authority.commands(of: certificate.principals)
        if commands.isEmpty { throw .unknownPrincipals }
        var key = Key(
            name: certificate.keyID, fingerprint: certificate.key.fingerprint, may: commands, position: authority.position)
        key.from = try from()
        key.notBefore = Int64(clamping: certificate.validAfter)
        key.expires = certificate.validBefore == .max ? nil : Int64(clamping: certificate.validBefore)
        if certificate.options.requiresVerification {
            guard certificate.key.isSecurityKey else { throw .needsSecurityKey }
            key.requiresPIN = true
        }
        return key
    }

    /// Addresses and networks, none of them excluded (PROTOCOL.certkeys).
    private func from() throws(CertificateRefusal) -> [AddressPattern] {
        guard let list = certificate.options.sourceAddress else { return [] }
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
