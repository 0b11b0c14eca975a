/// SSH_MSG_DISCONNECT (RFC 4253 §11.1).
public struct Disconnect: WireMessage {
    public static let number = MessageNumber.disconnect

    /// Why (RFC 4250 §4.2.2).
    public struct Reason: RawRepresentable, Equatable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let protocolError = Reason(rawValue: 2)
        public static let keyExchangeFailed = Reason(rawValue: 3)
        public static let macError = Reason(rawValue: 5)
        public static let serviceNotAvailable = Reason(rawValue: 7)
        public static let versionNotSupported = Reason(rawValue: 8)
        public static let connectionLost = Reason(rawValue: 10)
        public static let byApplication = Reason(rawValue: 11)
        public static let tooManyConnections = Reason(rawValue: 12)
        public static let noMoreAuthMethods = Reason(rawValue: 14)
    }

    public var reason: Reason
    public var description: String

    public init(reason: Reason, description: String) {
        self.reason = reason
        self.description = description
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        reason = Reason(rawValue: try reader.uint32())
        description = String(decoding: try reader.string(limit: WireLimit.text), as: UTF8.self)
        // Some old clients leave the language tag out.
        if reader.remaining > 0 { _ = try reader.stringRange(limit: WireLimit.name) }
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.uint32(reason.rawValue)
        writer.text(description)
        writer.text("")
    }
}

/// SSH_MSG_UNIMPLEMENTED (RFC 4253 §11.4).
public struct Unimplemented: WireMessage {
    public static let number = MessageNumber.unimplemented
    /// The sequence number of the packet that was not understood.
    public var sequence: UInt32

    public init(sequence: UInt32) { self.sequence = sequence }

    public init(fields reader: inout WireReader) throws(WireError) {
        sequence = try reader.uint32()
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.uint32(sequence)
    }
}

/// SSH_MSG_SERVICE_REQUEST (RFC 4253 §10).
public struct ServiceRequest: ServiceMessage {
    public static let number = MessageNumber.serviceRequest
    public var service: String

    public init(service: String) { self.service = service }
}

/// SSH_MSG_SERVICE_ACCEPT (RFC 4253 §10).
public struct ServiceAccept: ServiceMessage {
    public static let number = MessageNumber.serviceAccept
    public var service: String

    public init(service: String) { self.service = service }
}

/// SSH_MSG_EXT_INFO (RFC 8308 §2.3).
public struct ExtInfo: WireMessage {
    public static let number = MessageNumber.extInfo
    /// More extensions than anyone defines.
    private static let most: UInt32 = 64

    public struct Extension: Equatable, Sendable {
        public var name: String
        public var value: [UInt8]

        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    public var extensions: [Extension]

    public init(extensions: [Extension]) { self.extensions = extensions }

    public init(fields reader: inout WireReader) throws(WireError) {
        let count = try reader.uint32()
        guard count <= Self.most else { throw .tooLong(length: Int(count), limit: Int(Self.most)) }
        extensions = []
        for _ in 0..<count {
            let name = try reader.text(limit: WireLimit.name)
            extensions.append(Extension(name: name, value: try reader.string(limit: WireLimit.text)))
        }
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.uint32(UInt32(extensions.count))
        for one in extensions {
            writer.text(one.name)
            writer.string(one.value)
        }
    }
}

/// SSH_MSG_PING of OpenSSH (PROTOCOL §1.9); the answer, ``Pong``, carries the same data.
public struct Ping: EchoMessage {
    public static let number = MessageNumber.ping
    public var data: [UInt8]

    public init(data: [UInt8]) { self.data = data }
}

/// SSH_MSG_PONG of OpenSSH (PROTOCOL §1.9).
public struct Pong: EchoMessage {
    public static let number = MessageNumber.pong
    public var data: [UInt8]

    public init(data: [UInt8]) { self.data = data }
}
