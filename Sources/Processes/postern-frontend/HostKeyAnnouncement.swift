import MonitorProtocol
import SSHWire

/// Tells the client which host keys there are, and has the monitor prove those that it did not know (OpenSSH PROTOCOL §2.5).
///
/// Global requests are answered in their order (RFC 4254 §4): while the proofs are on their way, later ones wait.
struct HostKeyAnnouncement {
    enum Reply: Equatable {
        /// The monitor is to prove these.
        case ask([[UInt8]])
        /// Answers to global requests, nil being no.
        case answer([[UInt8]?])
    }

    private enum State {
        case announced
        /// That many later requests wait for their no.
        case asked(waiting: Int)
        /// The monitor proves once a connection.
        case proved
    }

    static let name = "hostkeys-00@openssh.com"
    private static let question = "hostkeys-prove-00@openssh.com"

    private let keys: [[UInt8]]
    private var state = State.announced

    init(_ keys: [[UInt8]]) { self.keys = keys }

    /// What the announcement holds: the keys, one behind the other.
    var details: [UInt8] { Self.strings(keys) }

    mutating func receive(_ name: String, wantReply: Bool, _ details: [UInt8]) -> Reply {
        guard wantReply else { return .answer([]) }
        switch state {
        case .announced:
            guard name == Self.question, let asked = Self.keys(in: details) else { return .answer([nil]) }
            state = .asked(waiting: 0)
            return .ask(asked)
        case .asked(let waiting):
            state = .asked(waiting: waiting + 1)
            return .answer([])
        case .proved:
            // OpenSSH's keepalives are content with any answer.
            return .answer([nil])
        }
    }

    /// Takes the monitor's answer; returns what is answered now.
    mutating func answer(_ signatures: [[UInt8]]) -> [[UInt8]?] {
        guard case .asked(let waiting) = state else { return [] }
        state = .proved
        return [signatures.isEmpty ? nil : Self.strings(signatures)] + Array(repeating: nil, count: waiting)
    }

    private static func strings(_ values: [[UInt8]]) -> [UInt8] {
        var writer = WireWriter()
        for value in values { writer.string(value) }
        return writer.bytes
    }

    /// Nil for none, for more than there can be, and for what is no list of keys.
    private static func keys(in details: [UInt8]) -> [[UInt8]]? {
        var reader = WireReader(details)
        var keys: [[UInt8]] = []
        do throws(WireError) {
            while reader.remaining > 0, keys.count <= FrontendMessage.mostHostKeys { keys.append(try reader.string(limit: WireLimit.blob)) }
        } catch {
            return nil
        }
        return (1...FrontendMessage.mostHostKeys).contains(keys.count) ? keys : nil
    }
}
