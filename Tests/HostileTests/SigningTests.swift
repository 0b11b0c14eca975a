import MonitorProtocol
import SSHKeys
import SSHWire
import Sodium
import Testing

extension Hostile {
    @Suite("DESIGN §6: the monitor is no signing oracle") struct Signing {
        /// What a frontend may put into a request, from the ordinary to what it would like to have signed for another connection.
        static let records: [(name: String, FrontendMessage.KeyExchangeRecord)] = {
            var records = KeyExchangeMethod.allCases.map { ($0.rawValue, FrontendMessage.KeyExchangeRecord.sample(method: $0.rawValue)) }
            let nothing = FrontendMessage.KeyExchangeRecord(
                method: "curve25519-sha256", hostKeyAlgorithm: "ssh-ed25519", clientVersion: "", clientKexInit: [], serverKexInit: [], clientShare: [], serverShare: [], sharedSecret: [])
            records.append(("nothing", nothing))
            var server = FrontendMessage.KeyExchangeRecord.sample()
            server.clientVersion = "SSH-2.0-OpenSSH_10.0"
            server.serverKexInit = Array("SSH-2.0-OpenSSH_10.0\r\n".utf8)
            records.append(("another server's identification", server))
            var largest = FrontendMessage.KeyExchangeRecord.sample()
            largest.clientVersion = String(repeating: "v", count: WireLimit.name)
            largest.clientKexInit = [UInt8](repeating: 20, count: WireLimit.packet)
            largest.serverKexInit = [UInt8](repeating: 20, count: WireLimit.packet)
            largest.clientShare = [UInt8](repeating: 1, count: WireLimit.blob)
            largest.serverShare = [UInt8](repeating: 2, count: WireLimit.blob)
            largest.sharedSecret = [UInt8](repeating: 3, count: WireLimit.name)
            records.append(("the largest", largest))
            return records
        }()

        @Test(arguments: records.indices, Role.available)
        func `signs the exchange hash with its own key and its own identification, whatever it is asked`(index: Int, role: Role) throws {
            let victim = try Victim(as: role)
            // `exchangeKeys` computes the hash again and verifies the signature with the host's public key.
            let session = try victim.exchangeKeys(Self.records[index].1)
            #expect(try victim.ask(.authentication(of: victim.site.alice, victim.login, session)) == .authenticated(true))
            try victim.exchangeKeys(Self.records[index].1)
            let record = try victim.leave()
            #expect(record.violations == [])
            record.expectSound(victim.site)
        }

        @Test(arguments: Role.available)
        func `proves its own host keys for this session, once, and no other`(role: Role) throws {
            let victim = try Victim(as: role)
            let session = try victim.exchangeKeys()
            #expect(try victim.ask(.authentication(of: victim.site.alice, victim.login, session)) == .authenticated(true))
            guard case .proved(let signatures) = try victim.ask(.prove(hostKeys: [victim.site.hostBlob])) else { throw Victim.Fault.ended }
            // OpenSSH PROTOCOL §2.5: what is signed says what it is for, in which session.
            var signed = WireWriter()
            signed.text("hostkeys-prove-00@openssh.com")
            signed.string(session)
            signed.string(victim.site.hostBlob)
            let key = PublicKey(ed25519: victim.site.hostKey.publicKey)
            #expect(signatures.count == 1)
            #expect(key.isValid(try SignatureBlob(blob: try #require(signatures.first)), over: signed.bytes))
            try victim.send(.prove(hostKeys: [victim.site.hostBlob]))
            #expect(try victim.receive() == nil)
            #expect(try victim.ended().violations == [#"more than 1 times "prove""#])
        }

        @Test(arguments: Role.available)
        func `proves nothing of what is not its own`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            let foreign = PublicKey(ed25519: victim.site.mallory.publicKey).blob
            #expect(try victim.ask(.prove(hostKeys: [victim.site.hostBlob, foreign])) == .proved(signatures: []))
            #expect(try victim.leave().violations == [])
        }

        @Test(arguments: Role.available)
        func `signs with no host key that was not offered`(role: Role) throws {
            for algorithm in ["ssh-rsa", "ssh-ed25519-cert-v01@openssh.com", ""] {
                let victim = try Victim(as: role)
                var record = FrontendMessage.KeyExchangeRecord.sample()
                record.hostKeyAlgorithm = algorithm
                try victim.send(.sign(record))
                #expect(try victim.receive() == nil)
                #expect(try victim.ended().violations == ["an unknown host key algorithm \"\(algorithm)\""])
            }
        }

        @Test(arguments: Role.available)
        func `the same exchange on two connections makes two sessions`(role: Role) throws {
            let exchange = FrontendMessage.KeyExchangeRecord.sample()
            let (first, second) = (try Victim(as: role), try Victim(as: role))
            #expect(first.identification != second.identification)
            #expect(try first.exchangeKeys(exchange) != second.exchangeKeys(exchange))
            _ = try (first.leave(), second.leave())
        }

        @Test(arguments: Role.available)
        func `the session stays that of the first exchange`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            // Were the second exchange the session, a frontend could choose it after it has a user's signature.
            try victim.exchangeKeys()
            #expect(try victim.start(0, "help").isPrinted(0))
            try victim.leave().expectSound(victim.site)
        }
    }
}
