import Files
import Linux
import MonitorProtocol
import SSHWire

/// The way to the monitor, which records what it is told.
struct Reporter {
    private let channel: Descriptor

    /// Descriptor 3, where the monitor has put it.
    init() { channel = Descriptor(owning: 3) }

    /// What the monitor has said already.
    func settings() throws(Settings.Fault) -> [String] {
        do {
            guard let datagram = try channel.receive(limit: FilesSettings.longest) else { throw DatagramError.system(.wouldBlock) }
            return try FilesSettings(bytes: datagram.bytes).arguments
        } catch {
            throw Settings.Fault(text: "started by nobody: posternd does")
        }
    }

    /// A file that the monitor does not learn of must not appear: then it throws.
    func received(_ path: RemotePath, size: UInt64, sha256: [UInt8]) throws(FileError) {
        try tell(.received(path: path.relative, size: size, sha256: sha256))
    }

    /// Asks whether a file may appear, which the monitor finds out by `verify`.
    ///
    /// - Parameter path: where it is now, from the root.
    func check(_ path: [UInt8]) throws(FileError) {
        try tell(.check(path: path))
        let verdict: CheckVerdict
        do {
            guard let answer = try channel.receive(limit: CheckVerdict.longest) else { throw DatagramError.system(.wouldBlock) }
            verdict = try CheckVerdict(bytes: answer.bytes)
        } catch {
            throw FileError(.failure, "it could not be checked")
        }
        if !verdict.isGood { throw FileError(.failure, verdict.reason) }
    }

    private func tell(_ message: FilesMessage) throws(FileError) {
        do throws(Errno) { try channel.send(message.bytes) } catch { throw FileError(.failure, "the gateway does not answer") }
    }
}
