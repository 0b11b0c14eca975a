import Linux
import Policy

/// Where this session tells what it is doing: `postern status` connects, and reads one message.
///
/// It stands in a directory that only root, or the normal user who runs the gateway, can enter, and takes nothing in.
struct SessionSocket {
    let descriptor: Descriptor
    private let path: String

    /// Askers that are answered before anything else is done.
    private static let mostATurn = 8

    init(in state: String, connectionID: String) throws(Errno) {
        let directory = "\(state)/\(directoryName)"
        try StateDirectory.make(directory, mode: 0o700)
        path = "\(directory)/\(connectionID)"
        descriptor = try Descriptor.listenLocally(at: path)
    }

    /// Tells all who ask.
    func answer(_ text: () -> JSONText) {
        do throws(Errno) {
            for _ in 0..<Self.mostATurn {
                guard let asker = try descriptor.accept() else { return }
                try asker.setNonBlocking()
                try asker.send(Array(text().description.utf8))
            }
        } catch {
            // Who asks and goes is not told.
        }
    }

    /// Takes the name away. One that is left, by a process that was killed, is found to be nobody's by the next who asks.
    func remove() {
        do throws(Errno) { try removeFile(path) } catch {}
    }
}

private let directoryName = "sessions"
