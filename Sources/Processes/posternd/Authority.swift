import Linux
import MonitorProtocol
import Policy
import SSHKeys
import SSHWire

/// Proof that a user holds a listed key's secret, for this connection: only ``Authority`` makes one.
struct ProvenUser {
    let login: String
    let keyName: String
    let fingerprint: [UInt8]

    fileprivate init(login: String, keyName: String, fingerprint: [UInt8]) {
        self.login = login
        self.keyName = keyName
        self.fingerprint = fingerprint
    }
}

/// Decides who may enter. It parses keys and verifies signatures itself: the frontend's word counts for nothing.
struct Authority {
    /// Why someone may not enter: for the log only, since all look alike to the client.
    enum Refusal: Error, CustomStringConvertible {
        case badKey(KeyError)
        case unknownKey
        case badSignature
        /// The signature is by a security key that nobody touched, or that did not ask who does.
        case noTouch
        case noPIN
        case entry(EntryRefusal)

        var description: String {
            switch self {
            case .badKey(let error): "bad key: \(error)"
            case .unknownKey: "unknown key"
            case .badSignature: "bad signature"
            case .noTouch: "the security key was not touched"
            case .noPIN: "the security key did not verify its user"
            case .entry(let reason): reason.rawValue
            }
        }
    }

    let peerHost: String

    /// Whether a signature by this key would let it in under this name (RFC 4252 §7).
    func probe(_ credential: FrontendMessage.Credential, _ policy: LivePolicy) throws(Fault) -> Result<Key, Refusal> {
        let publicKey: PublicKey
        do throws(KeyError) {
            publicKey = try PublicKey(blob: credential.key)
            guard publicKey.algorithm == credential.algorithm else { return .failure(.badKey(.unsupported(algorithm: credential.algorithm))) }
        } catch {
            return .failure(.badKey(error))
        }
        guard let (key, commands) = try policy.entry(fingerprint: publicKey.fingerprint) else { return .failure(.unknownKey) }
        let refusal = Decision.entryRefusal(
            key: key, login: credential.user, from: peerHost, now: Clock.unixSeconds, commands: commands)
        return refusal.map { .failure(.entry($0)) } ?? .success(key)
    }

    /// Whether the signature proves the key for this very connection, and the key may enter under this name.
    ///
    /// The bytes that the signature must cover are made here from the session identifier that the monitor computed: a signature
    /// made for another connection proves nothing. It is verified first, so that listed and unlisted keys take the same work.
    func authenticate(
        _ credential: FrontendMessage.Credential, signature: [UInt8], sessionIdentifier: [UInt8], _ policy: LivePolicy
    ) throws(Fault) -> Result<ProvenUser, Refusal> {
        let publicKey: PublicKey
        let proof: SignatureBlob
        do throws(KeyError) {
            publicKey = try PublicKey(blob: credential.key)
            proof = try SignatureBlob(blob: signature)
        } catch {
            return .failure(.badKey(error))
        }
        let signed = PublicKeySignedData(
            sessionIdentifier: sessionIdentifier, user: credential.user, algorithm: credential.algorithm, blob: credential.key)
        let isProven = publicKey.isValid(proof, over: signed.bytes)
        switch try probe(credential, policy) {
        case .failure(let refusal): return .failure(refusal)
        case .success where !isProven: return .failure(.badSignature)
        case .success(let key):
            if key.requiresPIN, proof.use?.isUserVerified != true { return .failure(.noPIN) }
            if let use = proof.use, key.requiresTouch, !use.isUserPresent { return .failure(.noTouch) }
            return .success(ProvenUser(login: credential.user, keyName: key.name, fingerprint: publicKey.fingerprint))
        }
    }
}
