/// SSH_MSG_KEXINIT (RFC 4253 §7.1).
public struct KexInit: WireMessage {
    public static let number = MessageNumber.kexInit

    /// The ten name-lists, in the order of the wire.
    public struct Algorithms: Equatable, Sendable {
        public var kex: [String]
        public var hostKey: [String]
        public var cipherClientToServer: [String]
        public var cipherServerToClient: [String]
        public var macClientToServer: [String]
        public var macServerToClient: [String]
        public var compressionClientToServer: [String]
        public var compressionServerToClient: [String]
        public var languagesClientToServer: [String] = []
        public var languagesServerToClient: [String] = []

        /// The same cipher, MAC and compression lists in both directions.
        public init(kex: [String], hostKey: [String], cipher: [String], mac: [String], compression: [String]) {
            self.kex = kex
            self.hostKey = hostKey
            cipherClientToServer = cipher
            cipherServerToClient = cipher
            macClientToServer = mac
            macServerToClient = mac
            compressionClientToServer = compression
            compressionServerToClient = compression
        }
    }

    /// 16 random bytes.
    public var cookie: [UInt8]
    public var algorithms: Algorithms
    /// A guessed key exchange packet follows.
    public var firstKexPacketFollows: Bool

    public init(cookie: [UInt8], algorithms: Algorithms, firstKexPacketFollows: Bool = false) {
        precondition(cookie.count == 16, "a cookie has 16 bytes")
        self.cookie = cookie
        self.algorithms = algorithms
        self.firstKexPacketFollows = firstKexPacketFollows
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        cookie = try reader.raw(16)
        algorithms = Algorithms(kex: try reader.nameList(), hostKey: try reader.nameList(), cipher: [], mac: [], compression: [])
        algorithms.cipherClientToServer = try reader.nameList()
        algorithms.cipherServerToClient = try reader.nameList()
        algorithms.macClientToServer = try reader.nameList()
        algorithms.macServerToClient = try reader.nameList()
        algorithms.compressionClientToServer = try reader.nameList()
        algorithms.compressionServerToClient = try reader.nameList()
        algorithms.languagesClientToServer = try reader.nameList()
        algorithms.languagesServerToClient = try reader.nameList()
        firstKexPacketFollows = try reader.boolean()
        _ = try reader.uint32()
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.raw(cookie)
        let lists = [
            algorithms.kex, algorithms.hostKey, algorithms.cipherClientToServer, algorithms.cipherServerToClient,
            algorithms.macClientToServer, algorithms.macServerToClient, algorithms.compressionClientToServer,
            algorithms.compressionServerToClient, algorithms.languagesClientToServer, algorithms.languagesServerToClient,
        ]
        for list in lists { writer.nameList(list) }
        writer.boolean(firstKexPacketFollows)
        writer.uint32(0)
    }
}

/// SSH_MSG_KEX_ECDH_INIT (RFC 5656 §4, RFC 8731 §3): the client's share.
public struct KexECDHInit: WireMessage {
    public static let number = MessageNumber.kexECDHInit
    public var clientShare: [UInt8]

    public init(clientShare: [UInt8]) { self.clientShare = clientShare }

    public init(fields reader: inout WireReader) throws(WireError) {
        clientShare = try reader.string(limit: WireLimit.blob)
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.string(clientShare)
    }
}

/// SSH_MSG_KEX_ECDH_REPLY (RFC 5656 §4, RFC 8731 §3): the host key, the server's share and the signature.
public struct KexECDHReply: WireMessage {
    public static let number = MessageNumber.kexECDHReply
    public var hostKey: [UInt8]
    public var serverShare: [UInt8]
    public var signature: [UInt8]

    public init(hostKey: [UInt8], serverShare: [UInt8], signature: [UInt8]) {
        self.hostKey = hostKey
        self.serverShare = serverShare
        self.signature = signature
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        hostKey = try reader.string(limit: WireLimit.blob)
        serverShare = try reader.string(limit: WireLimit.blob)
        signature = try reader.string(limit: WireLimit.blob)
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.string(hostKey)
        writer.string(serverShare)
        writer.string(signature)
    }
}

/// SSH_MSG_NEWKEYS (RFC 4253 §7.3).
public struct NewKeys: EmptyMessage {
    public static let number = MessageNumber.newKeys

    public init() {}
}
