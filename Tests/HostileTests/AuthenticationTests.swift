import MonitorProtocol
import SSHKeys
import SSHWire
import Sodium
import Testing

/// A user signature that proves nothing here.
struct Forgery: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// As the log has it.
    let reason: String
    let make: @Sendable (Victim, _ session: [UInt8]) throws -> FrontendMessage

    private static func by(_ name: String, _ reason: String, _ make: @escaping @Sendable (Victim, [UInt8]) throws -> FrontendMessage) -> Forgery {
        Forgery(testDescription: name, reason: reason, make: make)
    }

    private static func signed(
        _ name: String, _ reason: String = "bad signature", _ signature: @escaping @Sendable (Victim, FrontendMessage.Credential, [UInt8]) throws -> [UInt8]
    ) -> Forgery {
        by(name, reason) { victim, session in
            let credential = FrontendMessage.Credential(victim.login, victim.site.alice)
            return .authenticate(credential, signature: try signature(victim, credential, session))
        }
    }

    private static let foreign = signed("alice's signature for another connection") { victim, credential, _ in
        // Another connection of the same gateway, to which she really logs in: her signature is relayed.
        let other = try Victim(as: victim.role)
        let signature = credential.signature(by: other.site.alice, try other.exchangeKeys())
        #expect(try other.ask(.authenticate(credential, signature: signature)) == .authenticated(true))
        _ = try other.leave()
        return signature
    }
    private static let otherServer = signed("alice's signature for another server") { victim, credential, _ in
        let record = FrontendMessage.KeyExchangeRecord.sample()
        let evil = ExchangeHash(
            clientVersion: [], serverVersion: Array(victim.identification.utf8), clientKexInit: record.clientKexInit,
            serverKexInit: record.serverKexInit, hostKey: PublicKey(ed25519: victim.site.mallory.publicKey).blob,
            clientShare: record.clientShare, serverShare: record.serverShare, sharedSecret: SecretBytes(copying: record.sharedSecret), hash: .sha256)
        return credential.signature(by: victim.site.alice, evil.value)
    }
    private static let otherKey = signed("mallory's signature, presented for alice's key") { victim, credential, session in
        credential.signature(by: victim.site.mallory, session)
    }
    private static let ownKey = signed("mallory's signature over mallory's key, presented for alice's") { victim, _, session in
        FrontendMessage.Credential(victim.login, victim.site.mallory).signature(by: victim.site.mallory, session)
    }
    private static let otherUser = signed("alice's signature for another user name") { victim, credential, session in
        credential.signature(by: victim.site.alice, session, user: "root")
    }
    private static let otherService = signed("alice's signature for another service") { victim, credential, session in
        credential.signature(by: victim.site.alice, session, service: "ssh-userauth")
    }
    private static let hostbound = signed("alice's hostbound signature, presented as a plain one") { victim, credential, session in
        credential.signature(by: victim.site.alice, session, hostKey: victim.site.hostBlob)
    }
    private static let otherHost = by("alice's signature, bound to another host key", "bound to another host key") { victim, session in
        var credential = FrontendMessage.Credential(victim.login, victim.site.alice)
        credential.hostKey = PublicKey(ed25519: victim.site.mallory.publicKey).blob
        return .authenticate(credential, signature: credential.signature(by: victim.site.alice, session, hostKey: credential.hostKey))
    }
    private static let plainAsBound = by("alice's plain signature, presented as a hostbound one", "bad signature") { victim, session in
        var credential = FrontendMessage.Credential(victim.login, victim.site.alice)
        credential.hostKey = victim.site.hostBlob
        return .authenticate(credential, signature: credential.signature(by: victim.site.alice, session))
    }
    private static let otherHostSigned = by("alice's signature for another host, said to be for this one", "bad signature") { victim, session in
        var credential = FrontendMessage.Credential(victim.login, victim.site.alice)
        credential.hostKey = victim.site.hostBlob
        let other = PublicKey(ed25519: victim.site.mallory.publicKey).blob
        return .authenticate(credential, signature: credential.signature(by: victim.site.alice, session, hostKey: other))
    }
    private static let bare = signed("alice's signature of the bare session identifier") { victim, _, session in
        encodedSignature(victim.site.alice.sign(session))
    }
    private static let zeros = signed("a signature of zeros") { _, _, _ in encodedSignature([UInt8](repeating: 0, count: 64)) }
    private static let hostSignature = signed("the gateway's own signature of the exchange") { victim, _, session in
        encodedSignature(victim.site.hostKey.sign(session))
    }
    private static let truncated = signed("a signature that ends early", "bad key: the signature has 63 bytes, not 64") { _, _, _ in
        encodedSignature([UInt8](repeating: 0, count: 63))
    }
    private static let otherKind = signed("alice's signature under the name of a security key's") { victim, credential, session in
        var writer = WireWriter()
        writer.text("sk-ssh-ed25519@openssh.com")
        writer.string(victim.site.alice.sign(credential.signedBytes(session)))
        writer.raw([1, 0, 0, 0, 1])
        return writer.bytes
    }
    private static let untouched = by("a right signature by a security key that nobody touched", "the security key was not touched") { victim, session in
        victim.site.token.authentication(victim.login, session, flags: 0)
    }
    private static let flagsChanged = by("a security key's signature whose flags were changed", "bad signature") { victim, session in
        victim.site.token.authentication(victim.login, session, flags: 0, saying: 1)
    }
    private static let otherApplication = by("a security key's signature for another application", "bad signature") { victim, session in
        victim.site.token.authentication(victim.login, session, flags: 1, application: "webauthn")
    }
    private static let bareToken = by("a plain signature by a security key", "bad signature") { victim, session in
        let credential = victim.site.token.credential(victim.login)
        return .authenticate(credential, signature: encodedSignature(victim.site.token.key.sign(credential.signedBytes(session))))
    }
    private static let tokenAsPlain = by("a security key's bytes as an ordinary key", "unknown key") { victim, session in
        .authentication(of: victim.site.token.key, victim.login, session)
    }
    private static let notListed = by("a right signature by a key that is not listed", "unknown key") { victim, session in
        .authentication(of: victim.site.mallory, victim.login, session)
    }
    private static let wrongLogin = by("a right signature by a key of another login", "no command under this login") { victim, session in
        .authentication(of: victim.site.bob, victim.login, session)
    }
    private static let asRoot = by("alice as root", "no command under this login") { victim, session in
        .authentication(of: victim.site.alice, "root", session)
    }
    private static let certificate = by("alice's key under the name of a certificate", #"bad key: "ssh-ed25519" is not supported, use ssh-ed25519"#) {
        victim, session in
        var credential = FrontendMessage.Credential(victim.login, victim.site.alice)
        credential.algorithm = "ssh-ed25519-cert-v01@openssh.com"
        return .authenticate(credential, signature: credential.signature(by: victim.site.alice, session))
    }

    /// Mallory presents a certificate for her own key.
    private static func certified(
        _ name: String, _ reason: String, _ change: @escaping @Sendable (Victim, inout TestCertificate) -> Void
    ) -> Forgery {
        by(name, reason) { victim, session in
            var certificate = TestCertificate(key: victim.site.mallory.publicKey, authority: victim.site.authority)
            change(victim, &certificate)
            return certificate.authentication(victim.login, session, by: victim.site.mallory)
        }
    }

    private static let certificates = [
        certified("a certificate of mallory's own make", "certificate: unknown authority") { $1.authority = $0.site.mallory },
        certified("a certificate that names the authority, signed by mallory", "bad key: the certificate's signature is not its signer's") {
            $1.signer = $0.site.authority.publicKey
            $1.authority = $0.site.mallory
        },
        certified("a certificate signed by the host key", "certificate: unknown authority") { $1.authority = $0.site.hostKey },
        certified("a certificate of another user's key", "bad signature") { $1.key = $0.site.alice.publicKey },
        certified("a host's certificate", "certificate: it is a host's") { $1.kind = 2 },
        certified("a certificate without principals", "certificate: no principals") { $1.principals = [] },
        certified("a certificate with an option that nobody knows", #"certificate: unknown critical option "x""#) { $1.options = [("x", [])] },
        certified("a certificate whose source-address excludes", "certificate: source-address is no list of networks") {
            var data = WireWriter()
            data.text("127.0.0.0/8,!192.0.2.1")
            $1.options = [("source-address", data.bytes)]
        },
        certified("a certificate whose source-address is empty", "certificate: source-address is no list of networks") {
            $1.options = [("source-address", [0, 0, 0, 0])]
        },
        certified("a certificate with another's name, and a line feed", #"certificate: the key id "alice\n" cannot be a name"#) { $1.keyID = "alice\n" },
        certified("a certificate with an empty key id", #"certificate: the key id "" cannot be a name"#) { $1.keyID = "" },
        by("a certificate under the name of a plain key", #"bad key: "ssh-ed25519-cert-v01@openssh.com" is not supported, use ssh-ed25519"#) { victim, session in
            var credential = FrontendMessage.Credential(victim.login, victim.site.mallory)
            credential.key = TestCertificate(key: victim.site.mallory.publicKey, authority: victim.site.authority).blob
            return .authenticate(credential, signature: credential.signature(by: victim.site.mallory, session))
        },
    ]

    static let all = [
        foreign, otherServer, otherKey, ownKey, otherUser, otherService, hostbound, otherHost, plainAsBound, otherHostSigned, bare, zeros, hostSignature, truncated, notListed,
        wrongLogin, asRoot, certificate, otherKind, untouched, flagsChanged, otherApplication, bareToken, tokenAsPlain,
    ] + certificates
}

extension Hostile {
    @Suite("The monitor verifies user signatures itself") struct Authentication {
        @Test(arguments: Forgery.all, Role.available)
        func `what proves nothing opens nothing`(forgery: Forgery, role: Role) throws {
            let victim = try Victim(as: role)
            let session = try victim.exchangeKeys()
            #expect(try victim.ask(try forgery.make(victim, session)) == .authenticated(false))
            // The frontend goes on as if it had been granted.
            try victim.send(.start(0, "mark forged"))
            #expect(try victim.receive() == nil)
            let record = try victim.ended()
            #expect(record.texts("authentication", "result") == ["refused"])
            #expect(record.texts("authentication", "reason") == [forgery.reason])
            #expect(record.texts("authentication", "stage") == ["signature"])
            #expect(record.violations == [#""start" before authentication"#])
            #expect(record.all("decision").isEmpty)
            record.expectSound(victim.site)
            try expectNormalSession(victim.site, role)
        }

        @Test(arguments: Role.available)
        func `a probe tells the same of every key and name that may not enter`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.exchangeKeys()
            let keys = [victim.site.mallory, victim.site.bob]
            for user in [victim.login, "root", "", "no-such-user", "a\nb"] {
                for key in keys { #expect(try victim.ask(.probe(.init(user, key))) == .probed(false)) }
            }
            #expect(try victim.ask(.probe(.init(victim.login, victim.site.alice))) == .probed(true))
            #expect(try victim.ask(.probe(.init("root", victim.site.alice))) == .probed(false))
            let record = try victim.leave()
            #expect(record.texts("authentication", "result") == Array(repeating: "refused", count: 11))
            record.expectSound(victim.site)
        }

        @Test(arguments: Role.available)
        func `a security key that was touched opens`(role: Role) throws {
            let victim = try Victim(as: role)
            let session = try victim.exchangeKeys()
            #expect(try victim.ask(.probe(victim.site.token.credential(victim.login))) == .probed(true))
            #expect(try victim.ask(victim.site.token.authentication(victim.login, session, flags: 1)) == .authenticated(true))
            #expect(try victim.leave().violations == [])
        }

        @Test(arguments: Role.available)
        func `a signature that is bound to this host key opens, and probes are bound too`(role: Role) throws {
            let victim = try Victim(as: role)
            let session = try victim.exchangeKeys()
            var credential = FrontendMessage.Credential(victim.login, victim.site.alice)
            credential.hostKey = PublicKey(ed25519: victim.site.mallory.publicKey).blob
            #expect(try victim.ask(.probe(credential)) == .probed(false))
            credential.hostKey = victim.site.hostBlob
            #expect(try victim.ask(.probe(credential)) == .probed(true))
            let signature = credential.signature(by: victim.site.alice, session, hostKey: victim.site.hostBlob)
            #expect(try victim.ask(.authenticate(credential, signature: signature)) == .authenticated(true))
            #expect(try victim.leave().violations == [])
        }

        @Test(arguments: Role.available)
        func `a certificate of the authority opens`(role: Role) throws {
            let victim = try Victim(as: role)
            let session = try victim.exchangeKeys()
            let certificate = TestCertificate(key: victim.site.mallory.publicKey, authority: victim.site.authority)
            #expect(try victim.ask(certificate.authentication(victim.login, session, by: victim.site.mallory)) == .authenticated(true))
            #expect(try victim.start(0, "other").isPrinted(126))
            guard case .started = try victim.start(1, "hello") else { throw Victim.Fault.ended }
            #expect(try victim.receive() == .exited(request: 1, .status(0), note: ""))
            let record = try victim.leave()
            #expect(record.violations == [])
            record.expectSound(victim.site)
        }

        @Test(arguments: Role.available)
        func `alice, proven, may run what is hers and nothing of bob's`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            let name = "proof-\(role.rawValue)"
            // The other tests look for marks that must not be there: here it is seen that there would be one.
            guard case .started = try victim.start(0, "mark \(name)") else { throw Victim.Fault.ended }
            #expect(try victim.receive() == .exited(request: 0, .status(0), note: ""))
            #expect(victim.site.hasMark(name))
            #expect(try victim.start(1, "other").isPrinted(126))
            let record = try victim.leave()
            #expect(record.texts("decision", "verdict") == ["run", "refuse"])
            #expect(record.violations == [])
            record.expectSound(victim.site)
        }
    }
}
