/// A protocol that serves files: bytes in, bytes out.
public protocol FileService {
    /// What is to be sent; whoever sends it empties it with ``didSendOutput()``.
    var output: [UInt8] { get }
    mutating func didSendOutput()
    /// Lines for the client's standard error, taken by whoever writes them.
    mutating func takeNotes() -> [String]

    /// Takes what came, as far as it is whole and there is room for the answers.
    ///
    /// - Returns: how many bytes were taken. The others come again with what follows, once the output is sent.
    mutating func receive(_ bytes: [UInt8], _ range: Range<Int>) throws(ServiceError) -> Int
    /// Makes more output where none of the client's bytes are waited for.
    mutating func advance()
    /// Whether something can be done before it is asked for, once all is answered and while the client has sent no more.
    var canWorkAhead: Bool { get }
    mutating func workAhead()
    /// The exit status, once all is done.
    var status: UInt32? { get }
    /// The client sends no more: what is not whole is gone.
    ///
    /// - Returns: the exit status.
    mutating func end() -> UInt32
}

extension FileService {
    public var canWorkAhead: Bool { false }
    public mutating func workAhead() {}
}

/// What a client sent is not the protocol: it is served no further.
public struct ServiceError: Error, Equatable, Sendable {
    /// For people.
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
}

/// Sizes that hold for every service, in bytes.
public enum ServiceLimit {
    /// A packet, a record.
    public static let packet = 256 * 1024
    /// What is made before it is sent.
    public static let output = 512 * 1024
    /// Lines for the client's standard error.
    public static let notes = 64
}
