import Linux
import SSHWire

// How a client that gets no place hears why. It is told before any key exchange, by what every client shows: our identification and a DISCONNECT.
extension Descriptor {
    /// Says so, and that nothing more will come. It never waits: a new connection has room for that much.
    func turnAway(_ reason: String, identification: String) {
        let message = Disconnect(reason: .tooManyConnections, description: reason)
        let bytes = Array("\(identification)\r\n".utf8) + Self.plainPacket(message.payload)
        do throws(Errno) {
            try setNonBlocking()
            _ = try write(bytes, bytes.indices)
            try shutDown(receiving: false)
        } catch {
            // The client has gone already.
        }
    }

    /// RFC 4253 §6, before there are keys: length, padding length, payload, padding to a multiple of 8 bytes.
    private static func plainPacket(_ payload: [UInt8]) -> [UInt8] {
        let padding = 4 + (8 - (5 + payload.count + 4) % 8) % 8
        var writer = WireWriter()
        writer.uint32(UInt32(1 + payload.count + padding))
        writer.byte(UInt8(padding))
        return writer.bytes + payload + [UInt8](repeating: 0, count: padding)
    }

    /// Waits a moment until the client has gone: if the connection were closed on what it still sends, it might lose what it was told.
    func linger() {
        let deadline = Clock.monotonic + lingering
        var poll = PollSet()
        poll.add(self, .readable, token: 0)
        do throws(Errno) {
            while Clock.monotonic < deadline {
                if try poll.wait(timeout: deadline - Clock.monotonic).isEmpty { continue }
                if try isFinished() { return }
            }
        } catch {
            // It has gone.
        }
    }

    /// Throws away what has come.
    ///
    /// - Returns: whether that was the last.
    func isFinished() throws(Errno) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4096)
        return try read(into: &bytes, bytes.indices) == 0
    }
}

/// How long a client that was turned away may take to go.
let lingering: Duration = .milliseconds(500)
