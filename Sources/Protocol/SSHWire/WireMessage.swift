/// A message that is one struct: it reads itself from a payload and writes itself to one.
public protocol WireMessage: Equatable, Sendable {
    static var number: MessageNumber { get }
    /// Reads the fields after the message number.
    init(fields reader: inout WireReader) throws(WireError)
    /// Writes the fields after the message number.
    func writeFields(to writer: inout WireWriter)
}

extension WireMessage {
    /// Reads a whole payload: the number, the fields, and nothing after them.
    public init(payload: [UInt8]) throws(WireError) {
        var reader = WireReader(payload)
        let number = MessageNumber(rawValue: try reader.byte())
        guard number == Self.number else { throw .unknownMessage(number.rawValue) }
        try self.init(fields: &reader)
        try reader.finish()
    }

    /// The payload: number and fields.
    public var payload: [UInt8] {
        var writer = WireWriter(Self.number)
        writeFields(to: &writer)
        return writer.bytes
    }
}

/// A message without fields.
public protocol EmptyMessage: WireMessage {
    init()
}

extension EmptyMessage {
    public init(fields reader: inout WireReader) throws(WireError) { self.init() }
    public func writeFields(to writer: inout WireWriter) {}
}

/// A message that says something of one channel and no more: its field is the recipient's number of that channel.
public protocol ChannelNotice: WireMessage {
    var recipientChannel: UInt32 { get }
    init(recipientChannel: UInt32)
}

extension ChannelNotice {
    public init(fields reader: inout WireReader) throws(WireError) { self.init(recipientChannel: try reader.uint32()) }
    public func writeFields(to writer: inout WireWriter) { writer.uint32(recipientChannel) }
}

/// A message whose one field is the name of a service (RFC 4253 §10).
public protocol ServiceMessage: WireMessage {
    var service: String { get }
    init(service: String)
}

extension ServiceMessage {
    public init(fields reader: inout WireReader) throws(WireError) { self.init(service: try reader.text(limit: WireLimit.name)) }
    public func writeFields(to writer: inout WireWriter) { writer.text(service) }
}

/// A message that carries bytes for the peer to send back (OpenSSH PROTOCOL §1.9).
public protocol EchoMessage: WireMessage {
    var data: [UInt8] { get }
    init(data: [UInt8])
}

extension EchoMessage {
    public init(fields reader: inout WireReader) throws(WireError) { self.init(data: try reader.string(limit: WireLimit.packet)) }
    public func writeFields(to writer: inout WireWriter) { writer.string(data) }
}

/// Lengths that no honest peer exceeds, in bytes.
public enum WireLimit {
    /// Names of algorithms, methods, services, channel types and requests (RFC 4251 §6 has 64; extensions are longer).
    public static let name = 256
    /// A user name.
    public static let user = 1024
    /// A public key, a certificate or a signature.
    public static let blob = 16_384
    /// Text for people: banners, descriptions.
    public static let text = 32_768
    /// A whole packet (RFC 4253 §6.1), and so whatever stands inside one.
    public static let packet = 35_000
}
