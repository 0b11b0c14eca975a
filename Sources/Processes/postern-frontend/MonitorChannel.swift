import Linux
import MonitorProtocol
import SSHWire

/// The frontend's end of the socketpair to the monitor.
struct MonitorChannel {
    let descriptor: Descriptor
    /// What came while there was no room to send.
    private var aside: [(MonitorMessage, [Descriptor])] = []

    enum Failure: Error {
        case closed
        case malformed(WireError)
        case wrongDescriptors
        case system(Errno)
        case damaged(DatagramError)
    }

    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    /// Whether something has come that is not to be waited for.
    var hasMessages: Bool { !aside.isEmpty }

    /// Sends a message, waiting for room: the monitor always reads. It never waits for us, so that what it says meanwhile is taken too.
    mutating func send(_ message: FrontendMessage) throws(Failure) {
        while try !sending({ () throws(Errno) in try descriptor.send(message.bytes) }) {
            var poll = PollSet()
            poll.add(descriptor, [.readable, .writable], token: 0)
            _ = try sending { () throws(Errno) in try poll.wait(timeout: nil) }
            while let message = try read() { aside.append(message) }
        }
    }

    private func sending<Value>(_ body: () throws(Errno) -> Value) throws(Failure) -> Value {
        do throws(Errno) { return try body() } catch { throw .system(error) }
    }

    /// The next message with its descriptors; nil when there is none now.
    mutating func receive() throws(Failure) -> (MonitorMessage, [Descriptor])? { aside.isEmpty ? try read() : aside.removeFirst() }

    private func read() throws(Failure) -> (MonitorMessage, [Descriptor])? {
        let datagram: Datagram?
        do throws(DatagramError) {
            datagram = try descriptor.receive(limit: MonitorMessage.longest, maxDescriptors: MonitorMessage.descriptorsOfStarted)
        } catch {
            throw .damaged(error)
        }
        guard let datagram else { return nil }
        if datagram.isEnd { throw .closed }
        do throws(WireError) {
            let message = try MonitorMessage(bytes: datagram.bytes)
            return (message, datagram.descriptors)
        } catch {
            throw .malformed(error)
        }
    }

    /// Waits for the first message, and the connection that comes with it.
    mutating func begin() throws(Failure) -> (MonitorMessage.Settings, Descriptor) {
        while true {
            if let (message, descriptors) = try receive() {
                guard case .begin(let settings) = message else { throw .malformed(.badValue("the first message")) }
                guard let connection = descriptors.first, descriptors.count == 1 else { throw .wrongDescriptors }
                return (settings, connection)
            }
            var poll = PollSet()
            poll.add(descriptor, .readable, token: 0)
            do { _ = try poll.wait(timeout: nil) } catch { throw .system(error) }
        }
    }
}
