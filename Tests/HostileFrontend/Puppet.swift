import Linux
import MonitorProtocol
import SSHWire

/// Does to the monitor what it is told over the connection, and tells what came back.
///
/// An order is a byte, then a `string` (RFC 4251 §5); so is a report.
struct Puppet {
    private enum Order: UInt8 {
        /// Sends the string as a message, waiting for room.
        case send = 1
        /// The same, with both descriptors that it has attached.
        case sendWithDescriptors
        case sendEmpty
        /// Reports the next message of the monitor.
        case receive
        /// Reads the last command's standard output to its end, and reports it.
        case readOutput
        /// Leaves the channel to the monitor, and stays.
        case closeChannel
        /// Makes a call that the confinement does not allow.
        case breakOut
        case exit
        /// Sends the string again and again, until it is ended.
        case flood
    }

    private enum Report: UInt8 {
        /// A message: the number of descriptors that came with it as a byte, and its bytes.
        case message = 1
        /// The monitor has closed the channel.
        case ended
        case output
    }

    /// No order is longer than this, in bytes.
    private static let longestOrder = 1 << 20

    private let connection: Descriptor
    /// All that it was started with is the channel. Nil once closed.
    private var channel: [Descriptor]? = (0...2).map { Descriptor(owning: $0) }
    /// The monitor's first message, with which the connection came, until it is asked for.
    private var first: Datagram?
    private var streams: [Descriptor] = []
    private var unread: [UInt8] = []
    private var poll = PollSet()

    enum Failure: Error { case noConnection }

    /// Waits for the connection.
    init() throws {
        let channel = Descriptor.standardInput
        var poll = PollSet()
        poll.add(channel, .readable, token: 0)
        while first == nil {
            _ = try poll.wait(timeout: nil)
            first = try channel.receive(limit: MonitorMessage.longest, maxDescriptors: 1)
        }
        guard let connection = first?.descriptors.first else { throw Failure.noConnection }
        self.connection = connection
    }

    /// Follows orders until there are no more.
    mutating func run() throws {
        while let (order, bytes) = try nextOrder() {
            switch order {
            case .send: try send(bytes)
            case .sendWithDescriptors: try send(bytes, descriptors: [connection] + (channel?.prefix(1) ?? []))
            case .sendEmpty: _ = try channel?[0].write([0], 0..<0)
            case .receive: try receive()
            case .readOutput: try readOutput()
            case .closeChannel: channel = nil
            case .breakOut: _ = try Descriptor.socketPair()
            case .exit: return
            case .flood: while channel != nil { try send(bytes) }
            }
        }
    }

    private mutating func nextOrder() throws -> (Order, [UInt8])? {
        guard let head = try take(5) else { return nil }
        guard let order = Order(rawValue: head[0]) else { throw WireError.unknownMessage(head[0]) }
        var reader = WireReader(head, in: 1..<5)
        let length = Int(try reader.uint32())
        guard length <= Self.longestOrder else { throw WireError.tooLong(length: length, limit: Self.longestOrder) }
        guard let bytes = try take(length) else { return nil }
        return (order, bytes)
    }

    /// The next bytes of the connection; nil at its end.
    private mutating func take(_ count: Int) throws -> [UInt8]? {
        while unread.count < count {
            try wait(connection, .readable)
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            guard let more = try connection.read(into: &buffer, buffer.indices) else { continue }
            if more == 0 { return nil }
            unread += buffer[..<more]
        }
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
    }

    private mutating func send(_ bytes: [UInt8], descriptors: [Descriptor] = []) throws {
        guard let channel else { return }
        while try !channel[0].send(bytes, descriptors: descriptors) { try wait(channel[0], .writable) }
    }

    private mutating func receive() throws {
        guard let channel else { return }
        if let datagram = first.take() { return try report(.message, [UInt8(datagram.descriptors.count)] + datagram.bytes) }
        while true {
            guard let datagram = try channel[0].receive(limit: MonitorMessage.longest, maxDescriptors: MonitorMessage.descriptorsOfStarted)
            else {
                try wait(channel[0], .readable)
                continue
            }
            if datagram.isEnd { return try report(.ended, []) }
            if !datagram.descriptors.isEmpty { streams = datagram.descriptors }
            return try report(.message, [UInt8(datagram.descriptors.count)] + datagram.bytes)
        }
    }

    private mutating func readOutput() throws {
        guard streams.count == MonitorMessage.descriptorsOfStarted else { return try report(.output, []) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            try wait(streams[1], .readable)
            guard let count = try streams[1].read(into: &buffer, buffer.indices) else { continue }
            if count == 0 { break }
            output += buffer[..<count]
        }
        streams = []
        try report(.output, output)
    }

    private mutating func report(_ report: Report, _ bytes: [UInt8]) throws {
        var writer = WireWriter()
        writer.byte(report.rawValue)
        writer.string(bytes)
        var rest = writer.bytes[...]
        while !rest.isEmpty {
            guard let count = try connection.write(Array(rest), 0..<rest.count) else {
                try wait(connection, .writable)
                continue
            }
            rest = rest.dropFirst(count)
        }
    }

    private mutating func wait(_ descriptor: Descriptor, _ events: PollSet.Events) throws {
        poll.removeAll()
        poll.add(descriptor, events, token: 0)
        _ = try poll.wait(timeout: nil)
    }
}
