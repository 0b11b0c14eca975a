import Linux
import MonitorProtocol
import SSHConnection
import SSHWire

/// One session channel: from the variables it sends before anything runs, to the exit status.
struct Session {
    enum Phase: Equatable {
        /// Nothing was asked for yet.
        case fresh
        /// The monitor was asked.
        case starting
        case running
        /// Nothing runs, or nothing more; what is left is to tell.
        case over
    }

    var phase = Phase.fresh
    /// The number that the monitor knows what was started by.
    var request: UInt32?
    var environment: [FrontendMessage.Variable] = []
    /// What the client sent and the command has not yet taken; the channel's window bounds it.
    var input = ByteQueue()
    /// The client sends no more.
    var inputHasEnded = false
    var standardInput: Descriptor?
    /// The command reads no more, and its client has more to send and does not know that yet.
    private var isRefusalDue = false
    var standardOutput: Descriptor?
    var standardError: Descriptor?
    /// When the client is to hear that both have ended, where nothing else says so before.
    var outputEnd: Duration?
    /// It has heard that.
    var outputHasEnded = false
    /// Text of ours, sent after the streams have ended.
    var text = ArraySlice<UInt8>()
    var textType = DataType.standardError
    var ending: MonitorMessage.Ending?

    /// Something was started, and its end was not told yet.
    var isBusy: Bool { phase == .starting || phase == .running || ending != nil }

    /// All that the command wrote was sent.
    var streamsHaveEnded: Bool { standardOutput == nil && standardError == nil }

    /// Begins with the descriptors of a started command: its three streams, as the monitor sends them.
    mutating func begin(_ streams: [Descriptor]) throws(MonitorChannel.Failure) {
        guard streams.count == MonitorMessage.descriptorsOfStarted else { throw .wrongDescriptors }
        phase = .running
        standardInput = streams[0]
        standardOutput = streams[1]
        standardError = streams[2]
    }

    /// Takes data of the client for the command's standard input.
    ///
    /// - Returns: how many bytes are used up, so that the client may send more.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> Int {
        switch phase {
        case .over: return bytes.count
        case .fresh, .starting:
            input.append(bytes)
            return 0
        case .running:
            // What the pipe takes at once needs no queue.
            guard standardInput != nil else { return bytes.count }
            input.append(bytes)
            return feedInput()
        }
    }

    /// Writes what waits to the command's standard input.
    ///
    /// - Returns: how many bytes are used up, so that the client may send more.
    mutating func feedInput() -> Int {
        guard let descriptor = standardInput else { return phase == .fresh || phase == .starting ? 0 : input.discard() }
        var taken = 0
        do {
            while !input.isEmpty, let count = try descriptor.write(input.pending) {
                input.drop(count)
                taken += count
            }
            if inputHasEnded, input.isEmpty { standardInput = nil }
        } catch {
            taken += refuseInput()
        }
        return taken
    }

    /// The command reads no more: what comes for it is lost, as with a closed pipe.
    ///
    /// - Returns: how many bytes are used up.
    mutating func refuseInput() -> Int {
        standardInput = nil
        isRefusalDue = !inputHasEnded
        return input.discard()
    }

    /// Whether the client is to be told now that the command reads no more.
    mutating func takeRefusal() -> Bool {
        defer { isRefusalDue = false }
        return isRefusalDue
    }
}
