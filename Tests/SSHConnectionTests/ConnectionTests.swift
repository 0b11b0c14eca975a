import SSHWire
import Testing

@testable import SSHConnection
@testable import SSHUserAuth

/// What the two tables of this module start from.
enum Stage: CaseIterable, Sendable {
    case nothing, opening, offered, open, afterEOF, afterOurClose
}

extension Connection {
    static func fresh(takesOffers: Bool = true, mostChannels: Int = 16) -> Connection {
        Connection(for: AuthenticatedUser(name: "alice"), mostChannels: mostChannels, takesOffers: takesOffers)
    }

    mutating func receive(_ message: some WireMessage) throws(ConnectionError) -> [Output] {
        let payload = message.payload
        return try receive(MessageNumber(rawValue: payload[0]), payload: payload)
    }

    /// A channel 0 of ours at `stage`; the peer's number is 7.
    static func at(_ stage: Stage) throws -> Connection {
        var connection = fresh()
        let id = ChannelID(number: 0)
        switch stage {
        case .nothing: break
        case .opening: _ = connection.open()
        case .offered, .open, .afterEOF, .afterOurClose:
            _ = try connection.receive(ChannelOpen(type: "session", senderChannel: 7, initialWindow: 100, maximumPacket: 50))
            if stage == .offered { break }
            _ = connection.accept(id)
            if stage == .afterEOF { _ = try connection.receive(ChannelEOF(recipientChannel: 0)) }
            if stage == .afterOurClose { _ = connection.close(id) }
        }
        return connection
    }
}

let channel = ChannelID(number: 0)

@Suite("RFC 4254 §5: channels") struct ConnectionTests {
    /// One message of every kind for channel 0.
    static let messages: [[UInt8]] = [
        ChannelOpenConfirmation(recipientChannel: 0, senderChannel: 7, initialWindow: 1, maximumPacket: 1).payload,
        ChannelOpenFailure(recipientChannel: 0, reason: .resourceShortage, description: "").payload,
        ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: 1).payload,
        ChannelData(recipientChannel: 0, data: [1]).payload,
        ChannelExtendedData(recipientChannel: 0, type: 1, data: [1]).payload,
        ChannelEOF(recipientChannel: 0).payload,
        ChannelClose(recipientChannel: 0).payload,
        ChannelRequest(recipientChannel: 0, wantReply: true, kind: .shell).payload,
        ChannelSuccess(recipientChannel: 0).payload,
        ChannelFailure(recipientChannel: 0).payload,
    ]

    /// What each stage takes; everything else in the table above is refused.
    static let taken: [Stage: [UInt8]] = [
        .nothing: [], .opening: [91, 92], .offered: [], .open: [93, 94, 95, 96, 97, 98], .afterEOF: [93, 97, 98],
        .afterOurClose: [93, 94, 95, 96, 97, 98],
    ]
    static let names: [Stage: String] = [
        .opening: "a channel that is being opened", .offered: "a channel that is not yet accepted", .open: "an open channel",
        .afterEOF: "a channel after EOF", .afterOurClose: "an open channel",
    ]

    @Test(arguments: Stage.allCases) func `refuses what a channel's state does not allow`(stage: Stage) throws {
        for payload in Self.messages {
            var connection = try Connection.at(stage)
            let number = MessageNumber(rawValue: payload[0])
            if Self.taken[stage]?.contains(payload[0]) == true {
                _ = try connection.receive(number, payload: payload)
                continue
            }
            let isAnswer = number == .channelSuccess || number == .channelFailure
            let expected: ConnectionError =
                if let name = Self.names[stage] {
                    isAnswer && stage != .opening && stage != .offered ? .answerWithoutRequest(number) : .unexpected(number, during: name)
                } else {
                    .unknownChannel(0)
                }
            #expect(throws: expected) { try connection.receive(number, payload: payload) }
        }
    }

    @Test func `refuses messages for channels that are not there`() throws {
        for payload in Self.messages {
            var connection = try Connection.at(.open)
            var other = payload
            other.replaceSubrange(1..<5, with: [0xff, 0xff, 0xff, 0xff])
            #expect(throws: ConnectionError.unknownChannel(.max)) {
                try connection.receive(MessageNumber(rawValue: other[0]), payload: other)
            }
        }
    }

    @Test func `refuses what is cut`() throws {
        for payload in Self.messages + [ChannelOpen(type: "session", senderChannel: 0, initialWindow: 0, maximumPacket: 0).payload] {
            for count in 1..<payload.count {
                var connection = try Connection.at(.open)
                let error = #expect(throws: ConnectionError.self) {
                    try connection.receive(MessageNumber(rawValue: payload[0]), payload: Array(payload.prefix(count)))
                }
                guard case .wire(.truncated) = error else {
                    Issue.record("message \(payload[0]) cut at \(count): \(String(describing: error))")
                    continue
                }
            }
        }
    }

    @Test func `leaves messages that nobody knows to the transport`() throws {
        var connection = try Connection.at(.open)
        for number in [83...89, 101...127].joined() {
            #expect(try connection.receive(MessageNumber(rawValue: UInt8(number)), payload: [UInt8(number)]) == [.unknownMessage])
        }
    }

    // MARK: - Opening

    @Test func `opens by our offer and by theirs`() throws {
        var connection = Connection.fresh()
        let opened = connection.open()
        #expect(opened?.id == channel)
        let confirmation = ChannelOpenConfirmation(recipientChannel: 0, senderChannel: 3, initialWindow: 10, maximumPacket: 5)
        #expect(try connection.receive(confirmation) == [.event(.opened(channel))])
        #expect(connection.room(channel) == 5)
        let offer = ChannelOpen(type: "session", senderChannel: 9, initialWindow: 1, maximumPacket: 100)
        let second = ChannelID(number: 1)
        #expect(try connection.receive(offer) == [.event(.offered(second, type: "session"))])
        #expect(connection.room(second) == 0)
        let accepted = connection.accept(second)
        #expect(
            accepted
                == .send(ChannelOpenConfirmation(recipientChannel: 9, senderChannel: 1, initialWindow: 2 << 20, maximumPacket: 32_768).payload))
        #expect(connection.room(second) == 1)
        #expect(connection.openChannels == [channel, second])
    }

    static let failures: [(ChannelOpen, takesOffers: Bool, ChannelOpenFailure.Reason)] = [
        (ChannelOpen(type: "direct-tcpip", senderChannel: 4, initialWindow: 1, maximumPacket: 1), true, .unknownChannelType),
        (ChannelOpen(type: "x11", senderChannel: 4, initialWindow: 1, maximumPacket: 1), true, .unknownChannelType),
        (ChannelOpen(type: "session", senderChannel: 4, initialWindow: 1, maximumPacket: 1), false, .administrativelyProhibited),
        (ChannelOpen(type: "session", senderChannel: 4, initialWindow: 1, maximumPacket: 0), true, .resourceShortage),
    ]

    @Test(arguments: failures) func `fails offers it does not want`(open: ChannelOpen, takesOffers: Bool, reason: ChannelOpenFailure.Reason) throws {
        var connection = Connection.fresh(takesOffers: takesOffers)
        let outputs = try connection.receive(open)
        guard outputs.count == 1, case .send(let payload) = outputs[0] else {
            Issue.record("\(outputs)")
            return
        }
        let failure = try ChannelOpenFailure(payload: payload)
        #expect(failure.recipientChannel == 4 && failure.reason == reason)
        #expect(connection.openChannels.isEmpty)
    }

    @Test func `fails the offer beyond the most channels, and every one after no-more-sessions`() throws {
        var connection = Connection.fresh(mostChannels: 2)
        let offer = ChannelOpen(type: "session", senderChannel: 1, initialWindow: 1, maximumPacket: 1)
        for _ in 0..<2 { _ = try connection.receive(offer) }
        let failed = try connection.receive(offer)
        #expect(failed == [.send(ChannelOpenFailure(recipientChannel: 1, reason: .resourceShortage, description: "too many channels").payload)])
        let tooMany = connection.open()
        #expect(tooMany == nil)
        _ = connection.refuse(channel, reason: .administrativelyProhibited, description: "no")
        _ = try connection.receive(GlobalRequest(name: "no-more-sessions@openssh.com", wantReply: false))
        guard case .send(let payload) = try connection.receive(offer).first else { throw ConnectionError.windowOverflow }
        #expect(try ChannelOpenFailure(payload: payload).reason == .administrativelyProhibited)
    }

    @Test func `a failed offer of ours frees its number`() throws {
        var connection = try Connection.at(.opening)
        let failure = ChannelOpenFailure(recipientChannel: 0, reason: .administrativelyProhibited, description: "no")
        #expect(try connection.receive(failure) == [.event(.openFailed(channel, .administrativelyProhibited, description: "no"))])
        let opened = connection.open()
        #expect(opened?.id == channel)
    }

    // MARK: - Windows

    @Test func `takes data up to the window and not beyond`() throws {
        var connection = try Connection.at(.open)
        let packet = ChannelData(recipientChannel: 0, data: [UInt8](repeating: 1, count: 32_768))
        for _ in 0..<64 { _ = try connection.receive(packet) }
        #expect(try connection.receive(ChannelData(recipientChannel: 0, data: [])) == [.event(.data(channel, .standard, []))])
        #expect(throws: ConnectionError.windowExceeded(data: 1, window: 0)) { try connection.receive(ChannelData(recipientChannel: 0, data: [1])) }
        #expect(throws: ConnectionError.windowExceeded(data: 1, window: 0)) {
            try connection.receive(ChannelExtendedData(recipientChannel: 0, type: 1, data: [1]))
        }
    }

    @Test func `opens the window again when a quarter of it is used up`() throws {
        var connection = try Connection.at(.open)
        let packet = ChannelData(recipientChannel: 0, data: [UInt8](repeating: 1, count: 32_768))
        for _ in 0..<64 { _ = try connection.receive(packet) }
        let early = connection.didConsume(channel, 512 * 1024 - 1)
        #expect(early == nil)
        let adjust = connection.didConsume(channel, 1)
        #expect(adjust == .send(ChannelWindowAdjust(recipientChannel: 7, bytesToAdd: 512 * 1024).payload))
        for _ in 0..<16 { _ = try connection.receive(packet) }
        #expect(throws: ConnectionError.windowExceeded(data: 1, window: 0)) { try connection.receive(ChannelData(recipientChannel: 0, data: [1])) }
    }

    @Test func `refuses data longer than the packet size it named`() throws {
        var connection = try Connection.at(.open)
        #expect(throws: ConnectionError.packetTooLarge(data: 32_769, limit: 32_768)) {
            try connection.receive(ChannelData(recipientChannel: 0, data: [UInt8](repeating: 1, count: 32_769)))
        }
    }

    @Test func `sends as far as their window and packet size go`() throws {
        var connection = try Connection.at(.open)
        for room in [50, 50, 0] {
            #expect(connection.room(channel) == room)
            connection.didSend(channel, room)
        }
        #expect(try connection.receive(ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: 3)) == [.event(.windowOpened(channel))])
        #expect(connection.room(channel) == 3)
    }

    @Test func `refuses a window above 2^32 − 1`() throws {
        var connection = try Connection.at(.open)
        _ = try connection.receive(ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: .max - 100))
        #expect(throws: ConnectionError.windowOverflow) { try connection.receive(ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: 1)) }
        #expect(connection.room(channel) == 50)
    }

    // MARK: - The end of a channel

    @Test func `half closes both ways, in either order`() throws {
        for theyEndFirst in [true, false] {
            var connection = try Connection.at(.open)
            if theyEndFirst { #expect(try connection.receive(ChannelEOF(recipientChannel: 0)) == [.event(.ended(channel))]) }
            let end = connection.end(channel)
            #expect(end == .send(ChannelEOF(recipientChannel: 7).payload))
            #expect(connection.room(channel) == 0)
            let again = connection.end(channel)
            #expect(again == nil)
            if !theyEndFirst { #expect(try connection.receive(ChannelEOF(recipientChannel: 0)) == [.event(.ended(channel))]) }
            let close = connection.close(channel)
            #expect(close == .send(ChannelClose(recipientChannel: 7).payload))
            #expect(try connection.receive(ChannelClose(recipientChannel: 0)) == [.event(.closed(channel))])
        }
    }

    @Test func `answers a CLOSE with a CLOSE, once`() throws {
        var connection = try Connection.at(.open)
        #expect(
            try connection.receive(ChannelClose(recipientChannel: 0)) == [
                .send(ChannelClose(recipientChannel: 7).payload), .event(.closed(channel)),
            ])
        #expect(connection.openChannels.isEmpty)
        #expect(throws: ConnectionError.unknownChannel(0)) { try connection.receive(ChannelClose(recipientChannel: 0)) }
    }

    @Test func `after our CLOSE nothing of the channel comes out but its end`() throws {
        var connection = try Connection.at(.afterOurClose)
        #expect(try connection.receive(ChannelData(recipientChannel: 0, data: [1])) == [])
        #expect(try connection.receive(ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: 1)) == [])
        #expect(try connection.receive(ChannelRequest(recipientChannel: 0, wantReply: true, kind: .shell)) == [])
        #expect(try connection.receive(ChannelEOF(recipientChannel: 0)) == [])
        #expect(try connection.receive(ChannelClose(recipientChannel: 0)) == [.event(.closed(channel))])
    }

    @Test func `the host may be late: what it does to a channel that has gone is nothing`() throws {
        var connection = try Connection.at(.open)
        _ = try connection.receive(ChannelRequest(recipientChannel: 0, wantReply: true, kind: .shell))
        _ = try connection.receive(ChannelData(recipientChannel: 0, data: [1, 2, 3]))
        _ = try connection.receive(ChannelClose(recipientChannel: 0))
        let outputs = [connection.didConsume(channel, 3), connection.end(channel), connection.close(channel)]
        #expect(outputs == [nil, nil, nil])
        let request = connection.request(channel, .exitStatus(0), wantReply: false)
        #expect(request == nil)
        let answer = connection.answer(channel, true)
        #expect(answer == [])
        #expect(connection.room(channel) == 0)
    }

    @Test func `a number is used again only when both have closed`() throws {
        var connection = try Connection.at(.open)
        let offer = ChannelOpen(type: "session", senderChannel: 8, initialWindow: 1, maximumPacket: 1)
        _ = connection.close(channel)
        #expect(try connection.receive(offer) == [.event(.offered(ChannelID(number: 1), type: "session"))])
        _ = try connection.receive(ChannelClose(recipientChannel: 0))
        #expect(try connection.receive(offer) == [.event(.offered(channel, type: "session"))])
        _ = connection.accept(channel)
        _ = try connection.receive(ChannelRequest(recipientChannel: 0, wantReply: true, kind: .shell))
        let answer = connection.answer(channel, true)
        #expect(answer == [.send(ChannelSuccess(recipientChannel: 8).payload)])
    }

    // MARK: - Requests

    @Test func `requests wait for the answer to the one before`() throws {
        var connection = try Connection.at(.open)
        let environment = ChannelRequest(recipientChannel: 0, wantReply: false, kind: .environment(name: "A", value: []))
        #expect(try connection.receive(environment) == [.event(.requested(channel, environment.kind))])
        #expect(try connection.receive(ChannelRequest(recipientChannel: 0, wantReply: true, kind: .shell)) == [])
        #expect(try connection.receive(ChannelRequest(recipientChannel: 0, wantReply: true, kind: .signal(name: "INT"))) == [])
        var answer = connection.answer(channel, false)
        #expect(answer == [.event(.requested(channel, .shell))])
        answer = connection.answer(channel, true)
        #expect(answer == [.send(ChannelSuccess(recipientChannel: 7).payload), .event(.requested(channel, .signal(name: "INT")))])
        answer = connection.answer(channel, false)
        #expect(answer == [.send(ChannelFailure(recipientChannel: 7).payload)])
        answer = connection.answer(channel, false)
        #expect(answer == [])
    }

    @Test func `refuses more than 64 waiting requests`() throws {
        var connection = try Connection.at(.open)
        let request = ChannelRequest(recipientChannel: 0, wantReply: false, kind: .environment(name: "A", value: [1]))
        for _ in 0..<64 { _ = try connection.receive(request) }
        #expect(throws: ConnectionError.tooManyRequests(limit: 64)) { try connection.receive(request) }
    }

    @Test func `refuses waiting requests of more than 256 KiB`() throws {
        var connection = try Connection.at(.open)
        let request = ChannelRequest(recipientChannel: 0, wantReply: false, kind: .other(name: "x", details: [UInt8](repeating: 1, count: 32_768)))
        for _ in 0..<7 { _ = try connection.receive(request) }
        #expect(throws: ConnectionError.requestsTooLong(limit: 256 * 1024)) { try connection.receive(request) }
        // What was answered counts no more.
        _ = connection.answer(channel, false)
        _ = try connection.receive(request)
    }

    @Test func `our requests are answered in order, and no answer comes unasked`() throws {
        var connection = try Connection.at(.open)
        _ = connection.request(channel, .exec(command: [1]), wantReply: true)
        _ = connection.request(channel, .shell, wantReply: false)
        #expect(try connection.receive(ChannelSuccess(recipientChannel: 0)) == [.event(.answered(channel, true))])
        #expect(throws: ConnectionError.answerWithoutRequest(.channelFailure)) { try connection.receive(ChannelFailure(recipientChannel: 0)) }
    }

    @Test func `global answers need a global request`() throws {
        var connection = Connection.fresh()
        #expect(throws: ConnectionError.answerWithoutRequest(.requestSuccess)) { try connection.receive(RequestSuccess()) }
        #expect(throws: ConnectionError.answerWithoutRequest(.requestFailure)) { try connection.receive(RequestFailure()) }
        _ = connection.requestGlobal(name: "a", wantReply: false)
        #expect(throws: ConnectionError.answerWithoutRequest(.requestFailure)) { try connection.receive(RequestFailure()) }
        _ = connection.requestGlobal(name: "a", wantReply: true)
        #expect(try connection.receive(RequestSuccess(details: [1])) == [.event(.globalAnswered(details: [1]))])
        _ = connection.requestGlobal(name: "a", wantReply: true)
        #expect(try connection.receive(RequestFailure()) == [.event(.globalAnswered(details: nil))])
    }

    @Test func `global requests reach the host`() throws {
        var connection = Connection.fresh()
        let request = GlobalRequest(name: "keepalive@openssh.com", wantReply: true, details: [1])
        #expect(try connection.receive(request) == [.event(.globalRequest(name: request.name, wantReply: true, details: [1]))])
        #expect(connection.answerGlobal(nil) == .send(RequestFailure().payload))
        #expect(connection.answerGlobal([2]) == .send(RequestSuccess(details: [2]).payload))
    }
}
