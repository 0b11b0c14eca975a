import Linux
import MonitorProtocol
import SSHWire

/// The frontend's end of the socketpair to the monitor.
struct MonitorChannel {
    let descriptor: Descriptor

    enum Failure: Error {
        case closed
        case malformed(WireError)
        case wrongDescriptors
        case system(Errno)
        case damaged(DatagramError)
    }

    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    /// Sends a message, waiting for room: the monitor always reads.
    func send(_ message: FrontendMessage) throws(Failure) {
        do throws(Errno) {
            while try !descriptor.send(message.bytes) {
                var poll = PollSet()
                poll.add(descriptor, .writable, token: 0)
                _ = try poll.wait(timeout: nil)
            }
        } catch {
            throw .system(error)
        }
    }

    /// The next message with its descriptors; nil when there is none now.
    func receive() throws(Failure) -> (MonitorMessage, [Descriptor])? {
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
    func begin() throws(Failure) -> (MonitorMessage.Settings, Descriptor) {
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
