import Foundation
import Linux
import SSHKeys
import SSHWire
import Sodium
import Testing

/// What a peer does at one moment of its connection, and what comes of it.
private struct Attack {
    let name: String
    let stage: SocketPeer.Stage
    /// What the peer is told.
    let reason: Disconnect.Reason
    /// What the log says of it.
    let log: String
    var cipher = "chacha20-poly1305@openssh.com"
    let act: (inout SocketPeer) throws -> Void

    /// One that says these messages.
    static func saying(_ name: String, _ stage: SocketPeer.Stage, _ messages: [[UInt8]], _ log: String, _ reason: Disconnect.Reason = .protocolError) -> Attack {
        Attack(name: name, stage: stage, reason: reason, log: log) { for message in messages { $0.say(message) } }
    }
}

/// The unit tests have the tables of all that each state refuses; here is what reaches a whole gateway.
@Suite("RFC 4253, 4252, 4254: hostile peers of a gateway") struct HostilePeerTests {
    private static let ignore: [UInt8] = [2, 0, 0, 0, 0]
    private static let debug: [UInt8] = [4, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    private static let asides: [[UInt8]] = [ignore, [3, 0, 0, 0, 0], debug, ExtInfo(extensions: []).payload, Ping(data: []).payload, [190]]
    private static let service = ServiceRequest(service: "ssh-userauth").payload
    private static let share = KexECDHInit(clientShare: Array(1...32)).payload
    private static let open = ChannelOpen(type: "session", senderChannel: 0, initialWindow: 1 << 20, maximumPacket: 32_768).payload
    private static let exec = ChannelRequest(recipientChannel: 0, wantReply: true, kind: .exec(command: Array("sh 'echo in'".utf8))).payload
    private static let lengths: [UInt32] = [0, 1, 35_001, 1 << 31, .max]

    /// Each attack ends its own connection, as it should and with the reason in the log; nothing was started for it, and somebody else logs in.
    private func survive(_ attacks: [Attack]) throws {
        try Gateway.serving { gateway in
            for attack in attacks {
                var peer = try SocketPeer.at(attack.stage, gateway, cipher: attack.cipher)
                try attack.act(&peer)
                #expect(try peer.ending() == attack.reason, "\(attack.name)")
                let record = try gateway.record("disconnect") { $0.connection == peer.connection }
                #expect(record["reason"].contains(attack.log), "\(attack.name): \(record["reason"])")
                let started = try gateway.records("decision").filter { $0.connection == peer.connection }
                #expect(started.isEmpty, "\(attack.name)")
                try Self.expectService(gateway, after: attack.name)
            }
            #expect(try gateway.records("violation").isEmpty)
        }
    }

    private static func expectService(_ gateway: Gateway, after name: String) throws {
        let outcome = try gateway.script("echo in")
        #expect(outcome.output == "in\n", "after \(name): \(outcome)")
    }

    // MARK: - RFC 4253

    @Test func `lengths, padding and messages that are none, before there are keys`() throws {
        var attacks = Self.lengths.map { length in
            Attack(name: "length \(length)", stage: .identified, reason: .protocolError, log: "a packet length of \(length)") {
                $0.raw((0..<4).map { UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * $0)) } + [UInt8](repeating: 0, count: 64))
            }
        }
        attacks += [0, 3, 11, 255].map { padding in
            Attack(name: "padding \(padding)", stage: .identified, reason: .protocolError, log: "a padding of \(padding) bytes") {
                $0.raw([0, 0, 0, 12, padding] + [UInt8](repeating: 2, count: 11))
            }
        }
        attacks.append(.saying("no payload", .identified, [[]], "a padding of"))
        attacks.append(Attack(name: "a KEXINIT that is cut", stage: .identified, reason: .protocolError, log: "a malformed message") { $0.say(Array($0.kexInit().payload.dropLast(9))) })
        attacks.append(Attack(name: "a name-list longer than its packet", stage: .identified, reason: .protocolError, log: "a malformed message") {
            $0.say([20] + [UInt8](repeating: 0, count: 16) + [0xff, 0xff, 0xff, 0xff, 0x61])
        })
        attacks.append(Attack(name: "nothing in common", stage: .identified, reason: .keyExchangeFailed, log: "no common key exchange") {
            var ours = $0.kexInit()
            ours.algorithms.kex = ["diffie-hellman-group1-sha1"]
            $0.say(ours)
        })
        try survive(attacks)
    }

    /// CVE-2023-48795: put in before the keys, the rest under them.
    @Test func `Terrapin: what is put in, left out, repeated or swapped`() throws {
        var attacks: [Attack] = []
        for aside in Self.asides {
            if aside[0] != MessageNumber.extInfo.rawValue {
                attacks.append(Attack(name: "\(aside[0]) before KEXINIT", stage: .identified, reason: .protocolError, log: "during strict key exchange") {
                    $0.say(aside)
                    $0.say($0.kexInit())
                })
            }
            for stage in [SocketPeer.Stage.started, .replied] {
                attacks.append(.saying("\(aside[0]) when \(stage)", stage, [aside], "message \(aside[0]) during strict key exchange"))
            }
        }
        for (name, order) in [("repeated", [0, 0]), ("left out", [1]), ("swapped", [1, 0])] {
            // The length of a packet is under chacha20's key too, and is the first that is wrong.
            for (cipher, reason, log) in [
                ("chacha20-poly1305@openssh.com", Disconnect.Reason.protocolError, "a packet length of"), ("aes256-gcm@openssh.com", .macError, "was damaged or forged"),
            ] {
                attacks.append(Attack(name: "\(name), \(cipher)", stage: .keyed, reason: reason, log: log, cipher: cipher) { peer in
                    let packets = [peer.packet(Self.ignore), peer.packet(Self.service)]
                    peer.raw(order.flatMap { packets[$0] })
                })
            }
        }
        try survive(attacks)
    }

    @Test func `shares that are none`() throws {
        let points: [[UInt8]] = [
            [UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31), [0xed] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
            [0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
                0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00],
        ]
        var attacks: [Attack] = []
        // Bytes of a key of the KEM, before the point.
        for (method, kem) in [("curve25519-sha256", 0), ("mlkem768x25519-sha256", 1184), ("sntrup761x25519-sha512", 1158)] {
            let shares = points.map { ($0, "small order") } + [0, 31, 33].map { ([UInt8](repeating: 9, count: $0), "bytes") }
            for (point, log) in shares {
                attacks.append(Attack(name: "\(method), \(point)", stage: .identified, reason: .keyExchangeFailed, log: log) {
                    var ours = $0.kexInit()
                    ours.algorithms.kex = [method, "ext-info-c", "kex-strict-c-v00@openssh.com"]
                    $0.say(ours)
                    $0.say(KexECDHInit(clientShare: [UInt8](repeating: 0, count: kem) + point))
                })
            }
        }
        attacks.append(Attack(name: "a coefficient of q", stage: .identified, reason: .keyExchangeFailed, log: "public key") {
            var ours = $0.kexInit()
            ours.algorithms.kex = ["mlkem768x25519-sha256"]
            $0.say(ours)
            $0.say(KexECDHInit(clientShare: [0x01, 0x0d] + [UInt8](repeating: 0, count: 1182) + [UInt8](repeating: 9, count: 32)))
        })
        try survive(attacks)
    }

    @Test func `what is out of turn before authentication`() throws {
        var attacks: [Attack] = []
        for stage in [SocketPeer.Stage.identified, .started, .replied, .keyed, .service] {
            // CVE-2018-10933 and CVE-2025-32433 among them.
            for message in [UserAuthSuccess().payload, Self.open, Self.exec] {
                attacks.append(.saying("message \(message[0]) when \(stage)", stage, [message], "message \(message[0]) during "))
            }
        }
        attacks += [
            Attack(name: "KEXINIT twice", stage: .started, reason: .protocolError, log: "message 20 during key exchange: waiting for the client's share") { $0.say($0.kexInit()) },
            .saying("NEWKEYS first", .started, [NewKeys().payload], "message 21 during key exchange: waiting for the client's share"),
            .saying("a share twice", .replied, [Self.share], "message 30 during key exchange: waiting for NEWKEYS"),
            .saying("NEWKEYS twice", .keyed, [NewKeys().payload], "message 21 during no key exchange"),
            Attack(name: "new keys before authentication", stage: .keyed, reason: .keyExchangeFailed, log: "a second key exchange before authentication") { $0.say($0.kexInit()) },
            .saying("service twice", .service, [Self.service], "message 5 during authentication: waiting for a request"),
            .saying("another service", .keyed, [ServiceRequest(service: "ssh-connection").payload], "unknown service ssh-connection", .serviceNotAvailable),
            .saying("a user that is no text", .service, [[50, 0, 0, 0, 1, 0xff]], "a malformed message"),
            .saying("a service that is cut", .keyed, [Array(Self.service.dropLast())], "a malformed message"),
            .saying("a service longer than its packet", .keyed, [[5, 0xff, 0xff, 0xff, 0xff]], "a malformed message"),
            .saying("a request that is cut", .service, [Array(UserAuthRequest(user: "u", service: "ssh-connection", method: .none).payload.dropLast())], "a malformed message"),
        ]
        try survive(attacks)
    }

    /// Sealed packets whose length, padding or tag is wrong, at each message of a session.
    @Test func `lengths and tags under keys`() throws {
        var attacks: [Attack] = []
        for length in Self.lengths {
            for cipher in ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com"] {
                attacks.append(Attack(name: "length \(length), \(cipher)", stage: .keyed, reason: .protocolError, log: "a packet length of \(length)", cipher: cipher) {
                    var packet = $0.packet(Self.ignore)
                    // In the clear, or encrypted by XOR: what is changed here is changed there.
                    let real = UInt32(packet.count - 20)
                    for index in 0..<4 { packet[index] ^= UInt8(truncatingIfNeeded: (real ^ length) >> UInt32(24 - 8 * index)) }
                    $0.raw(packet)
                })
            }
        }
        attacks.append(.saying("no payload", .keyed, [[]], "a padding of"))
        let messages: [(SocketPeer.Stage, [UInt8])] = [
            (.keyed, Self.service), (.service, UserAuthRequest(user: "u", service: "ssh-connection", method: .none).payload), (.authenticated, Self.open),
            (.authenticated, GlobalRequest(name: "keepalive@openssh.com", wantReply: true).payload), (.channel, Self.exec),
            (.channel, ChannelData(recipientChannel: 0, data: [1]).payload), (.channel, ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: 1).payload),
            (.channel, ChannelEOF(recipientChannel: 0).payload), (.channel, ChannelClose(recipientChannel: 0).payload), (.rekeying, Self.share),
        ]
        for (stage, message) in messages {
            for place in ["first", "last"] {
                attacks.append(Attack(name: "a wrong bit, \(place), of message \(message[0]) when \(stage)", stage: stage, reason: .macError, log: "was damaged or forged") {
                    var packet = $0.packet(message)
                    packet[place == "first" ? 4 : packet.count - 1] ^= 1
                    $0.raw(packet)
                })
            }
        }
        try survive(attacks)
    }

    // MARK: - Too much

    @Test func `floods, and attempts without end`() throws {
        func request(_ method: UserAuthRequest.Method) -> [UInt8] { UserAuthRequest(user: "u", service: "ssh-connection", method: method).payload }
        let key = PublicKey(ed25519: [UInt8](repeating: 9, count: 32)).blob
        var attacks: [Attack] = []
        for stage in [SocketPeer.Stage.keyed, .channel] {
            for message in [Self.ignore, Self.debug, Ping(data: [1]).payload] {
                attacks.append(.saying("a flood of \(message[0]) when \(stage)", stage, Array(repeating: message, count: 3000), "too many of message \(message[0])"))
            }
        }
        let tries: [(String, UserAuthRequest.Method, Int)] = [
            ("none", .none, 64), ("passwords", .password("secret"), 64), ("probes", .publicKey(algorithm: "ssh-ed25519", key: key, signature: nil), 64),
            ("signatures", .publicKey(algorithm: "ssh-ed25519", key: key, signature: [1]), 6),
        ]
        for (name, method, most) in tries {
            attacks.append(.saying("1,000 \(name)", .service, Array(repeating: request(method), count: 1000), "more than \(most) authentication attempts", .noMoreAuthMethods))
        }
        try survive(attacks)
    }

    @Test func `a byte at a time gets nobody past login_grace`() throws {
        try Gateway.serving(.init(gateway: "login_grace = '1s'")) { gateway in
            var peer = SocketPeer(try SocketHost(gateway), identifies: false)
            let started = Clock.monotonic
            var isOver = false
            for byte in Array("\(SocketPeer.line)\r\n".utf8) + [UInt8](repeating: 0, count: 1000) where !isOver {
                peer.raw([byte])
                isOver = try becomesTrue(within: .milliseconds(100)) {
                    peer.listen()
                    return peer.host.hasHungUp
                }
            }
            #expect(isOver && Clock.monotonic - started < .seconds(15))
            #expect(try peer.take(Disconnect.self).map(\.reason) == [.byApplication])
            #expect(try gateway.record("disconnect") { $0.connection == peer.connection }["reason"] == "authentication took too long")
            try Self.expectService(gateway, after: "a byte at a time")
        }
    }

    // MARK: - RFC 4252

    /// Requests to log in that prove nothing: each is refused with its reason in the log, and the connection goes on.
    @Test func `proofs that are none`() throws {
        try Gateway.serving { gateway in
            let (alice, stranger) = (try gateway.signingKey("alice"), Ed25519SigningKey.generate())
            let blob = PublicKey(ed25519: alice.publicKey).blob
            let user = gateway.user.name
            var peer = try SocketPeer.at(.service, gateway)
            peer.say(UserAuthRequest(user: user, service: "ssh-connection", method: .publicKey(algorithm: "ssh-ed25519", key: blob, signature: nil)))
            peer.listen(for: .userAuthPublicKeyOK)
            #expect(try peer.take(UserAuthPublicKeyOK.self).map(\.key) == [blob])
            let session = try #require(peer.sessionIdentifier)
            let otherSession = session.map { $0 ^ 1 }
            let forged: [(String, UserAuthRequest, String)] = [
                ("another key than was probed", SocketPeer.request(user: user, signedBy: stranger, session: session), "unknown key"),
                ("the probed key, signed by another", SocketPeer.request(user: user, signedBy: stranger, named: blob, session: session), "bad signature"),
                ("a signature for another connection", SocketPeer.request(user: user, signedBy: alice, session: otherSession), "bad signature"),
                ("an RSA name with an Ed25519 blob", SocketPeer.request(user: user, signedBy: alice, algorithm: "rsa-sha2-256", session: session), "algorithm"),
                ("an old RSA name", SocketPeer.request(user: user, signedBy: alice, algorithm: "ssh-rsa", session: session), "algorithm"),
            ]
            for (name, request, reason) in forged {
                peer.say(request)
                peer.listen(for: .userAuthFailure)
                #expect(try peer.take(UserAuthFailure.self).map(\.methodsThatCanContinue) == [["publickey"]], "\(name)")
                let record = try #require(try gateway.records("authentication").last)
                #expect(record["result"] == "refused" && record["reason"].contains(reason), "\(name): \(record["reason"])")
                try Self.expectService(gateway, after: name)
            }
            // The sixth signature of this connection, and the first that is one.
            peer.logIn()
            peer.listen(for: .userAuthSuccess)
            #expect(try peer.take(UserAuthSuccess.self).count == 1)
        }
    }

    // MARK: - RFC 4254

    @Test func `channels that are not, windows and data beyond them`() throws {
        func data(_ count: Int, to channel: UInt32 = 0) -> [UInt8] { ChannelData(recipientChannel: channel, data: [UInt8](repeating: 0, count: count)).payload }
        let eof = ChannelEOF(recipientChannel: 0).payload
        let close = ChannelClose(recipientChannel: 0).payload
        var attacks: [Attack] = [
            .saying("data beyond the window", .channel, Array(repeating: data(32_768), count: 64) + [data(1)], "1 bytes for a window of 0"),
            .saying("data beyond a packet", .channel, [data(32_769)], "32769 bytes in one message, of at most 32768"),
            .saying("data after EOF", .channel, [eof, data(1)], "message 94 on a channel after EOF"),
            .saying("EOF twice", .channel, [eof, eof], "message 96 on a channel after EOF"),
            .saying("data after CLOSE", .channel, [close, data(1)], "channel 0, which is not open"),
            .saying("CLOSE twice", .channel, [close, close], "channel 0, which is not open"),
            .saying("a window of more than 2^32 - 1", .channel, [ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: .max).payload], "a window beyond its range"),
            .saying("an answer to nothing", .channel, [ChannelSuccess(recipientChannel: 0).payload], "that answers no request"),
            .saying("a global answer to nothing", .authenticated, [RequestSuccess().payload], "that answers no request"),
            .saying("a confirmation of nothing", .channel, [ChannelOpenConfirmation(recipientChannel: 0, senderChannel: 0, initialWindow: 0, maximumPacket: 0).payload], "message 91 on"),
            .saying("a type that is no text", .authenticated, [[90, 0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]], "a malformed message"),
            .saying("a request longer than its packet", .channel, [[98, 0, 0, 0, 0, 0, 0, 0, 4] + Array("exec".utf8) + [1, 0xff, 0xff, 0xff, 0xff]], "a malformed message"),
            .saying("data that is cut", .channel, [Array(data(9).dropLast())], "a malformed message"),
        ]
        for channel: UInt32 in [1, 16, .max] {
            for message in [data(1, to: channel), ChannelRequest(recipientChannel: channel, wantReply: true, kind: .shell).payload, ChannelClose(recipientChannel: channel).payload] {
                attacks.append(.saying("message \(message[0]) on channel \(channel)", .channel, [message], "channel \(channel), which is not open"))
            }
        }
        try survive(attacks)
    }

    /// The frontend asks the monitor for each, and the monitor answers each: neither may wait for the other.
    @Test func `a burst of requests that are taken back is no violation`() throws {
        let nope = ChannelRequest(recipientChannel: 0, wantReply: true, kind: .exec(command: Array("nope".utf8))).payload
        let close = ChannelClose(recipientChannel: 0).payload
        try Gateway.serving { gateway in
            var peer = try SocketPeer.at(.authenticated, gateway)
            var burst: [UInt8] = []
            for _ in 0..<900 { for message in [Self.open, nope, close] { burst += peer.packet(message) } }
            peer.raw(burst)
            peer.listen { $0.receivedNumbers.count { $0 == MessageNumber.channelClose.rawValue } == 900 }
            peer.received = []
            peer.say(Self.open)
            peer.say(Self.exec)
            peer.listen(for: .channelData)
            #expect(try peer.take(ChannelData.self).first.map { Array($0.data) } == Array("in\n".utf8))
            #expect(try gateway.records("violation").isEmpty)
        }
    }

    /// That the first command reads no more, and that its channel is another's by now, is seen in the same turn.
    @Test func `a channel whose number was another's a moment ago has its own input`() throws {
        func exec(_ script: String) -> [UInt8] { ChannelRequest(recipientChannel: 0, wantReply: false, kind: .exec(command: Array("sh '\(script)'".utf8))).payload }
        func data(_ text: String) -> [UInt8] { ChannelData(recipientChannel: 0, data: Array(text.utf8)).payload }
        try Gateway.serving { gateway in
            var peer = try SocketPeer.at(.authenticated, gateway)
            peer.say(Self.open)
            peer.say(exec("echo up; sleep 1; exec 0<&-; sleep 30"))
            peer.listen(for: .channelData)
            let frontend = try #require(LiveProcess.descendants(of: gateway.process.pid).first { $0.name.hasPrefix("postern-fronten") })
            _ = try run(["/bin/kill", "-STOP", "\(frontend.pid)"])
            let moment = Clock.monotonic + .milliseconds(1500)
            _ = try becomesTrue(within: .seconds(5)) { Clock.monotonic > moment }
            peer.received = []
            var burst: [UInt8] = []
            for message in [ChannelClose(recipientChannel: 0).payload, Self.open, exec("exec cat"), data("mine"), ChannelEOF(recipientChannel: 0).payload] {
                burst += peer.packet(message)
            }
            peer.raw(burst)
            _ = try run(["/bin/kill", "-CONT", "\(frontend.pid)"])
            peer.listen { $0.receivedNumbers.count { $0 == MessageNumber.channelClose.rawValue } == 2 }
            #expect(try peer.take(ChannelOpenConfirmation.self).map(\.senderChannel) == [0])
            #expect(try peer.take(ChannelData.self).map { String(decoding: $0.data, as: UTF8.self) } == ["mine"])
        }
    }

    @Test func `of 10,000 channels 16 are opened, and each of them works`() throws {
        try Gateway.serving { gateway in
            var peer = try SocketPeer.at(.authenticated, gateway)
            for _ in 0..<10_000 { peer.open() }
            peer.listen { $0.receivedNumbers.count { $0 == 91 || $0 == 92 } == 10_000 }
            #expect(try peer.take(ChannelOpenConfirmation.self).map(\.senderChannel) == Array(0..<16))
            let failures = try peer.take(ChannelOpenFailure.self)
            #expect(failures.count == 9984 && failures.allSatisfy { $0.reason == .resourceShortage })
            try Self.expectService(gateway, after: "10,000 channels")
            for channel: UInt32 in 0..<16 {
                peer.say(ChannelRequest(recipientChannel: channel, wantReply: true, kind: .exec(command: Array("sh 'echo \(channel)'".utf8))))
            }
            peer.listen { $0.receivedNumbers.count { $0 == MessageNumber.channelClose.rawValue } == 16 }
            let said = try peer.take(ChannelData.self).map { String(decoding: $0.data, as: UTF8.self) }
            #expect(Set(said) == Set((0..<16).map { "\($0)\n" }))
        }
    }
}
