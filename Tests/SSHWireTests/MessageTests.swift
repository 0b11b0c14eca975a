import SSHWire
import Testing

/// One message as its struct and as what reads its payload again.
struct Sample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let payload: [UInt8]
    /// Reads the payload and writes it again.
    let again: @Sendable ([UInt8]) throws(WireError) -> [UInt8]

    init<Message: WireMessage>(_ message: Message, _ note: String = "") {
        testDescription = "\(Message.self) \(note)"
        payload = message.payload
        again = { (bytes) throws(WireError) -> [UInt8] in try Message(payload: bytes).payload }
    }

    static let algorithms = KexInit.Algorithms(
        kex: ["curve25519-sha256", "ext-info-c"], hostKey: ["ssh-ed25519"], cipher: ["chacha20-poly1305@openssh.com"],
        mac: ["hmac-sha2-256"], compression: ["none", "zlib"])

    /// Fields are whole up to their last byte: cut anywhere, these have too little.
    static let whole: [Sample] = [
        Sample(Unimplemented(sequence: 7)),
        Sample(ServiceRequest(service: "ssh-userauth")),
        Sample(ServiceAccept(service: "ssh-userauth")),
        Sample(ExtInfo(extensions: [ExtInfo.Extension(name: "server-sig-algs", value: [1, 2]), ExtInfo.Extension(name: "b", value: [])])),
        Sample(Ping(data: [1, 2, 3])),
        Sample(Pong(data: [])),
        Sample(KexInit(cookie: Array(1...16), algorithms: algorithms, firstKexPacketFollows: true)),
        Sample(KexECDHInit(clientShare: Array(0..<32))),
        Sample(KexECDHReply(hostKey: [1], serverShare: Array(0..<32), signature: [3, 4])),
        Sample(NewKeys()),
        Sample(UserAuthRequest(user: "ålice", service: "ssh-connection", method: .none)),
        Sample(UserAuthRequest(user: "a", service: "s", method: .publicKey(algorithm: "ssh-ed25519", key: [1, 2], signature: nil)), "probe"),
        Sample(UserAuthRequest(user: "a", service: "s", method: .publicKey(algorithm: "x", key: [1], signature: [5])), "signed"),
        Sample(UserAuthRequest(user: "a", service: "s", method: .publicKey(algorithm: "x", key: [1], signature: nil, hostKey: [2])), "hostbound probe"),
        Sample(UserAuthRequest(user: "a", service: "s", method: .publicKey(algorithm: "x", key: [1], signature: [5], hostKey: [])), "hostbound"),
        Sample(UserAuthRequest(user: "a", service: "s", method: .password("geheim"))),
        Sample(UserAuthFailure(methodsThatCanContinue: ["publickey", "password"], partialSuccess: true)),
        Sample(UserAuthSuccess()),
        Sample(UserAuthBanner(message: "hello\r\n")),
        Sample(UserAuthPublicKeyOK(algorithm: "ssh-ed25519", key: [9])),
        Sample(RequestFailure()),
        Sample(ChannelOpenConfirmation(recipientChannel: 1, senderChannel: 2, initialWindow: 3, maximumPacket: 4)),
        Sample(ChannelOpenFailure(recipientChannel: 1, reason: .resourceShortage, description: "no")),
        Sample(ChannelWindowAdjust(recipientChannel: 1, bytesToAdd: .max)),
        Sample(ChannelData(recipientChannel: 1, data: [1, 2, 3])),
        Sample(ChannelExtendedData(recipientChannel: 1, type: 1, data: [1])),
        Sample(ChannelEOF(recipientChannel: 1)),
        Sample(ChannelClose(recipientChannel: 0xffff_fffe)),
        Sample(ChannelSuccess(recipientChannel: 1)),
        Sample(ChannelFailure(recipientChannel: 1)),
        Sample(ChannelRequest(recipientChannel: 1, wantReply: true, kind: .exec(command: [0xff, 0]))),
        Sample(ChannelRequest(recipientChannel: 1, wantReply: true, kind: .shell)),
        Sample(ChannelRequest(recipientChannel: 1, wantReply: true, kind: .subsystem(name: "sftp"))),
        Sample(ChannelRequest(recipientChannel: 1, wantReply: false, kind: .environment(name: "LANG", value: [0x43]))),
        Sample(ChannelRequest(recipientChannel: 1, wantReply: false, kind: .signal(name: "TERM"))),
        Sample(ChannelRequest(recipientChannel: 1, wantReply: false, kind: .exitStatus(126))),
        Sample(ChannelRequest(recipientChannel: 1, wantReply: false, kind: .exitSignal(name: "KILL", coreDumped: true, description: "ü"))),
        Sample(ChannelRequest(recipientChannel: 1, wantReply: false, kind: .endOfWrite)),
    ]

    /// The last field takes whatever is there, or may be left out.
    static let open: [Sample] = [
        Sample(Disconnect(reason: .byApplication, description: "bye")),
        Sample(GlobalRequest(name: "keepalive@openssh.com", wantReply: true, details: [1, 2])),
        Sample(RequestSuccess(details: [1, 2, 3])),
        Sample(ChannelOpen(type: "session", senderChannel: 1, initialWindow: 2, maximumPacket: 3, details: [9])),
        Sample(ChannelRequest(recipientChannel: 1, wantReply: true, kind: .other(name: "pty-req", details: [1, 2]))),
        Sample(UserAuthRequest(user: "a", service: "s", method: .other(name: "hostbased"))),
    ]
}

@Suite("SSHWire: every message") struct MessageTests {
    @Test(arguments: Sample.whole + Sample.open) func `is the same after writing and reading`(sample: Sample) throws {
        #expect(try sample.again(sample.payload) == sample.payload)
    }

    @Test(arguments: Sample.whole) func `is refused when cut anywhere`(sample: Sample) {
        for count in 0..<sample.payload.count {
            let error = #expect(throws: WireError.self) { try sample.again(Array(sample.payload.prefix(count))) }
            guard case .truncated = error else {
                Issue.record("cut at \(count): \(String(describing: error))")
                continue
            }
        }
    }

    @Test(arguments: Sample.open) func `with an open end is refused or shorter when cut`(sample: Sample) {
        for count in 0..<sample.payload.count {
            do throws(WireError) {
                #expect(try sample.again(Array(sample.payload.prefix(count))).count <= sample.payload.count)
            } catch {
                guard case .truncated = error else {
                    Issue.record("cut at \(count): \(error)")
                    continue
                }
            }
        }
    }

    /// A confirmation may carry what its channel type adds, which is skipped.
    @Test(arguments: Sample.whole.filter { $0.payload[0] != MessageNumber.channelOpenConfirmation.rawValue })
    func `is refused with a byte behind it`(sample: Sample) {
        #expect(throws: WireError.trailing(count: 1)) { try sample.again(sample.payload + [0]) }
    }

    @Test(arguments: Sample.whole + Sample.open) func `is refused under another number`(sample: Sample) {
        #expect(throws: WireError.unknownMessage(0)) { try sample.again([0] + sample.payload.dropFirst()) }
    }

    @Test func `a cut field never reads beyond the end`() {
        #expect(throws: WireError.truncated(needed: 1, remaining: 0)) { try NewKeys(payload: []) }
    }

    @Test func `DISCONNECT may lack its language tag`() throws {
        let bytes: [UInt8] = [1, 0, 0, 0, 11, 0, 0, 0, 1, 0x78]
        #expect(try Disconnect(payload: bytes) == Disconnect(reason: .byApplication, description: "x"))
    }

    @Test func `a password change that nobody asked for is refused`() {
        var payload = UserAuthRequest(user: "a", service: "s", method: .password("p")).payload
        payload[payload.count - 6] = 1
        #expect(throws: WireError.badValue("a password change that was not asked for")) { try UserAuthRequest(payload: payload) }
    }

    @Test func `more extensions than anyone defines are refused`() {
        #expect(throws: WireError.tooLong(length: 65, limit: 64)) { try ExtInfo(payload: [7, 0, 0, 0, 65]) }
        #expect(throws: WireError.tooLong(length: 0xffff_ffff, limit: 64)) { try ExtInfo(payload: [7, 0xff, 0xff, 0xff, 0xff]) }
    }

    @Test(arguments: [0x00, 0x61, 0xff, 0xfe] as [UInt8]) func `every message survives any one byte changed`(value: UInt8) {
        for sample in Sample.whole + Sample.open {
            for index in sample.payload.indices {
                var payload = sample.payload
                payload[index] = value
                // Read or refused: that it does not trap is what counts.
                _ = try? sample.again(payload)
            }
        }
    }
}

@Suite("RFC 4250 §4.1: message numbers") struct MessageNumberTests {
    static let layers: [(ClosedRange<UInt8>, MessageNumber.Layer)] = [
        (0...0, .reserved), (1...19, .transport), (20...49, .keyExchange), (50...79, .userAuth), (80...127, .connection), (128...191, .reserved),
        (192...193, .transport), (194...255, .reserved),
    ]

    @Test(arguments: layers) func `belong to a layer`(range: ClosedRange<UInt8>, layer: MessageNumber.Layer) {
        for number in range { #expect(MessageNumber(rawValue: number).layer == layer) }
    }
}
