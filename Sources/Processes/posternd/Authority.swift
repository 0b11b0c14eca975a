import Linux
import MonitorProtocol
import Policy
import SSHKeys
import SSHWire

/// Proof that a user holds the secret of a listed or certified key, for this connection: only ``Authority`` makes one.
struct ProvenUser {
    let login: String
    let identity: Identity
    /// What the policy said when it was proven; a command asks anew.
    let admission: Admission
    var keyName: String { admission.key.name }

    fileprivate init(login: String, identity: Identity, admission: Admission) {
        self.login = login
        self.identity = identity
        self.admission = admission
    }
}

/// What makes a signature one for this connection and no other.
struct SessionProof {
    /// The exchange hash of the first key exchange, as the monitor computed it.
    let identifier: [UInt8]
    /// The host key, or its certificate, that the first key exchange was signed with.
    let hostKey: [UInt8]

    /// Whether a request that names a host key names this one (OpenSSH PROTOCOL §3.1).
    func fits(_ credential: FrontendMessage.Credential) -> Bool {
        credential.hostKey.map { $0 == hostKey } ?? true
    }
}

/// What a client says that it holds: of the right form, and nothing more is known.
enum Identity {
    case key(PublicKey)
    case certificate(Certificate)

    /// The key that signs.
    var key: PublicKey {
        switch self {
        case .key(let key): key
        case .certificate(let certificate): certificate.key
        }
    }

    init(_ credential: FrontendMessage.Credential) throws(Authority.Refusal) {
        let algorithm: String
        do throws(KeyError) {
            if Certificate.algorithms.contains(credential.algorithm) {
                let certificate = try Certificate(blob: credential.key)
                (self, algorithm) = (.certificate(certificate), certificate.algorithm)
            } else {
                let key = try PublicKey(blob: credential.key)
                (self, algorithm) = (.key(key), key.algorithm)
            }
        } catch {
            throw .badKey(error)
        }
        guard algorithm == credential.algorithm else { throw .otherAlgorithm(credential.algorithm) }
    }
}

/// What the live policy has for an identity.
struct Admission {
    /// A listed key, or what a certificate amounts to.
    let key: Key
    let commands: [Command]
    /// For a certificate.
    var certificate: Vouched?

    /// What an authority says beyond what a listed key has.
    struct Vouched {
        let authority: String
        let serial: UInt64
        /// The only line that may be asked for.
        let forcedLine: [UInt8]?
    }
}

/// Decides who may enter. It parses keys and certificates and verifies signatures itself: the frontend's word counts for nothing.
struct Authority {
    /// Why someone may not enter: for the log only, since all look alike to the client.
    enum Refusal: Error, CustomStringConvertible {
        case badKey(KeyError)
        /// The request says that the key is of an algorithm that it is not.
        case otherAlgorithm(String)
        case unknownKey
        case revokedKey
        case badSignature
        /// The client takes another server for this one.
        case otherHostKey
        /// The signature is by a security key that nobody touched, or that did not ask who does.
        case noTouch
        case noPIN
        case certificate(CertificateRefusal)
        case entry(EntryRefusal)

        var description: String {
            switch self {
            case .badKey(let error): "bad key: \(error)"
            case .otherAlgorithm(let name): "the key is not of the algorithm \(JSONText.string(name))"
            case .unknownKey: "unknown key"
            case .revokedKey: "revoked key"
            case .badSignature: "bad signature"
            case .otherHostKey: "bound to another host key"
            case .noTouch: "the security key was not touched"
            case .noPIN: "the security key did not verify its user"
            case .certificate(let reason): "certificate: \(reason)"
            case .entry(let reason): reason.rawValue
            }
        }
    }

    let peerHost: String

    /// Whether a signature by this key would let it in under this name (RFC 4252 §7).
    func probe(
        _ credential: FrontendMessage.Credential, _ session: SessionProof, _ policy: LivePolicy
    ) throws(Fault) -> Result<Admission, Refusal> {
        let identity: Identity
        do throws(Refusal) {
            identity = try Identity(credential)
        } catch {
            return .failure(error)
        }
        guard session.fits(credential) else { return .failure(.otherHostKey) }
        return try entry(identity, login: credential.user, policy)
    }

    /// Whether the signature proves the key for this very connection, and the key may enter under this name.
    ///
    /// The bytes that the signature must cover are made here from the session identifier that the monitor computed: a signature
    /// made for another connection proves nothing. It is verified first, so that listed and unlisted keys take the same work.
    func authenticate(
        _ credential: FrontendMessage.Credential, signature: [UInt8], _ session: SessionProof, _ policy: LivePolicy
    ) throws(Fault) -> Result<ProvenUser, Refusal> {
        let identity: Identity
        let proof: SignatureBlob
        do throws(Refusal) {
            identity = try Identity(credential)
            proof = try Self.signature(signature)
        } catch {
            return .failure(error)
        }
        let signed = PublicKeySignedData(
            sessionIdentifier: session.identifier, user: credential.user, algorithm: credential.algorithm, blob: credential.key,
            hostKey: credential.hostKey)
        let isProven = identity.key.isValid(proof, over: signed.bytes)
        guard session.fits(credential) else { return .failure(.otherHostKey) }
        switch try entry(identity, login: credential.user, policy) {
        case .failure(let refusal): return .failure(refusal)
        case .success where !isProven: return .failure(.badSignature)
        case .success(let admission):
            if admission.key.requiresPIN, proof.use?.isUserVerified != true { return .failure(.noPIN) }
            if let use = proof.use, admission.key.requiresTouch, !use.isUserPresent { return .failure(.noTouch) }
            return .success(ProvenUser(login: credential.user, identity: identity, admission: admission))
        }
    }

    private static func signature(_ blob: [UInt8]) throws(Refusal) -> SignatureBlob {
        do throws(KeyError) {
            return try SignatureBlob(blob: blob)
        } catch {
            throw .badKey(error)
        }
    }

    private func entry(_ identity: Identity, login: String, _ policy: LivePolicy) throws(Fault) -> Result<Admission, Refusal> {
        switch try admission(of: identity, policy) {
        case .failure(let refusal): return .failure(refusal)
        case .success(let admission):
            let refusal = Decision.entryRefusal(
                key: admission.key, login: login, from: peerHost, now: Clock.unixSeconds, commands: admission.commands)
            return refusal.map { .failure(.entry($0)) } ?? .success(admission)
        }
    }

    /// What the live policy has for an identity; whether it may be used now, from here and under a name, ``Decision`` says.
    func admission(of identity: Identity, _ policy: LivePolicy) throws(Fault) -> Result<Admission, Refusal> {
        let fingerprint = identity.key.fingerprint
        // Also for a certified key: what is revoked is revoked however it comes.
        if try policy.isRevoked(digest: fingerprint) { return .failure(.revokedKey) }
        switch identity {
        case .key:
            guard let (key, commands) = try policy.entry(fingerprint: fingerprint) else { return .failure(.unknownKey) }
            return .success(Admission(key: key, commands: commands))
        case .certificate(let certificate):
            return try Admission.of(certificate, policy)
        }
    }
}
