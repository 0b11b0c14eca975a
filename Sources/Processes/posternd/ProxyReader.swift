import Arrivals
import Linux
import Policy

/// Why no PROXY header was found where there had to be one, or what was wrong with it.
enum ProxyFault: Error, CustomStringConvertible {
    case missing
    case late(Duration)
    case truncated
    case bad(ProxyHeader.Fault)
    case system(Errno)

    var description: String {
        switch self {
        case .missing: "the proxy sent no PROXY header"
        case .late(let time): "no whole PROXY header came within \(time)"
        case .truncated: "the connection ended within its PROXY header"
        case .bad(let fault): "bad PROXY header: \(fault)"
        case .system(let errno): "reading the PROXY header: \(errno)"
        }
    }
}

/// Reads the PROXY header from the beginning of a connection, and no byte of what stands behind it.
struct ProxyReader {
    private let connection: Descriptor
    private let rule: ProxyRule
    private let deadline: Duration

    init(_ connection: Descriptor, _ rule: ProxyRule) {
        self.connection = connection
        self.rule = rule
        deadline = Clock.monotonic + rule.timeout
    }

    /// - Returns: nil where there is none, and none has to be.
    func read() throws(ProxyFault) -> ProxyHeader.Ends? {
        // A client that waits for our greeting sends nothing first: it is no proxy then, where that is allowed.
        guard try isReadable() else {
            if rule.isRequired { throw .late(rule.timeout) }
            return nil
        }
        // What begins as a header does belongs to one: SSH begins with "SSH-".
        let first: UInt8? = try doing { () throws(Errno) in try connection.peek() }
        guard let first, try find([first]) != .none else {
            if rule.isRequired { throw .missing }
            return nil
        }
        var bytes: [UInt8] = []
        while true {
            switch try find(bytes) {
            case .header(let header): return header.ends
            case .none: throw .missing
            case .incomplete(let missing): bytes += try more(missing)
            }
        }
    }

    private func find(_ bytes: [UInt8]) throws(ProxyFault) -> ProxyHeader.Finding {
        do throws(ProxyHeader.Fault) {
            return try ProxyHeader.find(in: bytes)
        } catch {
            throw .bad(error)
        }
    }

    /// At least one byte, and no more than are known to belong to the header.
    private func more(_ most: Int) throws(ProxyFault) -> [UInt8] {
        guard try isReadable() else { throw .late(rule.timeout) }
        var bytes = [UInt8](repeating: 0, count: most)
        let count: Int? = try doing { () throws(Errno) in try connection.read(into: &bytes, bytes.indices) }
        if count == 0 { throw .truncated }
        return Array(bytes[..<(count ?? 0)])
    }

    /// Waits until there is something, or the time is over.
    private func isReadable() throws(ProxyFault) -> Bool {
        var poll = PollSet()
        poll.add(connection, .readable, token: 0)
        while true {
            let left = deadline - Clock.monotonic
            let ready = try doing { () throws(Errno) in try poll.wait(timeout: left) }
            if !ready.isEmpty { return true }
            if left <= .zero { return false }
        }
    }

    private func doing<Value>(_ body: () throws(Errno) -> Value) throws(ProxyFault) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw .system(error)
        }
    }
}
