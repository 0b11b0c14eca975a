import Sodium

/// Makes the keys of a connection from what a key exchange agreed on (RFC 4253 §7.2).
public struct KeyDerivation: Sendable {
    private let hash: HashFunction
    private let secret: SecretBytes
    private let exchangeHash: [UInt8]
    private let sessionIdentifier: [UInt8]

    /// - Parameters:
    ///   - secret: encoded as the key exchange method says, its length included.
    ///   - sessionIdentifier: the exchange hash of the connection's first key exchange.
    public init(hash: HashFunction, secret: SecretBytes, exchangeHash: [UInt8], sessionIdentifier: [UInt8]) {
        self.hash = hash
        self.secret = secret
        self.exchangeHash = exchangeHash
        self.sessionIdentifier = sessionIdentifier
    }

    /// What a key is for; the raw value is the letter that goes into its hash.
    public enum Purpose: UInt8, CaseIterable, Sendable {
        case ivClientToServer = 0x41
        case ivServerToClient = 0x42
        case encryptionClientToServer = 0x43
        case encryptionServerToClient = 0x44
        case integrityClientToServer = 0x45
        case integrityServerToClient = 0x46
    }

    /// The first `count` bytes of the key for `purpose`.
    public func key(for purpose: Purpose, count: Int) -> SecretBytes {
        var blocks = [hash.secretHash(prefix + [.bytes([purpose.rawValue]), .bytes(sessionIdentifier)])]
        while blocks.count * hash.count < count {
            blocks.append(hash.secretHash(prefix + blocks.map { .secret($0) }))
        }
        return SecretBytes(count: count) { key in
            for (index, block) in blocks.enumerated() {
                block.withSpan { bytes in
                    let start = index * hash.count
                    for offset in 0..<min(bytes.count, count - start) { key[start + offset] = bytes[offset] }
                }
            }
        }
    }

    private var prefix: [HashPiece] { [.secret(secret), .bytes(exchangeHash)] }
}
