import Peers
import SSHConnection
import SSHTransport
import SSHUserAuth
import SSHWire
import Testing

@testable import SSH

/// Every message once, well formed.
enum Messages {
    static let share = KexECDHInit(clientShare: Array(1...32)).payload
    static let all: [[UInt8]] = [
        Disconnect(reason: .byApplication, description: "bye").payload, [2, 0, 0, 0, 0], Unimplemented(sequence: 1).payload, [4, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ServiceRequest(service: "ssh-userauth").payload, ServiceAccept(service: "ssh-userauth").payload, ExtInfo(extensions: []).payload, [8],
        HandPeer().kexInit().payload, NewKeys().payload, [22], share, KexECDHReply(hostKey: [], serverShare: [], signature: []).payload, [32], [49],
        UserAuthRequest(user: "u", service: "ssh-connection", method: .none).payload,
        UserAuthFailure(methodsThatCanContinue: [], partialSuccess: false).payload, UserAuthSuccess().payload, UserAuthBanner(message: "").payload,
        UserAuthPublicKeyOK(algorithm: "", key: []).payload, [61], [79],
        GlobalRequest(name: "x", wantReply: true).payload, RequestSuccess().payload, RequestFailure().payload,
        ChannelOpen(type: "session", senderChannel: 0, initialWindow: 0, maximumPacket: 1).payload,
        ChannelOpenConfirmation(recipientChannel: 9, senderChannel: 0, initialWindow: 0, maximumPacket: 0).payload,
        ChannelOpenFailure(recipientChannel: 9, reason: .resourceShortage, description: "").payload,
        ChannelWindowAdjust(recipientChannel: 9, bytesToAdd: 1).payload, ChannelData(recipientChannel: 9, data: []).payload,
        ChannelExtendedData(recipientChannel: 9, type: 1, data: []).payload, ChannelEOF(recipientChannel: 9).payload,
        ChannelClose(recipientChannel: 9).payload, ChannelRequest(recipientChannel: 9, wantReply: true, kind: .shell).payload,
        ChannelSuccess(recipientChannel: 9).payload, ChannelFailure(recipientChannel: 9).payload, [101], [127], [0], [128], [191], [255],
        Ping(data: [1]).payload, Pong(data: [1]).payload,
    ]
}

@Suite("SSH: what a hostile peer may send, and how it ends") struct HostileTests {
    // MARK: - Messages out of turn

    /// What each stage takes; every other message ends the connection.
    static let taken: [HandPeer.Stage: Set<UInt8>] = [
        .identified: [0, 1, 2, 3, 4, 8, 20, 128, 191, 192, 255],
        .started: [1, 30], .replied: [1, 21],
        .keyed: [0, 1, 2, 3, 4, 5, 7, 8, 20, 128, 191, 192, 255],
        .service: [0, 1, 2, 3, 4, 7, 8, 20, 50, 128, 191, 192, 255],
        .authenticated: [0, 1, 2, 3, 4, 7, 8, 20, 50, 80, 90, 101, 127, 128, 191, 192, 255],
        .channel: [0, 1, 2, 3, 4, 7, 8, 20, 50, 80, 90, 101, 127, 128, 191, 192, 255],
        .rekeying: [0, 1, 2, 3, 4, 7, 8, 30, 128, 191, 192, 255],
    ]

    static func expected(_ stage: HandPeer.Stage, _ number: MessageNumber) -> SSHError {
        let exchange =
            switch stage {
            case .identified: "key exchange: waiting for KEXINIT"
            case .started: "key exchange: waiting for the client's share"
            case .replied: "key exchange: waiting for NEWKEYS"
            case .rekeying: "key exchange: waiting for the client's share"
            default: "no key exchange"
            }
        let isAside = [0, 2, 3, 4, 7, 8, 128, 191, 192, 193, 255].contains(number.rawValue)
        switch stage {
        case .started, .replied: return .transport(.unexpected(number, during: isAside ? "strict \(exchange)" : exchange))
        case .identified, .rekeying: return .transport(.unexpected(number, during: exchange))
        case _ where number.layer == .keyExchange || isAside: return .transport(.unexpected(number, during: exchange))
        case .keyed: return .userAuth(.unexpected(number, during: "authentication: waiting for the service request"))
        case .service: return .userAuth(.unexpected(number, during: "authentication: waiting for a request"))
        case .authenticated, .channel:
            switch number.rawValue {
            case 5...6, 50...79: return .userAuth(.unexpected(number, during: "after authentication"))
            case 81, 82: return .connection(.answerWithoutRequest(number))
            default: return .connection(.unknownChannel(9))
            }
        }
    }

    @Test(arguments: HandPeer.Stage.allCases) func `messages out of turn end the connection`(stage: HandPeer.Stage) throws {
        let before = try HandPeer.at(stage)
        #expect(before.host.error == nil)
        for payload in Messages.all {
            var peer = before
            peer.received = []
            peer.say(payload)
            if Self.taken[stage]?.contains(payload[0]) == true {
                #expect(peer.host.error == nil, "message \(payload[0])")
                continue
            }
            let error = Self.expected(stage, MessageNumber(rawValue: payload[0]))
            #expect(peer.host.error == error, "message \(payload[0])")
            #expect(try peer.take(Disconnect.self).map(\.reason) == [.protocolError])
        }
    }

    @Test func `unknown messages are answered with their number`() throws {
        var peer = try HandPeer.at(.authenticated)
        peer.received = []
        // NEWKEYS reset the count; the service request and the signature were 0 and 1.
        for (sequence, number) in zip(2..., [8, 19, 0, 128, 255, 101, 127] as [UInt8]) {
            peer.say([number])
            #expect(try peer.take(Unimplemented.self) == [Unimplemented(sequence: UInt32(sequence))])
        }
        #expect(peer.received.isEmpty)
    }

    @Test func `NEWKEYS twice, and service twice`() throws {
        var peer = try HandPeer.at(.keyed)
        peer.say(NewKeys())
        #expect(peer.host.error == .transport(.unexpected(.newKeys, during: "no key exchange")))
        peer = try HandPeer.at(.service)
        peer.say(ServiceRequest(service: "ssh-userauth"))
        #expect(peer.host.error == .userAuth(.unexpected(.serviceRequest, during: "authentication: waiting for a request")))
    }

    @Test func `another service is not available`() throws {
        var peer = try HandPeer.at(.keyed)
        peer.received = []
        peer.say(ServiceRequest(service: "ssh-connection"))
        #expect(peer.host.error == .userAuth(.unknownService("ssh-connection")))
        #expect(try peer.take(Disconnect.self).map(\.reason) == [.serviceNotAvailable])
        peer = try HandPeer.at(.service)
        peer.say(UserAuthRequest(user: "u", service: "ssh-userauth", method: .none))
        #expect(peer.host.error == .userAuth(.unknownService("ssh-userauth")))
    }

    // MARK: - Strict key exchange (OpenSSH PROTOCOL §1.10)

    @Test func `in a strict connection KEXINIT is the first packet`() throws {
        for isStrict in [true, false] {
            var peer = HandPeer(isStrict: isStrict)
            peer.say([2, 0, 0, 0, 0])
            peer.say(peer.kexInit())
            #expect(peer.host.error == (isStrict ? .transport(.unexpected(.kexInit, during: "strict key exchange")) : nil))
        }
    }

    @Test func `without strict key exchange messages aside are taken until NEWKEYS, and are numbered`() throws {
        var peer = HandPeer(isStrict: false)
        peer.say([2, 0, 0, 0, 0])
        let ours = peer.kexInit()
        peer.say(ours)
        peer.say([4, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        let keys = try peer.exchangeAfterKexInit(ours)
        peer.say([2, 0, 0, 0, 0])
        peer.change(to: keys)
        try peer.authenticate()
        #expect(peer.host.error == nil)
        #expect(peer.host.server.isAuthenticated && !peer.host.server.stack.transport.isStrict)
        try peer.exchangeKeys()
        peer.open()
        #expect(peer.host.log.suffix(2) == ["new keys", "offered 0 session"])
    }

    @Test func `EXT_INFO counts only under keys`() throws {
        var peer = HandPeer(isStrict: false)
        peer.say(ExtInfo(extensions: []))
        #expect(peer.host.error == .transport(.unexpected(.extInfo, during: "key exchange: waiting for KEXINIT")))
    }

    @Test func `EXT_INFO of ours is the first packet under the first keys, for a peer that takes it`() throws {
        var peer = try HandPeer.at(.keyed)
        #expect(peer.receivedNumbers == [MessageNumber.extInfo.rawValue])
        peer.received = []
        try peer.exchangeKeys()
        #expect(peer.receivedNumbers == [])
        peer = HandPeer()
        peer.change(to: try peer.exchangeToReply { $0.algorithms.kex.removeAll { $0 == "ext-info-c" } })
        #expect(peer.receivedNumbers == [])
        #expect(peer.host.error == nil)
    }

    // MARK: - Guesses

    @Test(arguments: [true, false]) func `a wrong guess is passed over, a right one counts`(isRight: Bool) throws {
        var peer = HandPeer()
        var ours = peer.kexInit()
        ours.firstKexPacketFollows = true
        if !isRight { ours.algorithms.kex.insert("sntrup", at: 0) }
        peer.say(ours)
        if !isRight { peer.say([30, 9, 9, 9]) }
        peer.change(to: try peer.exchangeAfterKexInit(ours))
        #expect(peer.host.error == nil)
        #expect(peer.host.log.last == "first keys")
    }

    // MARK: - Identification

    static let lines: [(bytes: [UInt8], IdentificationError)] = [
        (Array("GET / HTTP/1.1\r\n".utf8), .malformed), (Array("\n".utf8), .malformed), (Array("SSH-2.0\r\n".utf8), .malformed),
        (Array("SSH-2.0-a\0b\r\n".utf8), .malformed), ([0xff, 0xfe, 10], .malformed), (Array("SSH-1.5-old\r\n".utf8), .protocolVersion("1.5")),
        ([UInt8](repeating: 0x53, count: 255), .tooLong(limit: 255)), (Array("SSH-2.0-".utf8) + [UInt8](repeating: 0x78, count: 10_000), .tooLong(limit: 255)),
        ([UInt8](repeating: 0, count: 70_000), .tooLong(limit: 255)),
    ]

    @Test(arguments: lines) func `a bad identification ends the connection`(bytes: [UInt8], error: IdentificationError) throws {
        for isByByte in [true, false] {
            var peer = HandPeer(identifies: false)
            if isByByte { for byte in bytes { peer.raw([byte]) } } else { peer.raw(bytes) }
            #expect(peer.host.error == .transport(.identification(error)))
            let isVersion = error == .protocolVersion("1.5")
            #expect(try peer.take(Disconnect.self).map(\.reason) == [isVersion ? .versionNotSupported : .protocolError])
        }
    }

    @Test func `a session that comes one byte at a time is as any other`() throws {
        var whole = try HandPeer.at(.channel)
        whole.say(ChannelRequest(recipientChannel: 0, wantReply: true, kind: .exec(command: Array("true".utf8))))
        var slow = HandPeer(identifies: false)
        func trickle(_ bytes: [UInt8]) { for byte in bytes { slow.raw([byte]) } }
        trickle(Array("\(HandPeer.line)\r\n".utf8))
        let ours = slow.kexInit()
        trickle(slow.packet(ours.payload))
        slow.change(to: try slow.exchangeAfterKexInit(ours))
        trickle(slow.packet(ServiceRequest(service: "ssh-userauth").payload))
        let method = UserAuthRequest.Method.publicKey(algorithm: "ssh-ed25519", key: [1], signature: [2])
        trickle(slow.packet(UserAuthRequest(user: "alice", service: "ssh-connection", method: method).payload))
        trickle(slow.packet(ChannelOpen(type: "session", senderChannel: 5, initialWindow: 1 << 20, maximumPacket: 32_768).payload))
        trickle(slow.packet(ChannelRequest(recipientChannel: 0, wantReply: true, kind: .exec(command: Array("true".utf8))).payload))
        #expect(slow.host.log == whole.host.log)
        #expect(slow.host.log.last == "requested 0 exec true")
    }

    // MARK: - Packets

    /// Lengths no packet has, in the clear and under keys.
    @Test(arguments: [0, 1, 3, 7, 9, 35_001, 35_008, 1 << 31, .max] as [UInt32]) func `a bad packet length ends the connection`(length: UInt32) throws {
        for stage in [HandPeer.Stage.identified, .keyed] {
            var peer = try HandPeer.at(stage)
            peer.received = []
            var packet = peer.packet([2, 0, 0, 0, 0])
            // The length field is encrypted by XOR: what is changed here is changed there.
            let real = UInt32(stage == .keyed ? packet.count - 20 : packet.count - 4)
            for index in 0..<4 { packet[index] ^= UInt8(truncatingIfNeeded: (real ^ length) >> UInt32(24 - 8 * index)) }
            // It ends with the length: no byte of the packet is waited for.
            peer.raw(Array(packet.prefix(4)))
            #expect(peer.host.error == .transport(.badPacketLength(length)))
            #expect(try peer.take(Disconnect.self).map(\.reason) == [.protocolError])
        }
    }

    @Test(arguments: [0, 3, 11, 255] as [UInt8]) func `bad padding ends the connection`(padding: UInt8) throws {
        var peer = try HandPeer.at(.identified)
        peer.raw([0, 0, 0, 12, padding] + [UInt8](repeating: 2, count: 11))
        #expect(peer.host.error == .transport(.badPadding(padding)))
        #expect(try peer.take(Disconnect.self).map(\.reason) == [.protocolError])
    }

    @Test(arguments: [HandPeer.Stage.identified, .keyed]) func `a packet without a payload ends the connection`(stage: HandPeer.Stage) throws {
        var peer = try HandPeer.at(stage)
        peer.say([] as [UInt8])
        guard case .transport(.badPadding) = peer.host.error else {
            Issue.record("\(String(describing: peer.host.error))")
            return
        }
    }

    @Test func `a changed packet ends the connection`() throws {
        let before = try HandPeer.at(.keyed)
        var writer = before
        let packet = writer.packet(ServiceRequest(service: "ssh-userauth").payload)
        for index in 4..<packet.count {
            var peer = before
            peer.received = []
            var changed = packet
            changed[index] ^= 1
            peer.raw(changed)
            #expect(peer.host.error == .transport(.cipher(.badTag(sequence: 0))))
            #expect(try peer.take(Disconnect.self).map(\.reason) == [.macError])
        }
    }

    @Test func `a packet repeated, left out or out of order ends the connection`() throws {
        let before = try HandPeer.at(.keyed)
        var writer = before
        let packets = (0..<2).map { _ in writer.packet([2, 0, 0, 0, 0]) }
        for (order, sequence) in [([0, 0], 1), ([1], 0), ([1, 0], 0)] as [([Int], UInt32)] {
            var peer = before
            for index in order { peer.raw(packets[index]) }
            switch peer.host.error {
            case .transport(.cipher(.badTag(sequence))), .transport(.badPacketLength): break
            default: Issue.record("\(order): \(String(describing: peer.host.error))")
            }
        }
    }

    // MARK: - Fields

    @Test func `every message cut anywhere is taken or ends the connection`() throws {
        for stage in [HandPeer.Stage.identified, .started, .service, .channel] {
            let before = try HandPeer.at(stage)
            for payload in Messages.all + Self.forChannel {
                for count in 1..<payload.count {
                    var peer = before
                    peer.received = []
                    peer.say(Array(payload.prefix(count)))
                    if peer.host.error != nil { #expect(try peer.take(Disconnect.self).count == 1) }
                }
            }
        }
    }

    static let forChannel: [[UInt8]] = [
        ChannelData(recipientChannel: 0, data: [1, 2]).payload, ChannelExtendedData(recipientChannel: 0, type: 1, data: [1, 2]).payload,
        ChannelRequest(recipientChannel: 0, wantReply: true, kind: .exec(command: [1, 2])).payload,
        ChannelRequest(recipientChannel: 0, wantReply: true, kind: .environment(name: "A", value: [1])).payload,
        ChannelRequest(recipientChannel: 0, wantReply: true, kind: .subsystem(name: "sftp")).payload,
        ChannelRequest(recipientChannel: 0, wantReply: false, kind: .signal(name: "TERM")).payload,
        ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: 5).payload,
    ]

    static let notUTF8: [(HandPeer.Stage, [UInt8])] = [
        (.keyed, [5, 0, 0, 0, 1, 0xff]),
        (.service, [50, 0, 0, 0, 1, 0xff, 0, 0, 0, 14] + Array("ssh-connection".utf8) + [0, 0, 0, 4] + Array("none".utf8)),
        (.authenticated, [80, 0, 0, 0, 2, 0xc0, 0x80, 0]),
        (.authenticated, [90, 0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (.channel, [98, 0, 0, 0, 0, 0, 0, 0, 3, 0xed, 0xa0, 0x80, 0]),
        (.channel, [98, 0, 0, 0, 0, 0, 0, 0, 3] + Array("env".utf8) + [0, 0, 0, 0, 1, 0xfe, 0, 0, 0, 0]),
        (.channel, [98, 0, 0, 0, 0, 0, 0, 0, 6] + Array("signal".utf8) + [0, 0, 0, 0, 1, 0xfe]),
    ]

    @Test(arguments: notUTF8) func `text that is not UTF-8 ends the connection`(stage: HandPeer.Stage, payload: [UInt8]) throws {
        var peer = try HandPeer.at(stage)
        peer.say(payload)
        switch peer.host.error {
        case .userAuth(.wire(.notUTF8)), .connection(.wire(.notUTF8)): break
        default: Issue.record("\(String(describing: peer.host.error))")
        }
    }

    static let badShares: [[UInt8]] = [
        [], [UInt8](repeating: 9, count: 31), [UInt8](repeating: 9, count: 33), [UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31),
        [0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
            0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00],
        [0xed] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
    ]

    @Test(arguments: badShares) func `a bad share ends the key exchange`(share: [UInt8]) throws {
        var peer = try HandPeer.at(.started)
        peer.received = []
        peer.say(KexECDHInit(clientShare: share))
        let isWrongLength = share.count != 32
        #expect(peer.host.error == .transport(.keyAgreement(isWrongLength ? .wrongLength(bytes: share.count, expected: 32) : .smallOrder)))
        #expect(try peer.take(Disconnect.self).map(\.reason) == [.keyExchangeFailed])
        #expect(!peer.host.log.contains { $0.hasPrefix("sign") })
    }

    // MARK: - Too much

    @Test(arguments: [[2, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0], Ping(data: []).payload, [128], ExtInfo(extensions: []).payload] as [[UInt8]])
    func `a flood of messages that mean nothing ends the connection`(payload: [UInt8]) throws {
        var peer = try HandPeer.at(.service)
        for _ in 0..<1024 { peer.say(payload) }
        #expect(peer.host.error == nil)
        peer.received = []
        peer.say(payload)
        #expect(peer.host.error == .transport(.flood(MessageNumber(rawValue: payload[0]))))
        #expect(try peer.take(Disconnect.self).count == 1)
    }

    @Test func `one such message a second is no flood`() throws {
        var peer = try HandPeer.at(.channel)
        for second in 0..<3600 {
            peer.host.now = .seconds(second)
            peer.say([2, 0, 0, 0, 0])
        }
        #expect(peer.host.error == nil)
    }

    @Test func `pings are answered with what they held`() throws {
        var peer = try HandPeer.at(.keyed)
        peer.say(Ping(data: [1, 2, 3]))
        peer.say(Ping(data: []))
        #expect(try peer.take(Pong.self) == [Pong(data: [1, 2, 3]), Pong(data: [])])
    }

    @Test func `64 probes are answered and the next ends the connection`() throws {
        var peer = try HandPeer.at(.service)
        for _ in 0..<70 {
            peer.say(UserAuthRequest(user: "u", service: "ssh-connection", method: .publicKey(algorithm: "ssh-ed25519", key: [1], signature: nil)))
        }
        #expect(peer.host.error == .userAuth(.tooManyAttempts(limit: 64)))
        #expect(try peer.take(UserAuthPublicKeyOK.self).count == 64)
        #expect(try peer.take(Disconnect.self).map(\.reason) == [.noMoreAuthMethods])
    }

    @Test func `six signatures are judged and the seventh ends the connection`() throws {
        var host = ServerHost()
        host.grants = false
        var peer = try HandPeer.at(.service, host)
        for _ in 0..<7 { try peer.authenticateOnce() }
        #expect(peer.host.error == .userAuth(.tooManyAttempts(limit: 6)))
        #expect(peer.host.log.count { $0.hasPrefix("verify") } == 6)
    }

    @Test func `of 100 channels 16 are opened`() throws {
        var peer = try HandPeer.at(.authenticated)
        for _ in 0..<100 { peer.open() }
        #expect(try peer.take(ChannelOpenConfirmation.self).map(\.senderChannel) == Array(0..<16))
        #expect(try peer.take(ChannelOpenFailure.self).count == 84)
        #expect(peer.host.error == nil)
    }

    @Test func `data beyond the window, after EOF or after CLOSE ends the connection`() throws {
        var host = ServerHost()
        host.servesChannels = false
        var peer = try HandPeer.at(.authenticated, host)
        peer.open()
        peer.host.server.accept(ChannelID(number: 0))
        let before = peer
        for _ in 0..<64 { peer.say(ChannelData(recipientChannel: 0, data: [UInt8](repeating: 0, count: 32_768))) }
        #expect(peer.host.error == nil)
        peer.say(ChannelData(recipientChannel: 0, data: [0]))
        #expect(peer.host.error == .connection(.windowExceeded(data: 1, window: 0)))
        peer = before
        peer.say(ChannelEOF(recipientChannel: 0))
        peer.say(ChannelData(recipientChannel: 0, data: [0]))
        #expect(peer.host.error == .connection(.unexpected(.channelData, during: "a channel after EOF")))
        peer = before
        peer.say(ChannelClose(recipientChannel: 0))
        peer.say(ChannelData(recipientChannel: 0, data: [0]))
        #expect(peer.host.error == .connection(.unknownChannel(0)))
        peer = before
        peer.say(ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: .max))
        #expect(peer.host.error == .connection(.windowOverflow))
        peer = before
        peer.say(ChannelData(recipientChannel: 0, data: [UInt8](repeating: 0, count: 32_769)))
        #expect(peer.host.error == .connection(.packetTooLarge(data: 32_769, limit: 32_768)))
    }

    @Test func `what is queued for a peer that never finishes its key exchange has a limit`() throws {
        var peer = try HandPeer.at(.rekeying)
        let ping = Ping(data: [UInt8](repeating: 0, count: 32_000))
        for _ in 0..<40 { peer.say(ping) }
        #expect(peer.host.error == .transport(.queueFull(limit: 1 << 20)))
    }
}

extension HandPeer {
    mutating func authenticateOnce() throws {
        say(UserAuthRequest(user: "alice", service: "ssh-connection", method: .publicKey(algorithm: "ssh-ed25519", key: [1], signature: [2])))
    }
}
