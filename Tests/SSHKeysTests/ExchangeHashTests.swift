import SSHKeys
import Sodium
import Testing

/// The values of this file come from Python's hashlib over the fields joined with struct.pack('>I', len(field)).
@Suite("RFC 4253 §8: the exchange hash") struct ExchangeHashTests {
    let hostKey = PublicKey(ed25519: Array(0..<32))

    func value(_ hash: HashFunction) -> [UInt8] {
        ExchangeHash(
            clientVersion: Array("SSH-2.0-client".utf8), serverVersion: Array("SSH-2.0-server".utf8),
            clientKexInit: [20] + Array("client".utf8), serverKexInit: [20] + Array("server".utf8),
            hostKey: hostKey.blob, clientShare: [UInt8](repeating: 1, count: 32),
            serverShare: [UInt8](repeating: 2, count: 32),
            sharedSecret: SecretBytes(copying: [0, 0, 0, 33, 0] + Array(0x80..<0xa0)), hash: hash
        ).value
    }

    @Test func `covers every field in order`() {
        #expect(value(.sha256) == hex("5f1858f595f99d4c86e6decee31447407c5ce482886b1b6d135e4ad9efc6cf2b"))
        #expect(
            value(.sha512)
                == hex(
                    "4513f1af1bee96a4ec55646a273268e5b79067bc421b2d395df44e25449d9434"
                        + "9fced4f89131bf1bf090d96a2371103134bbe2a07d3dadb99eb6b10b70a12f4d"))
    }

    @Test(arguments: [
        (nil, "b18bad2f5b6237a255f554628a107903b97714c9447e773519ac431324576760"),
        ("the host key", "4c8e7ed6567d55708cbff88862fd516ba3990ad960f3ba14dd7530a4bd1bc242"),
    ]) func `a user's signature covers the fields of RFC 4252 §7, and the host key where it is bound`(
        bound: String?, expected: String
    ) {
        let data = PublicKeySignedData(
            sessionIdentifier: Array("sid-of-this-connection".utf8), user: "zoë", algorithm: "ssh-ed25519",
            blob: hostKey.blob, hostKey: bound.map { Array($0.utf8) })
        #expect(SHA256.hash(data.bytes) == hex(expected))
    }
}
