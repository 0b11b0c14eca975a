public import SSHCiphers
public import SSHKeys
import SSHWire

/// What we offer in KEXINIT (RFC 4253 §7.1), most wanted first.
public struct AlgorithmProposal: Equatable, Sendable {
    public var kex: [KeyExchangeMethod]
    public var hostKey: [String]
    public var cipher: [CipherName]

    /// Named so that negotiation succeeds with peers that want a MAC; an AEAD cipher uses none.
    private static let macs = ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"]

    public init(
        kex: [KeyExchangeMethod] = KeyExchangeMethod.allCases, hostKey: [String] = ["ssh-ed25519"], cipher: [CipherName] = CipherName.allCases
    ) {
        self.kex = kex
        self.hostKey = hostKey
        self.cipher = cipher
    }

    /// The KEXINIT of `role`. What stands after the methods are no methods but signs: extension negotiation (RFC 8308 §2.1)
    /// and strict key exchange (OpenSSH PROTOCOL §1.10), which count in the first KEXINIT only.
    func kexInit(role: Role, cookie: [UInt8], isFirst: Bool) -> KexInit {
        let signs = isFirst ? [role.extInfoSign, role.strictSign] : []
        let names = kex.map(\.rawValue) + signs
        return KexInit(
            cookie: cookie,
            algorithms: KexInit.Algorithms(kex: names, hostKey: hostKey, cipher: cipher.map(\.rawValue), mac: Self.macs, compression: ["none"]))
    }
}

/// Which end of the connection we are.
public enum Role: Equatable, Sendable {
    case client, server

    var peer: Role { self == .client ? .server : .client }
    var extInfoSign: String { self == .client ? "ext-info-c" : "ext-info-s" }
    var strictSign: String { self == .client ? "kex-strict-c-v00@openssh.com" : "kex-strict-s-v00@openssh.com" }
}

/// What both ends agreed on.
public struct NegotiatedAlgorithms: Equatable, Sendable {
    public let kex: KeyExchangeMethod
    public let hostKey: String
    public let cipherClientToServer: CipherName
    public let cipherServerToClient: CipherName
    /// The peer's first guess of method and host key was right, so a guessed packet counts (RFC 4253 §7).
    let guessWasRight: Bool

    /// The first of the client's names that the server has too (RFC 4253 §7.1).
    init(client: KexInit.Algorithms, server: KexInit.Algorithms, role: Role) throws(TransportError) {
        let theirs = role == .server ? client : server
        func first<Name>(
            _ kind: String, _ list: (KexInit.Algorithms) -> [String], _ known: (String) -> Name?
        ) throws(TransportError) -> Name {
            let serverNames = list(server)
            guard let name = list(client).first(where: { serverNames.contains($0) }), let found = known(name) else {
                throw .noCommonAlgorithm(kind: kind, theirs: list(theirs))
            }
            return found
        }
        kex = try first("key exchange", \.kex) { KeyExchangeMethod(rawValue: $0) }
        hostKey = try first("host key", \.hostKey) { $0 }
        cipherClientToServer = try first("cipher", \.cipherClientToServer) { CipherName(rawValue: $0) }
        cipherServerToClient = try first("cipher", \.cipherServerToClient) { CipherName(rawValue: $0) }
        _ = try first("compression", \.compressionClientToServer) { $0 }
        _ = try first("compression", \.compressionServerToClient) { $0 }
        guessWasRight = client.kex.first == server.kex.first && client.hostKey.first == server.hostKey.first
    }
}
