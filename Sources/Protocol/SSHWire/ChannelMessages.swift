/// SSH_MSG_CHANNEL_OPEN (RFC 4254 §5.1).
public struct ChannelOpen: WireMessage {
    public static let number = MessageNumber.channelOpen
    public var type: String
    public var senderChannel: UInt32
    public var initialWindow: UInt32
    public var maximumPacket: UInt32
    /// The fields that the channel type adds; a `session` has none.
    public var details: [UInt8]

    public init(type: String, senderChannel: UInt32, initialWindow: UInt32, maximumPacket: UInt32, details: [UInt8] = []) {
        self.type = type
        self.senderChannel = senderChannel
        self.initialWindow = initialWindow
        self.maximumPacket = maximumPacket
        self.details = details
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        type = try reader.text(limit: WireLimit.name)
        senderChannel = try reader.uint32()
        initialWindow = try reader.uint32()
        maximumPacket = try reader.uint32()
        details = reader.rest()
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.text(type)
        writer.uint32(senderChannel)
        writer.uint32(initialWindow)
        writer.uint32(maximumPacket)
        writer.raw(details)
    }
}

/// SSH_MSG_CHANNEL_OPEN_CONFIRMATION (RFC 4254 §5.1).
public struct ChannelOpenConfirmation: WireMessage {
    public static let number = MessageNumber.channelOpenConfirmation
    public var recipientChannel: UInt32
    public var senderChannel: UInt32
    public var initialWindow: UInt32
    public var maximumPacket: UInt32

    public init(recipientChannel: UInt32, senderChannel: UInt32, initialWindow: UInt32, maximumPacket: UInt32) {
        self.recipientChannel = recipientChannel
        self.senderChannel = senderChannel
        self.initialWindow = initialWindow
        self.maximumPacket = maximumPacket
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        recipientChannel = try reader.uint32()
        senderChannel = try reader.uint32()
        initialWindow = try reader.uint32()
        maximumPacket = try reader.uint32()
        _ = reader.rest()
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.uint32(recipientChannel)
        writer.uint32(senderChannel)
        writer.uint32(initialWindow)
        writer.uint32(maximumPacket)
    }
}

/// SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254 §5.1).
public struct ChannelOpenFailure: WireMessage {
    public static let number = MessageNumber.channelOpenFailure

    /// Why (RFC 4250 §4.3).
    public struct Reason: RawRepresentable, Equatable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let administrativelyProhibited = Reason(rawValue: 1)
        public static let unknownChannelType = Reason(rawValue: 3)
        public static let resourceShortage = Reason(rawValue: 4)
    }

    public var recipientChannel: UInt32
    public var reason: Reason
    public var description: String

    public init(recipientChannel: UInt32, reason: Reason, description: String) {
        self.recipientChannel = recipientChannel
        self.reason = reason
        self.description = description
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        recipientChannel = try reader.uint32()
        reason = Reason(rawValue: try reader.uint32())
        description = String(decoding: try reader.string(limit: WireLimit.text), as: UTF8.self)
        _ = try reader.stringRange(limit: WireLimit.name)
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.uint32(recipientChannel)
        writer.uint32(reason.rawValue)
        writer.text(description)
        writer.text("")
    }
}

/// SSH_MSG_CHANNEL_WINDOW_ADJUST (RFC 4254 §5.2).
public struct ChannelWindowAdjust: WireMessage {
    public static let number = MessageNumber.channelWindowAdjust
    public var recipientChannel: UInt32
    public var bytesToAdd: UInt32

    public init(recipientChannel: UInt32, bytesToAdd: UInt32) {
        self.recipientChannel = recipientChannel
        self.bytesToAdd = bytesToAdd
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        recipientChannel = try reader.uint32()
        bytesToAdd = try reader.uint32()
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.uint32(recipientChannel)
        writer.uint32(bytesToAdd)
    }
}

/// SSH_MSG_CHANNEL_DATA (RFC 4254 §5.2).
public struct ChannelData: WireMessage {
    public static let number = MessageNumber.channelData
    public var recipientChannel: UInt32
    public var data: [UInt8]

    public init(recipientChannel: UInt32, data: [UInt8]) {
        self.recipientChannel = recipientChannel
        self.data = data
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        recipientChannel = try reader.uint32()
        data = try reader.string(limit: WireLimit.packet)
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.uint32(recipientChannel)
        writer.string(data)
    }
}

/// SSH_MSG_CHANNEL_EXTENDED_DATA (RFC 4254 §5.2).
public struct ChannelExtendedData: WireMessage {
    public static let number = MessageNumber.channelExtendedData
    /// The one type that is defined: standard error.
    public static let standardError: UInt32 = 1

    public var recipientChannel: UInt32
    public var type: UInt32
    public var data: [UInt8]

    public init(recipientChannel: UInt32, type: UInt32, data: [UInt8]) {
        self.recipientChannel = recipientChannel
        self.type = type
        self.data = data
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        recipientChannel = try reader.uint32()
        type = try reader.uint32()
        data = try reader.string(limit: WireLimit.packet)
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.uint32(recipientChannel)
        writer.uint32(type)
        writer.string(data)
    }
}

/// SSH_MSG_CHANNEL_EOF (RFC 4254 §5.3).
public struct ChannelEOF: ChannelNotice {
    public static let number = MessageNumber.channelEOF
    public var recipientChannel: UInt32

    public init(recipientChannel: UInt32) { self.recipientChannel = recipientChannel }
}

/// SSH_MSG_CHANNEL_CLOSE (RFC 4254 §5.3).
public struct ChannelClose: ChannelNotice {
    public static let number = MessageNumber.channelClose
    public var recipientChannel: UInt32

    public init(recipientChannel: UInt32) { self.recipientChannel = recipientChannel }
}
