/// SSH_MSG_GLOBAL_REQUEST (RFC 4254 §4).
public struct GlobalRequest: WireMessage {
    public static let number = MessageNumber.globalRequest
    public var name: String
    public var wantReply: Bool
    public var details: [UInt8]

    public init(name: String, wantReply: Bool, details: [UInt8] = []) {
        self.name = name
        self.wantReply = wantReply
        self.details = details
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        name = try reader.text(limit: WireLimit.name)
        wantReply = try reader.boolean()
        details = reader.rest()
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.text(name)
        writer.boolean(wantReply)
        writer.raw(details)
    }
}

/// SSH_MSG_REQUEST_SUCCESS (RFC 4254 §4).
public struct RequestSuccess: WireMessage {
    public static let number = MessageNumber.requestSuccess
    public var details: [UInt8]

    public init(details: [UInt8] = []) { self.details = details }

    public init(fields reader: inout WireReader) throws(WireError) {
        details = reader.rest()
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.raw(details)
    }
}

/// SSH_MSG_REQUEST_FAILURE (RFC 4254 §4).
public struct RequestFailure: EmptyMessage {
    public static let number = MessageNumber.requestFailure

    public init() {}
}

/// SSH_MSG_CHANNEL_REQUEST (RFC 4254 §5.4).
public struct ChannelRequest: WireMessage {
    public static let number = MessageNumber.channelRequest

    public enum Kind: Equatable, Sendable {
        /// RFC 4254 §6.5. The command line is bytes: it need not be UTF-8.
        case exec(command: [UInt8])
        case shell
        case subsystem(name: String)
        /// RFC 4254 §6.4.
        case environment(name: String, value: [UInt8])
        /// RFC 4254 §6.9: a name without SIG.
        case signal(name: String)
        /// RFC 4254 §6.10.
        case exitStatus(UInt32)
        case exitSignal(name: String, coreDumped: Bool, description: String)
        /// OpenSSH PROTOCOL §2.1.
        case endOfWrite
        case other(name: String, details: [UInt8])

        public var name: String {
            switch self {
            case .exec: "exec"
            case .shell: "shell"
            case .subsystem: "subsystem"
            case .environment: "env"
            case .signal: "signal"
            case .exitStatus: "exit-status"
            case .exitSignal: "exit-signal"
            case .endOfWrite: "eow@openssh.com"
            case .other(let name, _): name
            }
        }
    }

    public var recipientChannel: UInt32
    public var wantReply: Bool
    public var kind: Kind

    public init(recipientChannel: UInt32, wantReply: Bool, kind: Kind) {
        self.recipientChannel = recipientChannel
        self.wantReply = wantReply
        self.kind = kind
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        recipientChannel = try reader.uint32()
        let name = try reader.text(limit: WireLimit.name)
        wantReply = try reader.boolean()
        kind = try Self.kind(named: name, fields: &reader)
    }

    private static func kind(named name: String, fields reader: inout WireReader) throws(WireError) -> Kind {
        switch name {
        case "exec": .exec(command: try reader.string(limit: WireLimit.packet))
        case "shell": .shell
        case "subsystem": .subsystem(name: try reader.text(limit: WireLimit.name))
        case "env":
            .environment(name: try reader.text(limit: WireLimit.name), value: try reader.string(limit: WireLimit.text))
        case "signal": .signal(name: try reader.text(limit: WireLimit.name))
        case "exit-status": .exitStatus(try reader.uint32())
        case "exit-signal": try exitSignal(fields: &reader)
        case "eow@openssh.com": .endOfWrite
        default: .other(name: name, details: reader.rest())
        }
    }

    private static func exitSignal(fields reader: inout WireReader) throws(WireError) -> Kind {
        let name = try reader.text(limit: WireLimit.name)
        let coreDumped = try reader.boolean()
        let description = String(decoding: try reader.string(limit: WireLimit.text), as: UTF8.self)
        _ = try reader.stringRange(limit: WireLimit.name)
        return .exitSignal(name: name, coreDumped: coreDumped, description: description)
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.uint32(recipientChannel)
        writer.text(kind.name)
        writer.boolean(wantReply)
        switch kind {
        case .shell, .endOfWrite: break
        case .exec(let command): writer.string(command)
        case .subsystem(let name), .signal(let name): writer.text(name)
        case .environment(let name, let value):
            writer.text(name)
            writer.string(value)
        case .exitStatus(let status): writer.uint32(status)
        case .exitSignal(let name, let coreDumped, let description):
            writer.text(name)
            writer.boolean(coreDumped)
            writer.text(description)
            writer.text("")
        case .other(_, let details): writer.raw(details)
        }
    }
}

/// SSH_MSG_CHANNEL_SUCCESS (RFC 4254 §5.4).
public struct ChannelSuccess: ChannelNotice {
    public static let number = MessageNumber.channelSuccess
    public var recipientChannel: UInt32

    public init(recipientChannel: UInt32) { self.recipientChannel = recipientChannel }
}

/// SSH_MSG_CHANNEL_FAILURE (RFC 4254 §5.4).
public struct ChannelFailure: ChannelNotice {
    public static let number = MessageNumber.channelFailure
    public var recipientChannel: UInt32

    public init(recipientChannel: UInt32) { self.recipientChannel = recipientChannel }
}
