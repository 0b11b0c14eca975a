import SSHWire
import Testing

@Suite("RFC 4254 §5.2: windows, packets and writes of every size") struct WindowTests {
    /// What the client lets come at first, how much in one message, and how much it adds when that is used up; the lines that come.
    static let sizes: [(window: UInt32, packet: UInt32, more: UInt32, lines: Int)] = [
        (0, 1, 1, 20), (1, 1, 1, 20), (1, 32_768, 3, 20), (7, 5, 7, 50), (100, 999, 1, 50), (32_768, 32_768, 32_768, 50_000),
        (100_000, 32_767, 50_000, 50_000), (2 << 20, .max, 1 << 20, 500_000), (.max, 1, 0, 50), (.max, .max, 0, 500_000),
    ]

    @Test func `output keeps to them, and comes whole`() throws {
        try Gateway.serving { gateway in
            for size in Self.sizes { try receive(gateway, window: size.window, packet: size.packet, more: size.more, lines: size.lines) }
        }
    }

    private func receive(_ gateway: Gateway, window: UInt32, packet: UInt32, more: UInt32, lines: Int) throws {
        var peer = try SocketPeer.at(.authenticated, gateway)
        peer.say(ChannelOpen(type: "session", senderChannel: 7, initialWindow: window, maximumPacket: packet))
        peer.say(exec("seq \(lines)"))
        var left = Int(window)
        var output: [UInt8] = []
        while !peer.host.isOver, !peer.receivedNumbers.contains(MessageNumber.channelClose.rawValue) {
            for message in try peer.take(ChannelData.self) {
                #expect(message.data.count <= packet && message.data.count <= left)
                left -= message.data.count
                output += message.data
            }
            if left == 0 {
                peer.say(ChannelWindowAdjust(recipientChannel: 0, bytesToAdd: more))
                left += Int(more)
            }
            peer.listen { !Set($0.receivedNumbers).isDisjoint(with: [MessageNumber.channelData.rawValue, MessageNumber.channelClose.rawValue]) }
        }
        output += try peer.take(ChannelData.self).flatMap(\.data)
        let isWhole = String(decoding: output, as: UTF8.self) == (1...lines).map { "\($0)\n" }.joined()
        #expect(isWhole, "a window of \(window) and \(more), packets of \(packet): \(output.count) bytes")
        #expect(try statuses(&peer) == [0])
    }

    /// The lengths of the data messages that a client writes.
    static let writes: [[Int]] = [
        [], [0], [0, 0, 1, 0], Array(repeating: 1, count: 2000), [32_768], [1, 32_768, 0, 32_767, 2], Array(repeating: 32_768, count: 200),
    ]

    @Test func `input comes whole, however it is written`() throws {
        try Gateway.serving { gateway in
            for lengths in Self.writes { try send(gateway, lengths) }
        }
    }

    private func send(_ gateway: Gateway, _ lengths: [Int]) throws {
        var peer = try SocketPeer.at(.channel, gateway)
        peer.say(exec("wc -c"))
        // What the gateway takes at first; it adds to that.
        var room = 2 << 20
        for length in lengths {
            while room < length, !peer.host.isOver {
                peer.listen(for: .channelWindowAdjust)
                room += try peer.take(ChannelWindowAdjust.self).reduce(0) { $0 + Int($1.bytesToAdd) }
            }
            peer.say(ChannelData(recipientChannel: 0, data: [UInt8](repeating: 0x61, count: length)))
            room -= length
        }
        peer.say(ChannelEOF(recipientChannel: 0))
        peer.listen(for: .channelClose)
        #expect(String(decoding: try peer.take(ChannelData.self).flatMap(\.data), as: UTF8.self) == "\(lengths.reduce(0, +))\n")
        #expect(try statuses(&peer) == [0])
    }

    private func exec(_ script: String) -> ChannelRequest {
        ChannelRequest(recipientChannel: 0, wantReply: true, kind: .exec(command: Array(Gateway.line(script).utf8)))
    }

    private func statuses(_ peer: inout SocketPeer) throws -> [UInt32] {
        try peer.take(ChannelRequest.self).compactMap { if case .exitStatus(let status) = $0.kind { status } else { nil } }
    }
}
