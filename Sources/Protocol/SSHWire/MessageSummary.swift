/// Messages as a line of a log: their names and fields. Passwords, signatures, variables' values and data are left out.
public enum MessageSummary {
    /// The line of one whole message.
    public static func text(of payload: [UInt8]) -> String {
        guard let first = payload.first else { return "an empty message" }
        let number = MessageNumber(rawValue: first)
        let name = names[first] ?? "\(number)"
        do throws(WireError) {
            let fields = try fields(of: number, payload)
            return fields.isEmpty ? name : "\(name) \(fields)"
        } catch {
            return "\(name), malformed: \(error)"
        }
    }

    /// The line of a data message, from what stands before the data.
    public static func text(ofDataAfter prefix: [UInt8], count: Int) -> String {
        let name = prefix.first.flatMap { names[$0] } ?? "data"
        var reader = WireReader(prefix, in: min(1, prefix.count)..<prefix.count)
        let channel = (try? reader.uint32()).map { "\($0)" } ?? "?"
        return "\(name) channel=\(channel) bytes=\(count)"
    }

    private static let names: [UInt8: String] = [
        1: "DISCONNECT", 2: "IGNORE", 3: "UNIMPLEMENTED", 4: "DEBUG", 5: "SERVICE_REQUEST", 6: "SERVICE_ACCEPT", 7: "EXT_INFO", 20: "KEXINIT",
        21: "NEWKEYS", 30: "KEX_ECDH_INIT", 31: "KEX_ECDH_REPLY", 50: "USERAUTH_REQUEST", 51: "USERAUTH_FAILURE", 52: "USERAUTH_SUCCESS",
        53: "USERAUTH_BANNER", 60: "USERAUTH_PK_OK", 80: "GLOBAL_REQUEST", 81: "REQUEST_SUCCESS", 82: "REQUEST_FAILURE", 90: "CHANNEL_OPEN",
        91: "CHANNEL_OPEN_CONFIRMATION", 92: "CHANNEL_OPEN_FAILURE", 93: "CHANNEL_WINDOW_ADJUST", 94: "CHANNEL_DATA",
        95: "CHANNEL_EXTENDED_DATA", 96: "CHANNEL_EOF", 97: "CHANNEL_CLOSE", 98: "CHANNEL_REQUEST", 99: "CHANNEL_SUCCESS",
        100: "CHANNEL_FAILURE", 192: "PING", 193: "PONG",
    ]

    private static func fields(of number: MessageNumber, _ payload: [UInt8]) throws(WireError) -> String {
        switch number.layer {
        case .transport, .keyExchange: try transport(number, payload)
        case .userAuth: try userAuth(number, payload)
        case .connection: try connection(number, payload)
        case .reserved: ""
        }
    }

    private static func transport(_ number: MessageNumber, _ payload: [UInt8]) throws(WireError) -> String {
        switch number {
        case .disconnect:
            let message = try Disconnect(payload: payload)
            return "reason=\(message.reason.rawValue) \(quoted(message.description))"
        case .unimplemented: return "sequence=\(try Unimplemented(payload: payload).sequence)"
        case .serviceRequest: return "service=\(try ServiceRequest(payload: payload).service)"
        case .serviceAccept: return "service=\(try ServiceAccept(payload: payload).service)"
        case .extInfo: return try ExtInfo(payload: payload).extensions.map(\.name).joined(separator: ",")
        case .kexInit:
            let offer = try KexInit(payload: payload).algorithms
            let lists = [("kex", offer.kex), ("host-key", offer.hostKey), ("cipher", offer.cipherClientToServer)]
            return lists.map { "\($0.0)=\($0.1.joined(separator: ","))" }.joined(separator: " ")
        default: return ""
        }
    }

    private static func userAuth(_ number: MessageNumber, _ payload: [UInt8]) throws(WireError) -> String {
        switch number {
        case .userAuthRequest:
            let request = try UserAuthRequest(payload: payload)
            let head = "user=\(quoted(request.user)) method=\(request.method.name)"
            guard case .publicKey(let algorithm, _, let signature, _) = request.method else { return head }
            return "\(head) algorithm=\(algorithm) signed=\(signature != nil)"
        case .userAuthFailure:
            let failure = try UserAuthFailure(payload: payload)
            return "methods=\(failure.methodsThatCanContinue.joined(separator: ",")) partial=\(failure.partialSuccess)"
        case .userAuthBanner: return quoted(try UserAuthBanner(payload: payload).message)
        default: return ""
        }
    }

    private static func connection(_ number: MessageNumber, _ payload: [UInt8]) throws(WireError) -> String {
        switch number {
        case .globalRequest:
            let request = try GlobalRequest(payload: payload)
            return "name=\(request.name) reply=\(request.wantReply)"
        case .channelOpen:
            let open = try ChannelOpen(payload: payload)
            return "type=\(open.type) sender=\(open.senderChannel) window=\(open.initialWindow) packet=\(open.maximumPacket)"
        case .channelOpenFailure:
            let failure = try ChannelOpenFailure(payload: payload)
            return "channel=\(failure.recipientChannel) reason=\(failure.reason.rawValue) \(quoted(failure.description))"
        case .channelRequest: return try request(try ChannelRequest(payload: payload))
        case .channelWindowAdjust:
            let adjust = try ChannelWindowAdjust(payload: payload)
            return "channel=\(adjust.recipientChannel) bytes=\(adjust.bytesToAdd)"
        case .channelData, .channelExtendedData:
            var reader = WireReader(payload, in: 1..<payload.count)
            let channel = try reader.uint32()
            if number == .channelExtendedData { _ = try reader.uint32() }
            return "channel=\(channel) bytes=\(try reader.stringRange(limit: WireLimit.packet).count)"
        case .channelOpenConfirmation, .channelEOF, .channelClose, .channelSuccess, .channelFailure:
            var reader = WireReader(payload, in: 1..<payload.count)
            return "channel=\(try reader.uint32())"
        default: return ""
        }
    }

    private static func request(_ request: ChannelRequest) throws(WireError) -> String {
        let head = "channel=\(request.recipientChannel) type=\(request.kind.name) reply=\(request.wantReply)"
        switch request.kind {
        case .exec(let command): return "\(head) command=\(quoted(String(decoding: command, as: UTF8.self)))"
        case .subsystem(let name), .environment(let name, _), .signal(let name): return "\(head) name=\(quoted(name))"
        case .exitStatus(let status): return "\(head) status=\(status)"
        case .exitSignal(let name, _, _): return "\(head) signal=\(quoted(name))"
        case .shell, .endOfWrite, .other: return head
        }
    }

    /// Text of the peer's in one line.
    private static func quoted(_ text: String) -> String { "\"\(text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined())\"" }
}
