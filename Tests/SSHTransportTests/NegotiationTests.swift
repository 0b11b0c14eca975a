import SSHCiphers
import SSHKeys
import SSHWire
import Testing

@testable import SSHTransport

@Suite("RFC 4253 §7.1: negotiation") struct NegotiationTests {
    /// What our own side offers, as the message it sends.
    static func ours(_ role: Role, isFirst: Bool = true) -> KexInit.Algorithms {
        AlgorithmProposal().kexInit(role: role, cookie: [UInt8](repeating: 0, count: 16), isFirst: isFirst).algorithms
    }

    static func client(_ change: (inout KexInit.Algorithms) -> Void) -> KexInit.Algorithms {
        var algorithms = ours(.client)
        change(&algorithms)
        return algorithms
    }

    @Test func `takes the client's first name that the server has too`() throws {
        let client = Self.client { $0.kex = ["sntrup", "curve25519-sha256@libssh.org", "curve25519-sha256"] }
        let found = try NegotiatedAlgorithms(client: client, server: Self.ours(.server), role: .server)
        #expect(found.kex == .curve25519LibSSH)
        #expect(found.hostKey == "ssh-ed25519")
        #expect(found.cipherClientToServer == .chacha20Poly1305)
        #expect(!found.guessWasRight)
    }

    static let hopeless: [(kind: String, KexInit.Algorithms)] = [
        ("key exchange", client { $0.kex = ["diffie-hellman-group14-sha256"] }),
        ("key exchange", client { $0.kex = [] }),
        ("host key", client { $0.hostKey = ["rsa-sha2-512"] }),
        ("cipher", client { $0.cipherClientToServer = ["aes128-ctr"] }),
        ("cipher", client { $0.cipherServerToClient = ["aes128-ctr"] }),
        ("compression", client { $0.compressionClientToServer = ["zlib"] }),
        ("compression", client { $0.compressionServerToClient = [] }),
    ]

    @Test(arguments: hopeless) func `ends where nothing is in common, and says what was offered`(kind: String, client: KexInit.Algorithms) {
        let error = #expect(throws: TransportError.self) { try NegotiatedAlgorithms(client: client, server: Self.ours(.server), role: .server) }
        guard case .noCommonAlgorithm(kind, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.disconnect.reason == .keyExchangeFailed)
    }

    /// RFC 8308 §2.2: a sign that is chosen as the method ends the connection.
    @Test(arguments: ["ext-info-s", "kex-strict-s-v00@openssh.com"]) func `a sign is no method`(sign: String) {
        let client = Self.client { $0.kex.insert(sign, at: 0) }
        #expect(throws: TransportError.noCommonAlgorithm(kind: "key exchange", theirs: client.kex)) {
            try NegotiatedAlgorithms(client: client, server: Self.ours(.server), role: .server)
        }
    }

    @Test func `a guess is right when method and host key are both the first`() throws {
        #expect(try NegotiatedAlgorithms(client: Self.ours(.client), server: Self.ours(.server), role: .server).guessWasRight)
        let other = Self.client { $0.hostKey.insert("rsa-sha2-512", at: 0) }
        #expect(try !NegotiatedAlgorithms(client: other, server: Self.ours(.server), role: .server).guessWasRight)
    }

    @Test func `signs stand in the first KEXINIT only`() {
        #expect(Self.ours(.server).kex.suffix(2) == ["ext-info-s", "kex-strict-s-v00@openssh.com"])
        #expect(Self.ours(.client).kex.suffix(2) == ["ext-info-c", "kex-strict-c-v00@openssh.com"])
        #expect(Self.ours(.server, isFirst: false).kex == KeyExchangeMethod.allCases.map(\.rawValue))
    }
}
