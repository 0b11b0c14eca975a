import Linux
import MonitorProtocol
import SSHKeys
import SSHWire
import Sodium
import Testing

/// What an honest frontend does, up to where a scenario departs from it.
extension Victim {
    /// A key exchange, whose signature is checked. Its hash, when it is the first, identifies the session.
    @discardableResult
    func exchangeKeys(_ record: FrontendMessage.KeyExchangeRecord = .sample()) throws -> [UInt8] {
        guard case .signed(let blob, let signature) = try ask(.sign(record)) else { throw Fault.ended }
        let hash = exchangeHash(record)
        #expect(blob == site.hostBlob)
        #expect(PublicKey(ed25519: site.hostKey.publicKey).isValid(try SignatureBlob(blob: signature), over: hash))
        return hash
    }

    /// What is to be signed for a key exchange, whatever the frontend says: with this gateway's key and this connection's identification.
    func exchangeHash(_ record: FrontendMessage.KeyExchangeRecord) -> [UInt8] {
        ExchangeHash(
            clientVersion: Array(record.clientVersion.utf8), serverVersion: Array(identification.utf8), clientKexInit: record.clientKexInit,
            serverKexInit: record.serverKexInit, hostKey: site.hostBlob, clientShare: record.clientShare, serverShare: record.serverShare,
            sharedSecret: SecretBytes(copying: record.sharedSecret), hash: KeyExchangeMethod(rawValue: record.method)?.hash ?? .sha256
        ).value
    }

    /// Exchanges keys and lets alice in.
    func enter() throws {
        let session = try exchangeKeys()
        #expect(try ask(.authentication(of: site.alice, login, session)) == .authenticated(true))
    }

    /// The name under which alice may enter.
    var login: String { site.account.name }

    func start(_ request: UInt32, _ line: String, _ variables: [FrontendMessage.Variable] = []) throws -> MonitorMessage {
        try ask(.start(request: request, .exec(Array(line.utf8)), environment: variables))
    }
}

extension FrontendMessage.KeyExchangeRecord {
    static func sample(method: String = "curve25519-sha256") -> Self {
        var secret: [UInt8] = [0, 0, 0, 32]
        secret.append(contentsOf: randomBytes(count: 32))
        let clientKexInit: [UInt8] = randomBytes(count: 600)
        let serverKexInit: [UInt8] = randomBytes(count: 400)
        let clientShare: [UInt8] = randomBytes(count: 32)
        let serverShare: [UInt8] = randomBytes(count: 32)
        return FrontendMessage.KeyExchangeRecord(
            method: method, hostKeyAlgorithm: "ssh-ed25519", clientVersion: "SSH-2.0-test", clientKexInit: clientKexInit, serverKexInit: serverKexInit,
            clientShare: clientShare, serverShare: serverShare, sharedSecret: secret)
    }
}

extension FrontendMessage.Credential {
    init(_ user: String, _ key: Ed25519SigningKey) {
        self.init(user: user, algorithm: "ssh-ed25519", key: PublicKey(ed25519: key.publicKey).blob)
    }
}

extension FrontendMessage {
    /// A right signature by `key`, for `session`.
    static func authentication(of key: Ed25519SigningKey, _ user: String, _ session: [UInt8]) -> FrontendMessage {
        let credential = Credential(user, key)
        return .authenticate(credential, signature: credential.signature(by: key, session))
    }

    static func start(_ request: UInt32, _ line: String) -> FrontendMessage {
        .start(request: request, .exec(Array(line.utf8)), environment: [])
    }
}

extension FrontendMessage.Credential {
    /// What a client sends as its signature for this credential.
    func signature(by signer: Ed25519SigningKey, _ session: [UInt8], user: String? = nil, service: String = "ssh-connection", hostKey: [UInt8]? = nil) -> [UInt8] {
        encodedSignature(signer.sign(signedBytes(session, user: user, service: service, hostKey: hostKey)))
    }

    /// What a signature for this credential covers.
    func signedBytes(_ session: [UInt8], user: String? = nil, service: String = "ssh-connection", hostKey: [UInt8]? = nil) -> [UInt8] {
        PublicKeySignedData(
            sessionIdentifier: session, user: user ?? self.user, service: service, algorithm: algorithm, blob: key, hostKey: hostKey
        ).bytes
    }
}

/// As it stands in messages (RFC 8709 §6).
func encodedSignature(_ signature: [UInt8]) -> [UInt8] {
    var writer = WireWriter()
    writer.text("ssh-ed25519")
    writer.string(signature)
    return writer.bytes
}
