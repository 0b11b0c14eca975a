import SSHWire
import Sodium

/// What a key exchange is bound to: both sides hash it, and the server signs the hash (RFC 4253 §8, RFC 5656 §4, RFC 8731).
public struct ExchangeHash: Sendable {
    /// Identification strings without CR LF.
    public var clientVersion: [UInt8]
    public var serverVersion: [UInt8]
    /// Payloads of the KEXINIT messages, their number included.
    public var clientKexInit: [UInt8]
    public var serverKexInit: [UInt8]
    /// The blob of the host key.
    public var hostKey: [UInt8]
    public var clientShare: [UInt8]
    public var serverShare: [UInt8]
    /// Encoded as the key exchange method says, with its length: an `mpint` for curve25519.
    public var sharedSecret: SecretBytes
    /// The hash function of the key exchange method.
    public var hash: HashFunction

    /// - Parameter sharedSecret: encoded, with its length.
    public init(
        clientVersion: [UInt8], serverVersion: [UInt8], clientKexInit: [UInt8], serverKexInit: [UInt8], hostKey: [UInt8],
        clientShare: [UInt8], serverShare: [UInt8], sharedSecret: SecretBytes, hash: HashFunction
    ) {
        self.clientVersion = clientVersion
        self.serverVersion = serverVersion
        self.clientKexInit = clientKexInit
        self.serverKexInit = serverKexInit
        self.hostKey = hostKey
        self.clientShare = clientShare
        self.serverShare = serverShare
        self.sharedSecret = sharedSecret
        self.hash = hash
    }

    /// The exchange hash H: 32 or 64 bytes, as the hash function has.
    public var value: [UInt8] {
        var writer = WireWriter()
        for field in [
            clientVersion, serverVersion, clientKexInit, serverKexInit, hostKey, clientShare, serverShare,
        ] { writer.string(field) }
        return hash.hash([.bytes(writer.bytes), .secret(sharedSecret)])
    }
}
