public import SSHWire

/// What the monitor tells the frontend (DESIGN §6): one message is one datagram on their socketpair.
public enum MonitorMessage: Equatable, Sendable {
    /// The first message: what this connection is to be like. The connection itself comes with it.
    case begin(Settings)
    /// The answer to ``FrontendMessage/sign(_:)``.
    case signed(hostKey: [UInt8], signature: [UInt8])
    /// The answer to ``FrontendMessage/probe(_:)``.
    case probed(Bool)
    /// The answer to ``FrontendMessage/authenticate(_:signature:)``.
    case authenticated(Bool)
    /// The answer to ``FrontendMessage/prove(hostKeys:)``: a signature for each key, in its order; none where one is not ours.
    case proved(signatures: [[UInt8]])
    /// The command of a request runs. With it come three descriptors: where to write its standard input, where to read its
    /// standard output and its standard error.
    case started(request: UInt32)
    /// Nothing runs: this text is for the client, and this is the exit status.
    case printed(request: UInt32, toError: Bool, text: String, status: UInt32)
    /// The command of a request is over; the note, when there is one, is for the client's standard error.
    case exited(request: UInt32, Ending, note: String)
    /// The gateway is to stop: the connection ends as soon as nothing runs on it.
    case stop

    public enum Ending: Equatable, Sendable {
        case status(UInt32)
        /// A signal's name without SIG (RFC 4254 §6.10).
        case signal(name: String, coreDumped: Bool)
    }

    public struct Settings: Equatable, Sendable {
        /// The identification string that the monitor has sent already, without CR LF.
        public var identification: String
        public var hostKeyAlgorithms: [String]
        /// All host keys, for clients that want to know them before one of them is the first.
        public var hostKeys: [[UInt8]]
        /// Whether clients are offered no other key exchange.
        public var postQuantumOnly: Bool
        public var banner: String
        public var loginGraceSeconds: UInt32
        public var idleSeconds: UInt32
        public var keepaliveSeconds: UInt32
        public var mostChannels: UInt32
        public var rekeyBytes: UInt64
        public var rekeySeconds: UInt32

        public init(
            identification: String, hostKeyAlgorithms: [String], hostKeys: [[UInt8]], postQuantumOnly: Bool, banner: String, loginGraceSeconds: UInt32, idleSeconds: UInt32,
            keepaliveSeconds: UInt32, mostChannels: UInt32, rekeyBytes: UInt64, rekeySeconds: UInt32
        ) {
            self.identification = identification
            self.hostKeyAlgorithms = hostKeyAlgorithms
            self.hostKeys = hostKeys
            self.postQuantumOnly = postQuantumOnly
            self.banner = banner
            self.loginGraceSeconds = loginGraceSeconds
            self.idleSeconds = idleSeconds
            self.keepaliveSeconds = keepaliveSeconds
            self.mostChannels = mostChannels
            self.rekeyBytes = rekeyBytes
            self.rekeySeconds = rekeySeconds
        }
    }

    /// The largest message, in bytes; what a key may run is the longest text.
    public static let longest = 128 * 1024
    /// The descriptors that come with ``started(request:)``.
    public static let descriptorsOfStarted = 3
    /// What ``printed(request:toError:text:status:)`` may say, in bytes.
    public static let longestText = 96 * 1024

    private enum Tag: UInt8 { case begin = 1, signed, probed, authenticated, started, printed, exited, proved, stop }

    public init(bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= Self.longest else { throw .tooLong(length: bytes.count, limit: Self.longest) }
        var reader = WireReader(bytes)
        let number = try reader.byte()
        guard let tag = Tag(rawValue: number) else { throw .unknownMessage(number) }
        switch tag {
        case .begin: self = .begin(try Settings(&reader))
        case .signed: self = .signed(hostKey: try reader.string(limit: WireLimit.blob), signature: try reader.string(limit: WireLimit.blob))
        case .probed: self = .probed(try reader.boolean())
        case .authenticated: self = .authenticated(try reader.boolean())
        case .proved: self = .proved(signatures: try reader.blobs(most: FrontendMessage.mostHostKeys))
        case .started: self = .started(request: try reader.uint32())
        case .printed:
            self = .printed(
                request: try reader.uint32(), toError: try reader.boolean(), text: try reader.text(limit: Self.longestText),
                status: try reader.uint32())
        case .stop: self = .stop
        case .exited:
            self = .exited(request: try reader.uint32(), try Ending(&reader), note: try reader.text(limit: Self.longestText))
        }
        try reader.finish()
    }

    public var bytes: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .begin(let settings):
            writer.byte(Tag.begin.rawValue)
            settings.write(to: &writer)
        case .signed(let hostKey, let signature):
            writer.byte(Tag.signed.rawValue)
            writer.string(hostKey)
            writer.string(signature)
        case .probed(let isWelcome):
            writer.byte(Tag.probed.rawValue)
            writer.boolean(isWelcome)
        case .authenticated(let isGranted):
            writer.byte(Tag.authenticated.rawValue)
            writer.boolean(isGranted)
        case .proved(let signatures):
            writer.byte(Tag.proved.rawValue)
            writer.blobs(signatures)
        case .started(let request):
            writer.byte(Tag.started.rawValue)
            writer.uint32(request)
        case .printed(let request, let toError, let text, let status):
            writer.byte(Tag.printed.rawValue)
            writer.uint32(request)
            writer.boolean(toError)
            writer.text(text)
            writer.uint32(status)
        case .stop:
            writer.byte(Tag.stop.rawValue)
        case .exited(let request, let ending, let note):
            writer.byte(Tag.exited.rawValue)
            writer.uint32(request)
            ending.write(to: &writer)
            writer.text(note)
        }
        return writer.bytes
    }
}

extension MonitorMessage.Ending {
    fileprivate init(_ reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 1: self = .status(try reader.uint32())
        case 2: self = .signal(name: try reader.text(limit: WireLimit.name), coreDumped: try reader.boolean())
        case let number: throw .unknownMessage(number)
        }
    }

    fileprivate func write(to writer: inout WireWriter) {
        switch self {
        case .status(let status):
            writer.byte(1)
            writer.uint32(status)
        case .signal(let name, let coreDumped):
            writer.byte(2)
            writer.text(name)
            writer.boolean(coreDumped)
        }
    }
}

extension MonitorMessage.Settings {
    fileprivate init(_ reader: inout WireReader) throws(WireError) {
        self.init(
            identification: try reader.text(limit: WireLimit.name), hostKeyAlgorithms: try reader.nameList(),
            hostKeys: try reader.blobs(most: FrontendMessage.mostHostKeys), postQuantumOnly: try reader.boolean(),
            banner: try reader.text(limit: WireLimit.text), loginGraceSeconds: try reader.uint32(), idleSeconds: try reader.uint32(),
            keepaliveSeconds: try reader.uint32(), mostChannels: try reader.uint32(), rekeyBytes: try reader.uint64(),
            rekeySeconds: try reader.uint32())
    }

    fileprivate func write(to writer: inout WireWriter) {
        writer.text(identification)
        writer.nameList(hostKeyAlgorithms)
        writer.blobs(hostKeys)
        writer.boolean(postQuantumOnly)
        writer.text(banner)
        for seconds in [loginGraceSeconds, idleSeconds, keepaliveSeconds, mostChannels] { writer.uint32(seconds) }
        writer.uint64(rekeyBytes)
        writer.uint32(rekeySeconds)
    }
}
