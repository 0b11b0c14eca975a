import Files
import Linux

/// Reads what the client sends, gives it to a service, and sends the answers, one after the other.
struct ServiceLoop<Service: FileService> {
    private var service: Service
    private var buffer = [UInt8](repeating: 0, count: 2 * ServiceLimit.packet)
    /// What of the buffer was read and not taken yet.
    private var filled = 0..<0
    private var hasEnded = false
    private var poll = PollSet()

    init(service: Service) { self.service = service }

    /// - Returns: the exit status.
    mutating func run() -> Int32 {
        do throws(Errno) {
            while true {
                try send()
                if let status = service.status { return Int32(status) }
                if try take() { continue }
                if hasEnded { return Int32(service.end()) }
                if service.canWorkAhead, try isQuiet() { service.workAhead() }
                try fill()
            }
        } catch {
            // The client has gone.
            return Int32(service.end()) | 1
        }
    }

    /// - Returns: false when nothing was taken: more is needed.
    private mutating func take() throws(Errno) -> Bool {
        do throws(ServiceError) {
            let count = try service.receive(buffer, filled)
            filled = filled.lowerBound + count..<filled.upperBound
            return count > 0
        } catch {
            say(error.reason)
            try send()
            exitNow(Int32(service.end()) | 1)
        }
    }

    private mutating func send() throws(Errno) {
        for note in service.takeNotes() { say(note) }
        while !service.output.isEmpty {
            try Descriptor.standardOutput.writeAll(service.output)
            service.didSendOutput()
            service.advance()
        }
    }

    /// Whether nothing has come that was not read yet.
    private mutating func isQuiet() throws(Errno) -> Bool {
        poll.removeAll()
        poll.add(.standardInput, .readable, token: 0)
        return try poll.wait(timeout: .zero).isEmpty
    }

    private mutating func fill() throws(Errno) {
        if filled.isEmpty {
            filled = 0..<0
        } else if buffer.count - filled.upperBound < ServiceLimit.packet / 2 {
            let rest = Array(buffer[filled])
            buffer.replaceSubrange(0..<rest.count, with: rest)
            filled = 0..<rest.count
        }
        precondition(filled.upperBound < buffer.count, "a service waits for more than the largest packet")
        guard let count = try Descriptor.standardInput.read(into: &buffer, filled.upperBound..<buffer.count) else { throw .wouldBlock }
        filled = filled.lowerBound..<filled.upperBound + count
        hasEnded = count == 0
    }
}
