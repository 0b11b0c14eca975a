public import SSHUserAuth
public import SSHWire

/// The connection layer (RFC 4254): channels over one transport, in either role.
///
/// Messages in, outputs out. The host answers what it is asked: an opened channel, a request that wants a reply.
public struct Connection: Sendable {
    public enum Event: Equatable, Sendable {
        /// The peer wants a channel; answer with ``accept(_:)`` or ``refuse(_:reason:description:)``.
        case offered(ChannelID, type: String)
        /// The channel that we opened is open.
        case opened(ChannelID)
        case openFailed(ChannelID, ChannelOpenFailure.Reason, description: String)
        /// Answer with ``answer(_:_:)``; the channel's next request waits for it.
        case requested(ChannelID, ChannelRequest.Kind)
        /// The answer to our oldest request that wanted one.
        case answered(ChannelID, Bool)
        /// Take note of what was used with ``didConsume(_:_:)``.
        case data(ChannelID, DataType, ArraySlice<UInt8>)
        /// The peer sends no more data.
        case ended(ChannelID)
        /// Both ends have closed the channel; its number is free again.
        case closed(ChannelID)
        /// More may be sent.
        case windowOpened(ChannelID)
        /// Answer with ``answerGlobal(_:)`` if a reply is wanted; in order.
        case globalRequest(name: String, wantReply: Bool, details: [UInt8])
        case globalAnswered(details: [UInt8]?)
    }

    public enum Output: Equatable, Sendable {
        case send([UInt8])
        case event(Event)
        /// The message is none that we know: the transport answers UNIMPLEMENTED.
        case unknownMessage
    }

    /// What the peer may send on a channel before we take it, in bytes.
    public static let windowBytes = 2 << 20
    /// The largest data in one message, both ways, in bytes.
    public static let packetBytes = 32 * 1024
    /// The peer is told of taken bytes when they are this many.
    private static let adjustAfter = UInt32(windowBytes / 4)
    /// What a channel may ask for before the first of it is answered: variables, then a command, each in one packet.
    private static let mostWaitingRequests = 64
    private static let mostWaitingBytes = 256 * 1024

    /// Who is at the other end; on the client's side, who we are.
    public let userName: String
    private let mostChannels: Int
    private let offersAllowed: Bool
    var channels: [ChannelID: Channel] = [:]
    private var noMoreSessions = false
    private var unansweredGlobals = 0

    /// - Parameters:
    ///   - user: the proof that authentication is over.
    ///   - mostChannels: at once; 1 to 64.
    ///   - takesOffers: whether the peer may open channels.
    public init(for user: consuming AuthenticatedUser, mostChannels: Int = 16, takesOffers: Bool) {
        userName = user.name
        self.mostChannels = mostChannels
        offersAllowed = takesOffers
    }

    // MARK: - In

    public mutating func receive(_ number: MessageNumber, payload: [UInt8]) throws(ConnectionError) -> [Output] {
        switch number {
        case .globalRequest: receive(try parse(GlobalRequest.self, payload))
        case .requestSuccess: try receiveGlobalAnswer(number, details: try parse(RequestSuccess.self, payload).details)
        case .requestFailure: try receiveGlobalAnswer(number, details: try parse(RequestFailure.self, payload).noDetails)
        case .channelOpen: receive(try parse(ChannelOpen.self, payload))
        case .channelOpenConfirmation: try receive(try parse(ChannelOpenConfirmation.self, payload))
        case .channelOpenFailure: try receive(try parse(ChannelOpenFailure.self, payload))
        case .channelWindowAdjust: try receive(try parse(ChannelWindowAdjust.self, payload))
        case .channelData, .channelExtendedData: try receiveData(number, payload)
        case .channelEOF: try receive(try parse(ChannelEOF.self, payload))
        case .channelClose: try receive(try parse(ChannelClose.self, payload))
        case .channelRequest: try receive(try parse(ChannelRequest.self, payload), bytes: payload.count)
        case .channelSuccess: try receiveAnswer(number, try parse(ChannelSuccess.self, payload).recipientChannel, true)
        case .channelFailure: try receiveAnswer(number, try parse(ChannelFailure.self, payload).recipientChannel, false)
        default: [.unknownMessage]
        }
    }

    private mutating func receive(_ request: GlobalRequest) -> [Output] {
        // OpenSSH PROTOCOL §2.2: from now on a client opens no more sessions.
        if request.name == "no-more-sessions@openssh.com" { noMoreSessions = true }
        return [.event(.globalRequest(name: request.name, wantReply: request.wantReply, details: request.details))]
    }

    private mutating func receiveGlobalAnswer(_ number: MessageNumber, details: [UInt8]?) throws(ConnectionError) -> [Output] {
        guard unansweredGlobals > 0 else { throw .answerWithoutRequest(number) }
        unansweredGlobals -= 1
        return [.event(.globalAnswered(details: details))]
    }

    private mutating func receive(_ open: ChannelOpen) -> [Output] {
        func failure(_ reason: ChannelOpenFailure.Reason, _ text: String) -> [Output] {
            [.send(ChannelOpenFailure(recipientChannel: open.senderChannel, reason: reason, description: text).payload)]
        }
        guard open.type == "session" else { return failure(.unknownChannelType, "only session channels are served") }
        guard offersAllowed, !noMoreSessions else { return failure(.administrativelyProhibited, "no sessions may be opened") }
        guard channels.count < mostChannels, open.maximumPacket > 0 else { return failure(.resourceShortage, "too many channels") }
        let id = freeID
        channels[id] = Channel(
            phase: .offered, peerNumber: open.senderChannel, peerWindow: open.initialWindow, peerPacket: open.maximumPacket)
        return [.event(.offered(id, type: open.type))]
    }

    private mutating func receive(_ confirmation: ChannelOpenConfirmation) throws(ConnectionError) -> [Output] {
        let id = ChannelID(number: confirmation.recipientChannel)
        return try update(id, .channelOpenConfirmation, in: [.opening]) { channel in
            channel.phase = .open
            channel.peerNumber = confirmation.senderChannel
            channel.peerWindow = confirmation.initialWindow
            channel.peerPacket = confirmation.maximumPacket
            return [.event(.opened(id))]
        }
    }

    private mutating func receive(_ failure: ChannelOpenFailure) throws(ConnectionError) -> [Output] {
        let id = ChannelID(number: failure.recipientChannel)
        _ = try update(id, .channelOpenFailure, in: [.opening]) { _ in [] }
        channels[id] = nil
        return [.event(.openFailed(id, failure.reason, description: failure.description))]
    }

    private mutating func receive(_ adjust: ChannelWindowAdjust) throws(ConnectionError) -> [Output] {
        let id = ChannelID(number: adjust.recipientChannel)
        return try update(id, .channelWindowAdjust) { channel throws(ConnectionError) in
            let (sum, overflows) = channel.peerWindow.addingReportingOverflow(adjust.bytesToAdd)
            guard !overflows else { throw .windowOverflow }
            channel.peerWindow = sum
            return channel.outgoing == .flowing ? [.event(.windowOpened(id))] : []
        }
    }

    private mutating func receiveData(_ number: MessageNumber, _ payload: [UInt8]) throws(ConnectionError) -> [Output] {
        let (id, type, range) = try parseData(number, payload)
        let count = range.count
        return try update(id, number) { channel throws(ConnectionError) in
            guard channel.incoming == .flowing else { throw .unexpected(number, during: channel.name) }
            guard count <= Self.packetBytes else { throw .packetTooLarge(data: count, limit: Self.packetBytes) }
            guard count <= channel.window else { throw .windowExceeded(data: count, window: Int(channel.window)) }
            channel.window -= UInt32(count)
            // After our CLOSE what was still on its way counts for nothing.
            return channel.outgoing == .closed ? [] : [.event(.data(id, type, payload[range]))]
        }
    }

    private mutating func receive(_ eof: ChannelEOF) throws(ConnectionError) -> [Output] {
        let id = ChannelID(number: eof.recipientChannel)
        return try update(id, .channelEOF) { channel throws(ConnectionError) in
            guard channel.incoming == .flowing else { throw .unexpected(.channelEOF, during: channel.name) }
            channel.incoming = .ended
            return channel.outgoing == .closed ? [] : [.event(.ended(id))]
        }
    }

    private mutating func receive(_ close: ChannelClose) throws(ConnectionError) -> [Output] {
        let id = ChannelID(number: close.recipientChannel)
        var outputs: [Output] = try update(id, .channelClose) { channel in
            // RFC 4254 §5.3: a CLOSE is answered with a CLOSE, once.
            channel.outgoing == .closed ? [] : [.send(ChannelClose(recipientChannel: channel.peerNumber).payload)]
        }
        channels[id] = nil
        outputs.append(.event(.closed(id)))
        return outputs
    }

    private mutating func receive(_ request: ChannelRequest, bytes: Int) throws(ConnectionError) -> [Output] {
        let id = ChannelID(number: request.recipientChannel)
        return try update(id, .channelRequest) { channel throws(ConnectionError) in
            guard channel.outgoing != .closed else { return [] }
            guard channel.requests.count < Self.mostWaitingRequests else { throw .tooManyRequests(limit: Self.mostWaitingRequests) }
            guard channel.requestBytes + bytes <= Self.mostWaitingBytes else { throw .requestsTooLong(limit: Self.mostWaitingBytes) }
            channel.requests.append(Channel.WaitingRequest(request: request, bytes: bytes))
            return channel.requests.count == 1 ? [.event(.requested(id, request.kind))] : []
        }
    }

    private mutating func receiveAnswer(_ number: MessageNumber, _ recipient: UInt32, _ isSuccess: Bool) throws(ConnectionError) -> [Output] {
        let id = ChannelID(number: recipient)
        return try update(id, number) { channel throws(ConnectionError) in
            guard channel.unanswered > 0 else { throw .answerWithoutRequest(number) }
            channel.unanswered -= 1
            return [.event(.answered(id, isSuccess))]
        }
    }

    /// Changes the channel `id`, which must be there in one of `phases`.
    private mutating func update(
        _ id: ChannelID, _ number: MessageNumber, in phases: [Channel.Phase] = [.open],
        _ change: (inout Channel) throws(ConnectionError) -> [Output]
    ) throws(ConnectionError) -> [Output] {
        guard var channel = channels[id] else { throw .unknownChannel(id.number) }
        guard phases.contains(channel.phase) else { throw .unexpected(number, during: channel.name) }
        let outputs = try change(&channel)
        channels[id] = channel
        return outputs
    }

    // MARK: - Out

    /// Opens a session channel; nil when there are too many.
    public mutating func open() -> (id: ChannelID, output: Output)? {
        guard channels.count < mostChannels else { return nil }
        let id = freeID
        channels[id] = Channel(phase: .opening, peerNumber: 0, peerWindow: 0, peerPacket: 0)
        let open = ChannelOpen(
            type: "session", senderChannel: id.number, initialWindow: UInt32(Self.windowBytes), maximumPacket: UInt32(Self.packetBytes))
        return (id, .send(open.payload))
    }

    /// Answers ``Event/offered(_:type:)`` with yes.
    public mutating func accept(_ id: ChannelID) -> Output {
        let channel = change(id, from: .offered) { $0.phase = .open }
        return .send(
            ChannelOpenConfirmation(
                recipientChannel: channel.peerNumber, senderChannel: id.number, initialWindow: channel.window,
                maximumPacket: UInt32(Self.packetBytes)
            ).payload)
    }

    /// Answers ``Event/offered(_:type:)`` with no.
    public mutating func refuse(_ id: ChannelID, reason: ChannelOpenFailure.Reason, description: String) -> Output {
        let channel = change(id, from: .offered) { _ in }
        channels[id] = nil
        return .send(ChannelOpenFailure(recipientChannel: channel.peerNumber, reason: reason, description: description).payload)
    }

    /// Answers ``Event/requested(_:_:)``; the next request that waits comes out with it. Nothing when the channel has gone.
    public mutating func answer(_ id: ChannelID, _ isSuccess: Bool) -> [Output] {
        guard let request = channels[id]?.requests.first?.request else { return [] }
        let channel = change(id, from: .open) { $0.requests.removeFirst() }
        var outputs: [Output] = []
        if request.wantReply, channel.outgoing != .closed {
            let payload =
                isSuccess ? ChannelSuccess(recipientChannel: channel.peerNumber).payload : ChannelFailure(recipientChannel: channel.peerNumber).payload
            outputs.append(.send(payload))
        }
        if let next = channel.requests.first, channel.outgoing != .closed { outputs.append(.event(.requested(id, next.request.kind))) }
        return outputs
    }

    /// Answers ``Event/globalRequest(name:wantReply:details:)`` when a reply is wanted; nil is no.
    public func answerGlobal(_ details: [UInt8]?) -> Output {
        .send(details.map { RequestSuccess(details: $0).payload } ?? RequestFailure().payload)
    }

    /// Makes a request of ours; nothing when the channel has gone or we have closed it.
    public mutating func request(_ id: ChannelID, _ kind: ChannelRequest.Kind, wantReply: Bool) -> Output? {
        guard let open = channels[id], open.phase == .open, open.outgoing != .closed else { return nil }
        let channel = change(id, from: .open) { if wantReply { $0.unanswered += 1 } }
        return .send(ChannelRequest(recipientChannel: channel.peerNumber, wantReply: wantReply, kind: kind).payload)
    }

    /// Makes a global request of ours; ``Event/globalAnswered(details:)`` follows when a reply is wanted.
    public mutating func requestGlobal(name: String, wantReply: Bool, details: [UInt8] = []) -> Output {
        if wantReply { unansweredGlobals += 1 }
        return .send(GlobalRequest(name: name, wantReply: wantReply, details: details).payload)
    }

    /// How many bytes of data may be sent now: 0 when the window is shut, or after EOF or CLOSE.
    public func room(_ id: ChannelID) -> Int {
        guard let channel = channels[id], channel.phase == .open, channel.outgoing == .flowing else { return 0 }
        return Int(min(channel.peerWindow, channel.peerPacket, UInt32(Self.packetBytes)))
    }

    /// The fields that stand before the data in the message that carries it.
    public func dataPrefix(_ id: ChannelID, _ type: DataType) -> [UInt8] {
        guard let channel = channels[id] else { preconditionFailure("\(id) is not open") }
        var writer = WireWriter(type == .standard ? .channelData : .channelExtendedData)
        writer.uint32(channel.peerNumber)
        if case .extended(let number) = type { writer.uint32(number) }
        return writer.bytes
    }

    /// Takes note that `count` bytes were sent, no more than ``room(_:)``.
    public mutating func didSend(_ id: ChannelID, _ count: Int) {
        precondition(count <= room(id), "more sent than the window allows")
        _ = change(id, from: .open) { $0.peerWindow -= UInt32(count) }
    }

    /// Takes note that the host has used `count` received bytes, and opens the window again when that is worth a message.
    public mutating func didConsume(_ id: ChannelID, _ count: Int) -> Output? {
        guard var channel = channels[id], channel.outgoing != .closed else { return nil }
        channel.consumed += UInt32(count)
        precondition(Int(channel.window) + Int(channel.consumed) <= Self.windowBytes, "more consumed than was received")
        guard channel.consumed >= Self.adjustAfter, channel.incoming == .flowing else {
            channels[id] = channel
            return nil
        }
        let adjust = ChannelWindowAdjust(recipientChannel: channel.peerNumber, bytesToAdd: channel.consumed)
        channel.window += channel.consumed
        channel.consumed = 0
        channels[id] = channel
        return .send(adjust.payload)
    }

    /// Ends our data (RFC 4254 §5.3); nothing when that was said already.
    public mutating func end(_ id: ChannelID) -> Output? {
        guard let channel = channels[id], channel.phase == .open, channel.outgoing == .flowing else { return nil }
        channels[id]?.outgoing = .ended
        return .send(ChannelEOF(recipientChannel: channel.peerNumber).payload)
    }

    /// Closes the channel (RFC 4254 §5.3); again is harmless. ``Event/closed(_:)`` follows when the peer has closed it too.
    public mutating func close(_ id: ChannelID) -> Output? {
        guard let channel = channels[id], channel.phase == .open, channel.outgoing != .closed else { return nil }
        channels[id]?.outgoing = .closed
        return .send(ChannelClose(recipientChannel: channel.peerNumber).payload)
    }

    public var openChannels: [ChannelID] { channels.keys.sorted() }

    // MARK: - Parts

    private var freeID: ChannelID {
        var number: UInt32 = 0
        while channels[ChannelID(number: number)] != nil { number += 1 }
        return ChannelID(number: number)
    }

    /// Changes a channel that our own host named.
    private mutating func change(_ id: ChannelID, from phase: Channel.Phase, _ body: (inout Channel) -> Void) -> Channel {
        guard var channel = channels[id], channel.phase == phase else { preconditionFailure("\(id) is not \(phase)") }
        body(&channel)
        channels[id] = channel
        return channel
    }

    private func parse<Message: WireMessage>(_ type: Message.Type, _ payload: [UInt8]) throws(ConnectionError) -> Message {
        do throws(WireError) {
            return try Message(payload: payload)
        } catch {
            throw .wire(error)
        }
    }

    /// The data messages are read without copying the data.
    private func parseData(_ number: MessageNumber, _ payload: [UInt8]) throws(ConnectionError) -> (ChannelID, DataType, Range<Int>) {
        do throws(WireError) {
            var reader = WireReader(payload, in: 1..<payload.count)
            let id = ChannelID(number: try reader.uint32())
            let type: DataType = number == .channelData ? .standard : .extended(try reader.uint32())
            let range = try reader.stringRange(limit: WireLimit.packet)
            try reader.finish()
            return (id, type, range)
        } catch {
            throw .wire(error)
        }
    }
}

extension RequestFailure {
    /// A failure has none (RFC 4254 §4).
    fileprivate var noDetails: [UInt8]? { nil }
}
