import Policy
import SSHKeys

extension LivePolicy: CertificateGround {}

extension Admission {
    /// What a user certificate amounts to under the live policy.
    static func of(_ certificate: Certificate, _ policy: LivePolicy) throws(Fault) -> Result<Admission, Authority.Refusal> {
        switch try CertificateCheck(certificate.claims).key(in: policy) {
        case .failure(let refusal): return .failure(.certificate(refusal))
        case .success(let (key, authority)):
            let vouched = Vouched(authority: authority.name, serial: certificate.serial, forcedLine: certificate.options.forcedCommand)
            return .success(Admission(key: key, commands: try policy.commands(at: key.may), certificate: vouched))
        }
    }
}

extension Certificate {
    /// What it says, for a policy.
    fileprivate var claims: CertificateClaims {
        CertificateClaims(
            isOfUser: kind == .user, keyID: keyID, keyIDDigest: RevocationList.digest(ofKeyID: keyID, authority: signer.fingerprint),
            signer: signer.fingerprint, fingerprint: key.fingerprint, isOfSecurityKey: key.isSecurityKey, serial: serial, principals: principals,
            validAfter: validAfter, validBefore: validBefore, forcedLine: options.forcedCommand, sourceAddress: options.sourceAddress,
            requiresVerification: options.requiresVerification, unknownOptions: options.unknown)
    }
}
