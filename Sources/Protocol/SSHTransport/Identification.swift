/// What can be wrong with a peer's identification string.
public enum IdentificationError: Error, Equatable, Sendable {
    /// The line is longer than RFC 4253 §4.2's 255 bytes, or too many lines came before it.
    case tooLong(limit: Int)
    /// The line does not begin with `SSH-`, or holds what is not printable US-ASCII.
    case malformed
    /// The line names another protocol version than 2.0 (or 1.99, which means 2.0 too).
    case protocolVersion(String)
}

/// An identification string (RFC 4253 §4.2), such as `SSH-2.0-OpenSSH_9.2p1 Debian-2`.
public struct Identification: Equatable, Sendable {
    /// The line without CR LF, as it enters the exchange hash.
    public let line: String

    /// With CR LF: 255 bytes (RFC 4253 §4.2).
    static let longestLine = 255
    /// Lines that a server may send before its identification; more than any does.
    private static let mostLinesBefore = 64

    /// One of our own: `software` and `comment` are printable US-ASCII and short.
    public init(software: String, comment: String? = nil) {
        line = "SSH-2.0-\(software)" + (comment.map { " \($0)" } ?? "")
        precondition(line.utf8.count <= Self.longestLine - 2, "identification longer than RFC 4253 allows")
    }

    /// One of our own that someone else has sent already: our own process, so a bad one is a mistake of ours.
    public init(sent line: String) {
        self.line = line
        precondition(line.hasPrefix("SSH-2.0-") && line.utf8.count <= Self.longestLine - 2, "bad identification of our own")
    }

    /// Reads a peer's line; the CR LF is already off.
    public init(parsing line: some Collection<UInt8>) throws(IdentificationError) {
        guard line.allSatisfy({ 0x20...0x7e ~= $0 }) else { throw .malformed }
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix("SSH-") else { throw .malformed }
        let parts = text.split(separator: "-", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[2].isEmpty else { throw .malformed }
        // RFC 4253 §5.1: 1.99 says that 2.0 is spoken too.
        guard parts[1] == "2.0" || parts[1] == "1.99" else { throw .protocolVersion(String(parts[1])) }
        self.line = text
    }

    /// Finds the peer's identification at the beginning of `bytes`.
    ///
    /// - Parameter allowsLinesBefore: true when reading from a server, which may send other lines first.
    /// - Returns: the identification and how many bytes it and what stood before it took; nil when more bytes are needed.
    static func find(in bytes: ArraySlice<UInt8>, allowsLinesBefore: Bool) throws(IdentificationError) -> (Identification, consumed: Int)? {
        var rest = bytes
        var linesBefore = 0
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            guard end - rest.startIndex < longestLine else { throw .tooLong(limit: longestLine) }
            var line = rest[rest.startIndex..<end]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if !allowsLinesBefore || line.starts(with: "SSH-".utf8) {
                return (try Identification(parsing: line), end + 1 - bytes.startIndex)
            }
            linesBefore += 1
            guard linesBefore <= mostLinesBefore else { throw .tooLong(limit: longestLine * mostLinesBefore) }
            rest = rest[(end + 1)...]
        }
        guard rest.count < longestLine else { throw .tooLong(limit: longestLine) }
        return nil
    }
}
