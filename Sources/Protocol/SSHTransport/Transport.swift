import SSHCiphers
public import SSHWire
public import Sodium

/// The transport layer of one connection (RFC 4253): bytes in, events out, in either role.
///
/// Bytes from the peer go in by ``receive(limit:fill:)``; ``next(now:)`` then gives one event after the other. After an event that
/// asks for an answer it gives none until the answer came. What is to be written stands in ``pending``.
public struct Transport: Sendable {
    public enum Event: Sendable {
        /// The peer's identification string came.
        case identified(Identification)
        /// Server: answer with ``sign(_:)``.
        case needSignature(SignatureRequest)
        /// Client: answer with ``acceptHostKey()``.
        case judgeHostKey([UInt8])
        /// New keys are in use in both directions; the first time, the session has its identifier.
        case keysChanged(NegotiatedAlgorithms, isFirst: Bool)
        /// A message of the layers above.
        case message(MessageNumber, payload: [UInt8])
        case extInfo(ExtInfo)
        /// The peer did not know the message that it names.
        case unimplemented(Unimplemented)
        case disconnected(Disconnect)
    }

    public struct Configuration: Sendable {
        public var identification: Identification
        public var proposal = AlgorithmProposal()
        /// New keys after so many bytes in either direction (RFC 4253 §9 has 1 GiB).
        public var rekeyAfterBytes: UInt64 = 1 << 30
        /// New keys after so long (RFC 4253 §9 has one hour).
        public var rekeyAfter: Duration = .seconds(3600)
        /// Whether keys may be exchanged again before the user is authenticated: never where each exchange needs a monitor's signature.
        public var allowsEarlyRekeying = true
        /// The identification string is written by someone else before (DESIGN §6: the monitor writes it).
        public var identificationIsSent = false
        /// What EXT_INFO tells the peer when it takes that (RFC 8308).
        public var extensions: [ExtInfo.Extension] = []
        /// Whether ``Transport/takeTrace()`` has anything.
        public var tracesMessages = false

        public init(identification: Identification) { self.identification = identification }
    }

    private let role: Role
    private let configuration: Configuration
    private var random: any RandomSource
    private var reader = PacketReader()
    private var writer = PacketWriter()
    /// Nil until the peer's identification came.
    private var keyExchange: KeyExchange?
    /// What the layers above sent during a key exchange, in order.
    private var queue: [[UInt8]] = []
    private var queuedBytes = 0
    private var keysSince: Duration = .zero
    /// Packets without meaning that came in a row, and since when.
    private var idlePackets = 0
    private var idleSince: Duration = .zero
    /// Since when a key exchange after the first runs, and how much had come from the peer by then; nil while none does.
    private var rekeying: (since: Duration, bytes: UInt64)?
    private var asksForKeys = false
    private var hasEnded = false
    private var trace: [String] = []

    /// A key exchange takes a round trip; in it a peer can make us answer only what it sent before.
    private static let queueLimit = 1 << 20
    /// RFC 4344 §3.1: new keys after 2^31 packets at the latest, and never 2^32 by one key.
    private static let rekeyAfterPackets: UInt64 = 1 << 31
    private static let mostPackets: UInt64 = 1 << 32
    /// A peer that answers no KEXINIT must not go on under old keys: what an honest one may still send before its own is what all
    /// windows hold, and what is on a slow way takes no longer than this.
    private static let mostRekeyingBytes: UInt64 = 64 << 20
    private static let mostRekeyingTime: Duration = .seconds(120)
    /// IGNORE, DEBUG, UNIMPLEMENTED and PING in a row without a message that means something, within this time: OpenSSH hides
    /// keystrokes among 50 pings a second, and others keep a quiet connection up with one IGNORE in some seconds.
    private static let mostIdlePackets = 1024
    private static let idlePeriod: Duration = .seconds(10)
    /// What is read ahead while an answer is awaited, in bytes: some packets, of which each has at most 35,000.
    private static let mostUnread = 128 * 1024

    public init(role: Role, configuration: Configuration, random: any RandomSource) {
        self.role = role
        self.configuration = configuration
        self.random = random
        if !configuration.identificationIsSent { writer.append(raw: Array("\(configuration.identification.line)\r\n".utf8)) }
    }

    // MARK: - What the host sees

    public var pending: ArraySlice<UInt8> { writer.pending }
    public var pendingBytes: Int { writer.pendingBytes }
    public mutating func didWrite(_ count: Int) { writer.didWrite(count) }

    /// Gives back buffers that grew; for a connection that has nothing to do.
    public mutating func trim() {
        reader.trim()
        writer.trim()
    }

    /// The exchange hash of the first key exchange; nil before.
    public var sessionIdentifier: [UInt8]? { keyExchange?.sessionIdentifier }
    public var isStrict: Bool { keyExchange?.isStrict ?? false }
    /// False while a key exchange holds data back.
    public var takesData: Bool { !(keyExchange?.isSending ?? true) && !hasEnded }
    /// When ``tick(now:)`` asks for new keys, however little was sent, or ends a key exchange that the peer does not finish.
    public var rekeyDeadline: Duration? {
        if let rekeying { return hasEnded ? nil : rekeying.since + Self.mostRekeyingTime }
        return asksForKeys && !hasEnded && keyExchange?.isIdle == true ? keysSince + configuration.rekeyAfter : nil
    }

    /// Bytes from the peer that wait: for the rest of their packet, or for an answer of the host.
    public var unreadBytes: Int { reader.unreadBytes }
    /// False while so much waits for an answer that no more is read.
    public var takesInput: Bool { unreadBytes < Self.mostUnread && !hasEnded }

    /// Lets `fill` write up to `limit` bytes from the peer into the input buffer, and returns what it returned.
    ///
    /// Without ``takesInput`` it returns 0 and does not call `fill`; close to that it lowers the limit.
    public mutating func receive<Failure: Error>(
        limit: Int, fill: (inout [UInt8], Range<Int>) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        guard takesInput else { return 0 }
        return try reader.receive(limit: min(limit, Self.mostUnread - unreadBytes), fill: fill)
    }

    // MARK: - In

    /// The next event; nil when more bytes or an answer are needed.
    ///
    /// - Parameter now: monotonic time from any fixed beginning.
    public mutating func next(now: Duration) throws(TransportError) -> Event? {
        if hasEnded { return nil }
        if keyExchange == nil {
            guard let identification = try reader.identification(allowsLinesBefore: role == .client) else { return nil }
            startFirstExchange(with: identification)
            return .identified(identification)
        }
        while keyExchange?.awaitsAnswer == false {
            guard queuedBytes <= Self.queueLimit else { throw .queueFull(limit: Self.queueLimit) }
            rekeyIfDue(now: now)
            try limitRekeying(now: now)
            let sequence = reader.sequence
            guard let payload = try reader.next() else { return nil }
            note("received", payload)
            if let event = try handle(payload, sequence: sequence, now: now) { return event }
        }
        return nil
    }

    private mutating func startFirstExchange(with peer: Identification) {
        let ours = configuration.identification.line
        var exchange = KeyExchange(
            role: role, proposal: configuration.proposal, clientVersion: role == .client ? ours : peer.line,
            serverVersion: role == .client ? peer.line : ours)
        let steps = exchange.start(random: &random)
        keyExchange = exchange
        _ = perform(steps, now: .zero)
    }

    private mutating func handle(_ payload: [UInt8], sequence: UInt32, now: Duration) throws(TransportError) -> Event? {
        guard let first = payload.first else { throw .wire(.truncated(needed: 1, remaining: 0)) }
        guard reader.packetsSinceKeys < Self.mostPackets else { throw .keysExhausted }
        let number = MessageNumber(rawValue: first)
        switch number.layer {
        case .keyExchange:
            idlePackets = 0
            return try handleKeyExchange(number, payload, sequence: sequence, now: now)
        case .transport where number != .serviceRequest && number != .serviceAccept:
            return try handleTransport(number, payload, sequence: sequence, now: now)
        case .transport, .userAuth, .connection:
            // RFC 4253 §7.1: after KEXINIT nothing else until NEWKEYS; and nothing of the layers above before the first keys.
            guard let keyExchange, !keyExchange.peerIsBound, keyExchange.sessionIdentifier != nil else {
                throw .unexpected(number, during: stateName)
            }
            idlePackets = 0
            return .message(number, payload: payload)
        case .reserved:
            try admitAside(number, now: now)
            send(Unimplemented(sequence: sequence).payload)
            return nil
        }
    }

    /// What may come beside the protocol's course: DISCONNECT, IGNORE, DEBUG, UNIMPLEMENTED, EXT_INFO, PING and what nobody knows.
    private mutating func handleTransport(
        _ number: MessageNumber, _ payload: [UInt8], sequence: UInt32, now: Duration
    ) throws(TransportError) -> Event? {
        if number == .disconnect {
            let disconnect = try parse(Disconnect.self, payload)
            hasEnded = true
            return .disconnected(disconnect)
        }
        try admitAside(number, now: now)
        switch number {
        case .ignore, .debug:
            return nil
        case .unimplemented:
            return .unimplemented(try parse(Unimplemented.self, payload))
        case .extInfo:
            // RFC 8308 §2.4: after NEWKEYS; before, anyone on the way could have written it.
            guard keyExchange?.isFirst == false else { throw .unexpected(number, during: stateName) }
            return .extInfo(try parse(ExtInfo.self, payload))
        case .ping:
            send(Pong(data: try parse(Ping.self, payload).data).payload)
            return nil
        case .pong:
            throw .unexpected(number, during: stateName)
        default:
            // RFC 4253 §11.4: an unknown message is answered, and otherwise ignored.
            send(Unimplemented(sequence: sequence).payload)
            return nil
        }
    }

    /// Strict key exchange allows nothing aside before the first keys (OpenSSH PROTOCOL §1.10: the answer to Terrapin);
    /// and no honest peer sends only such messages.
    private mutating func admitAside(_ number: MessageNumber, now: Duration) throws(TransportError) {
        if let keyExchange, keyExchange.isStrict, keyExchange.isFirst {
            throw .unexpected(number, during: "strict \(keyExchange.stateName)")
        }
        if idlePackets == 0 || now - idleSince > Self.idlePeriod {
            idlePackets = 0
            idleSince = now
        }
        idlePackets += 1
        if idlePackets > Self.mostIdlePackets { throw .flood(number) }
    }

    private mutating func handleKeyExchange(
        _ number: MessageNumber, _ payload: [UInt8], sequence: UInt32, now: Duration
    ) throws(TransportError) -> Event? {
        if number.rawValue >= MessageNumber.kexECDHInit.rawValue, keyExchange?.ignoresGuess() == true { return nil }
        if number == .kexInit, keyExchange?.isFirst == false, !asksForKeys, !configuration.allowsEarlyRekeying { throw .earlyKeyExchange }
        let message: KeyExchange.Message
        switch number {
        case .kexInit: message = .kexInit(try parse(KexInit.self, payload), payload: payload)
        case .kexECDHInit where role == .server: message = .ecdhInit(try parse(KexECDHInit.self, payload))
        case .kexECDHReply where role == .client: message = .ecdhReply(try parse(KexECDHReply.self, payload))
        case .newKeys: message = .newKeys(try parse(NewKeys.self, payload))
        default: throw .unexpected(number, during: stateName)
        }
        guard var exchange = keyExchange else { preconditionFailure("a key exchange before the identification") }
        let steps = try exchange.receive(message, random: &random)
        keyExchange = exchange
        // OpenSSH PROTOCOL §1.10: in a strict connection KEXINIT is the very first packet.
        if number == .kexInit, isStrict, sessionIdentifier == nil, sequence != 0 { throw .unexpected(number, during: "strict key exchange") }
        return perform(steps, now: now)
    }

    private func parse<Message: WireMessage>(_ type: Message.Type, _ payload: [UInt8]) throws(TransportError) -> Message {
        do throws(WireError) {
            return try Message(payload: payload)
        } catch {
            throw .wire(error)
        }
    }

    private var stateName: String { keyExchange?.stateName ?? "identification" }

    // MARK: - Key exchange

    /// Asks for new keys now; nothing when that is already under way or the first are not there.
    public mutating func requestKeyExchange() {
        guard !hasEnded, let exchange = keyExchange, exchange.isIdle, exchange.sessionIdentifier != nil else { return }
        for case .send(let payload) in keyExchange?.start(random: &random) ?? [] { write(payload) }
    }

    /// From now on new keys are asked for when they are due. Before, OpenSSH asks for none either, and a monitor signs once
    /// (DESIGN §6).
    public mutating func userIsAuthenticated() { asksForKeys = true }

    /// Asks for new keys when the time has come; see ``rekeyDeadline``.
    public mutating func tick(now: Duration) throws(TransportError) {
        rekeyIfDue(now: now)
        try limitRekeying(now: now)
    }

    /// Server: the answer to ``Event/needSignature(_:)``; nothing when the connection has ended meanwhile.
    public mutating func sign(_ answer: SignatureAnswer, now: Duration) {
        guard !hasEnded else { return }
        _ = perform(exchanging { $0.sign(with: answer) }, now: now)
    }

    /// Client: the answer to ``Event/judgeHostKey(_:)``; nothing when the connection has ended meanwhile.
    public mutating func acceptHostKey(now: Duration) {
        guard !hasEnded else { return }
        _ = perform(exchanging { $0.acceptHostKey() }, now: now)
    }

    private mutating func exchanging(_ step: (inout KeyExchange) -> [KeyExchange.Step]) -> [KeyExchange.Step] {
        guard var exchange = keyExchange else { preconditionFailure("a key exchange before the identification") }
        defer { keyExchange = exchange }
        return step(&exchange)
    }

    private mutating func perform(_ steps: [KeyExchange.Step], now: Duration) -> Event? {
        for step in steps {
            switch step {
            case .send(let payload):
                write(payload)
            case .needSignature(let request):
                return .needSignature(request)
            case .judgeHostKey(let key):
                return .judgeHostKey(key)
            case .sealWith(let keys, let isFirst):
                writer.use(keys.sealer, padding: random.bytes(count: 255), resetsSequence: isStrict)
                if isFirst { sendExtInfo() }
                flushQueue()
            case .openWith(let keys):
                reader.use(keys.opener, resetsSequence: isStrict)
            case .finished(let algorithms, let isFirst):
                keysSince = now
                return .keysChanged(algorithms, isFirst: isFirst)
            }
        }
        return nil
    }

    /// RFC 8308 §2.4: the first packet after our first NEWKEYS, for a peer that asked for it.
    private mutating func sendExtInfo() {
        guard keyExchange?.peerTakesExtInfo == true, !configuration.extensions.isEmpty else { return }
        write(ExtInfo(extensions: configuration.extensions).payload)
    }

    private mutating func limitRekeying(now: Duration) throws(TransportError) {
        guard !hasEnded, let exchange = keyExchange, !exchange.isFirst, !exchange.isIdle else {
            rekeying = nil
            return
        }
        let begun = rekeying ?? (now, reader.bytesSinceKeys)
        rekeying = begun
        // The peer's own new keys begin to count anew.
        let bytes = reader.bytesSinceKeys >= begun.bytes ? reader.bytesSinceKeys - begun.bytes : 0
        guard now - begun.since < Self.mostRekeyingTime, bytes < Self.mostRekeyingBytes else { throw .keyExchangeUnfinished }
    }

    private mutating func rekeyIfDue(now: Duration) {
        guard asksForKeys, let exchange = keyExchange, exchange.isIdle else { return }
        let bytes = max(reader.bytesSinceKeys, writer.bytesSinceKeys)
        let packets = max(reader.packetsSinceKeys, writer.packetsSinceKeys)
        if bytes >= configuration.rekeyAfterBytes || packets >= Self.rekeyAfterPackets || now - keysSince >= configuration.rekeyAfter {
            requestKeyExchange()
        }
    }

    // MARK: - Out

    /// Sends a message of the layers above; during a key exchange it waits in a queue (RFC 4253 §7.1).
    public mutating func send(_ payload: [UInt8]) {
        guard !hasEnded else { return }
        if keyExchange?.isSending ?? true {
            queue.append(payload)
            queuedBytes += payload.count
        } else {
            write(payload)
        }
    }

    /// Sends one message that is `prefix` and a `string` which `fill` writes straight into the output; see ``takesData``.
    ///
    /// - Returns: what `fill` returned; for 0 nothing is sent.
    public mutating func send<Failure: Error>(
        prefix: [UInt8], limit: Int, fill: (inout [UInt8], Range<Int>) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        precondition(takesData, "data sent during a key exchange")
        let count = try writer.append(prefix: prefix, limit: limit, fill: fill)
        if configuration.tracesMessages, count > 0 { trace.append("sent \(MessageSummary.text(ofDataAfter: prefix, count: count))") }
        return count
    }

    /// Answers the message that was read last with UNIMPLEMENTED (RFC 4253 §11.4).
    public mutating func answerUnimplemented() { send(Unimplemented(sequence: reader.sequence &- 1).payload) }

    /// Ends the connection with a DISCONNECT (RFC 4253 §11.1), at once and whatever else was going on.
    public mutating func disconnect(_ disconnect: Disconnect) {
        guard !hasEnded else { return }
        hasEnded = true
        queue = []
        write(disconnect.payload)
    }

    private mutating func write(_ payload: [UInt8]) {
        note("sent", payload)
        writer.append(payload)
    }

    private mutating func note(_ direction: String, _ payload: [UInt8]) {
        if configuration.tracesMessages { trace.append("\(direction) \(MessageSummary.text(of: payload))") }
    }

    /// What was sent and received since the last time, a line for each message, without secrets and data.
    public mutating func takeTrace() -> [String] {
        defer { trace = [] }
        return trace
    }

    private mutating func flushQueue() {
        for payload in queue { write(payload) }
        queue = []
        queuedBytes = 0
    }
}
