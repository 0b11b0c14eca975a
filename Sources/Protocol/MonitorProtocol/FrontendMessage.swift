public import SSHWire

/// What the frontend asks of the monitor (DESIGN §6): one message is one datagram on their socketpair.
///
/// The monitor trusts none of it; a message that does not parse ends both.
public enum FrontendMessage: Equatable, Sendable {
    /// Sign this key exchange. The server's version and the host key are not among the fields: the monitor puts in its own.
    case sign(KeyExchangeRecord)
    /// May this key enter under this name? Nothing is proven yet.
    case probe(Credential)
    /// Does this signature prove the key for this connection, and may it enter under this name?
    case authenticate(Credential, signature: [UInt8])
    /// Start what a channel asks for. Requests are numbered from 0 by the frontend, since a channel's number is used again.
    case start(request: UInt32, Program, environment: [Variable])
    case signal(request: UInt32, name: String)
    /// The client has closed the channel: nobody hears what runs there any more.
    case closed(request: UInt32)
    /// Prove that these host keys are ours, for a client that has been told of them.
    case prove(hostKeys: [[UInt8]])
    /// The connection is over, and this is why; for the log.
    case farewell(String)
    /// The connection was ended because the peer broke the protocol or a time limit, and this is how; for the log.
    case fault(String)

    public struct KeyExchangeRecord: Equatable, Sendable {
        public var method: String
        /// Which of the host keys, or its certificate, the client wants to see.
        public var hostKeyAlgorithm: String
        public var clientVersion: String
        public var clientKexInit: [UInt8]
        public var serverKexInit: [UInt8]
        public var clientShare: [UInt8]
        public var serverShare: [UInt8]
        /// As it enters the exchange hash.
        public var sharedSecret: [UInt8]

        public init(
            method: String, hostKeyAlgorithm: String, clientVersion: String, clientKexInit: [UInt8], serverKexInit: [UInt8], clientShare: [UInt8],
            serverShare: [UInt8], sharedSecret: [UInt8]
        ) {
            self.method = method
            self.hostKeyAlgorithm = hostKeyAlgorithm
            self.clientVersion = clientVersion
            self.clientKexInit = clientKexInit
            self.serverKexInit = serverKexInit
            self.clientShare = clientShare
            self.serverShare = serverShare
            self.sharedSecret = sharedSecret
        }
    }

    public struct Credential: Equatable, Sendable {
        public var user: String
        public var algorithm: String
        public var key: [UInt8]
        /// What the client takes for the server's host key, where its request is bound to one.
        public var hostKey: [UInt8]?

        public init(user: String, algorithm: String, key: [UInt8], hostKey: [UInt8]? = nil) {
            self.user = user
            self.algorithm = algorithm
            self.key = key
            self.hostKey = hostKey
        }
    }

    public enum Program: Equatable, Sendable {
        case exec([UInt8])
        case shell
        case subsystem(String)
    }

    public struct Variable: Equatable, Sendable {
        public var name: String
        public var value: [UInt8]

        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }

        /// What it counts towards ``FrontendMessage/mostVariableBytes``.
        public var bytes: Int { name.utf8.count + value.count }
    }

    /// The largest message, in bytes: two KEXINITs of a packet each and the rest of a key exchange.
    public static let longest = 128 * 1024
    /// Environment variables of one start.
    public static let mostVariables = 64
    /// Their names and values together, in bytes; with a command line of a whole packet they fit into ``longest``.
    public static let mostVariableBytes = 64 * 1024
    /// Host keys, and the proofs of them.
    public static let mostHostKeys = 16
    /// Text of a farewell, in bytes.
    public static let longestFarewell = 1024

    private enum Tag: UInt8 { case sign = 1, probe, authenticate, start, signal, closed, farewell, fault, prove }

    public init(bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= Self.longest else { throw .tooLong(length: bytes.count, limit: Self.longest) }
        var reader = WireReader(bytes)
        let number = try reader.byte()
        guard let tag = Tag(rawValue: number) else { throw .unknownMessage(number) }
        switch tag {
        case .sign: self = .sign(try KeyExchangeRecord(&reader))
        case .probe: self = .probe(try Credential(&reader))
        case .authenticate: self = .authenticate(try Credential(&reader), signature: try reader.string(limit: WireLimit.blob))
        case .start:
            self = .start(request: try reader.uint32(), try Program(&reader), environment: try Self.variables(&reader))
        case .signal: self = .signal(request: try reader.uint32(), name: try reader.text(limit: WireLimit.name))
        case .closed: self = .closed(request: try reader.uint32())
        case .farewell: self = .farewell(try reader.text(limit: Self.longestFarewell))
        case .prove: self = .prove(hostKeys: try reader.blobs(most: Self.mostHostKeys))
        case .fault: self = .fault(try reader.text(limit: Self.longestFarewell))
        }
        try reader.finish()
    }

    public var bytes: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .sign(let record):
            writer.byte(Tag.sign.rawValue)
            record.write(to: &writer)
        case .probe(let credential):
            writer.byte(Tag.probe.rawValue)
            credential.write(to: &writer)
        case .authenticate(let credential, let signature):
            writer.byte(Tag.authenticate.rawValue)
            credential.write(to: &writer)
            writer.string(signature)
        case .start(let request, let program, let environment):
            writer.byte(Tag.start.rawValue)
            writer.uint32(request)
            program.write(to: &writer)
            writer.uint32(UInt32(environment.count))
            for variable in environment {
                writer.text(variable.name)
                writer.string(variable.value)
            }
        case .signal(let request, let name):
            writer.byte(Tag.signal.rawValue)
            writer.uint32(request)
            writer.text(name)
        case .closed(let request):
            writer.byte(Tag.closed.rawValue)
            writer.uint32(request)
        case .farewell(let text):
            writer.byte(Tag.farewell.rawValue)
            writer.text(text)
        case .prove(let hostKeys):
            writer.byte(Tag.prove.rawValue)
            writer.blobs(hostKeys)
        case .fault(let text):
            writer.byte(Tag.fault.rawValue)
            writer.text(text)
        }
        return writer.bytes
    }

    private static func variables(_ reader: inout WireReader) throws(WireError) -> [Variable] {
        let count = try reader.uint32()
        guard count <= mostVariables else { throw .tooLong(length: Int(count), limit: mostVariables) }
        var variables: [Variable] = []
        var total = 0
        for _ in 0..<count {
            let name = try reader.text(limit: WireLimit.name)
            variables.append(Variable(name: name, value: try reader.string(limit: WireLimit.text)))
            total += variables[variables.count - 1].bytes
        }
        guard total <= mostVariableBytes else { throw .tooLong(length: total, limit: mostVariableBytes) }
        return variables
    }
}

extension FrontendMessage.KeyExchangeRecord {
    fileprivate init(_ reader: inout WireReader) throws(WireError) {
        self.init(
            method: try reader.text(limit: WireLimit.name), hostKeyAlgorithm: try reader.text(limit: WireLimit.name),
            clientVersion: try reader.text(limit: WireLimit.name),
            clientKexInit: try reader.string(limit: WireLimit.packet), serverKexInit: try reader.string(limit: WireLimit.packet),
            clientShare: try reader.string(limit: WireLimit.blob), serverShare: try reader.string(limit: WireLimit.blob),
            sharedSecret: try reader.string(limit: WireLimit.name))
    }

    fileprivate func write(to writer: inout WireWriter) {
        writer.text(method)
        writer.text(hostKeyAlgorithm)
        writer.text(clientVersion)
        for field in [clientKexInit, serverKexInit, clientShare, serverShare, sharedSecret] { writer.string(field) }
    }
}

extension FrontendMessage.Credential {
    fileprivate init(_ reader: inout WireReader) throws(WireError) {
        self.init(
            user: try reader.text(limit: WireLimit.user), algorithm: try reader.text(limit: WireLimit.name),
            key: try reader.string(limit: WireLimit.blob), hostKey: try reader.boolean() ? try reader.string(limit: WireLimit.blob) : nil)
    }

    fileprivate func write(to writer: inout WireWriter) {
        writer.text(user)
        writer.text(algorithm)
        writer.string(key)
        writer.boolean(hostKey != nil)
        if let hostKey { writer.string(hostKey) }
    }
}

extension FrontendMessage.Program {
    fileprivate init(_ reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .exec(try reader.string(limit: WireLimit.packet))
        case 2: self = .shell
        case 3: self = .subsystem(try reader.text(limit: WireLimit.name))
        case let number: throw .unknownMessage(number)
        }
    }

    fileprivate func write(to writer: inout WireWriter) {
        switch self {
        case .exec(let line):
            writer.byte(1)
            writer.string(line)
        case .shell: writer.byte(2)
        case .subsystem(let name):
            writer.byte(3)
            writer.text(name)
        }
    }
}

extension WireReader {
    /// Reads how many strings there are, and them.
    mutating func blobs(most: Int) throws(WireError) -> [[UInt8]] {
        let count = Int(try uint32())
        guard count <= most else { throw .tooLong(length: count, limit: most) }
        var blobs: [[UInt8]] = []
        for _ in 0..<count { blobs.append(try string(limit: WireLimit.blob)) }
        return blobs
    }
}

extension WireWriter {
    /// Writes how many strings there are, and them.
    mutating func blobs(_ blobs: [[UInt8]]) {
        uint32(UInt32(blobs.count))
        for blob in blobs { string(blob) }
    }
}
