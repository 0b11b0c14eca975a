import SSHCiphers
public import SSHKeys
public import Sodium

/// What the host must sign, or have signed, for the server's side of a key exchange: all of the exchange hash's input
/// (RFC 8731 §3.1) but the server's version and its host key, which the signer puts in itself (DESIGN §6).
public struct SignatureRequest: Equatable, Sendable {
    public let method: KeyExchangeMethod
    public let hostKeyAlgorithm: String
    public let clientVersion: String
    /// Payloads, with their message number.
    public let clientKexInit: [UInt8]
    public let serverKexInit: [UInt8]
    public let clientShare: [UInt8]
    public let serverShare: [UInt8]
    /// As it enters the exchange hash.
    public let sharedSecret: SecretBytes

    public static func == (left: SignatureRequest, right: SignatureRequest) -> Bool {
        left.method == right.method && left.hostKeyAlgorithm == right.hostKeyAlgorithm && left.clientVersion == right.clientVersion
            && left.clientKexInit == right.clientKexInit && left.serverKexInit == right.serverKexInit
            && left.clientShare == right.clientShare && left.serverShare == right.serverShare
            && left.sharedSecret.equals(right.sharedSecret)
    }
}

/// The host key's public blob and its signature of the exchange hash (RFC 8709 §6).
public struct SignatureAnswer: Equatable, Sendable {
    public let hostKey: [UInt8]
    public let signature: [UInt8]

    public init(hostKey: [UInt8], signature: [UInt8]) {
        self.hostKey = hostKey
        self.signature = signature
    }
}

/// What the two KEXINITs settled.
struct Agreement: Sendable {
    let algorithms: NegotiatedAlgorithms
    let clientVersion: String
    let serverVersion: String
    let clientKexInit: [UInt8]
    let serverKexInit: [UInt8]
    /// RFC 4253 §7: a packet sent on a wrong guess is to be ignored.
    var ignoresNextGuess: Bool

    func exchangeHash(hostKey: [UInt8], clientShare: [UInt8], serverShare: [UInt8], secret: SecretBytes) -> [UInt8] {
        ExchangeHash(
            clientVersion: Array(clientVersion.utf8), serverVersion: Array(serverVersion.utf8), clientKexInit: clientKexInit, serverKexInit: serverKexInit,
            hostKey: hostKey, clientShare: clientShare, serverShare: serverShare, sharedSecret: secret,
            hash: algorithms.kex.hash
        ).value
    }
}

/// The keys of one key exchange for both directions (RFC 4253 §7.2).
struct DerivedKeys: Sendable {
    let sealer: PacketSealer
    let opener: PacketOpener

    init(algorithms: NegotiatedAlgorithms, secret: SecretBytes, exchangeHash: [UInt8], sessionIdentifier: [UInt8], role: Role) {
        let derivation = KeyDerivation(
            hash: algorithms.kex.hash, secret: secret, exchangeHash: exchangeHash, sessionIdentifier: sessionIdentifier)
        let (toServer, toClient) = (algorithms.cipherClientToServer, algorithms.cipherServerToClient)
        let serverKey = derivation.key(for: .encryptionClientToServer, count: toServer.keyBytes)
        let serverIV = derivation.key(for: .ivClientToServer, count: toServer.ivBytes)
        let clientKey = derivation.key(for: .encryptionServerToClient, count: toClient.keyBytes)
        let clientIV = derivation.key(for: .ivServerToClient, count: toClient.ivBytes)
        switch role {
        case .client:
            sealer = PacketSealer(toServer, key: serverKey, iv: serverIV)
            opener = PacketOpener(toClient, key: clientKey, iv: clientIV)
        case .server:
            sealer = PacketSealer(toClient, key: clientKey, iv: clientIV)
            opener = PacketOpener(toServer, key: serverKey, iv: serverIV)
        }
    }
}
