/// What comes from the other end, piece by piece as it arrives, to be iterated over.
///
/// Nothing is lost between two iterations: the next one goes on where the last one stopped. Who does not take what is there stops
/// the sender once the window (2 MiB a channel) is full, and nobody else.
public struct SSHStream<Element: Sendable>: AsyncSequence, Sendable {
    /// The one error of reading.
    public typealias Failure = SSHFailure

    private let read: @Sendable () async throws(SSHFailure) -> Element?

    package init(_ read: @escaping @Sendable () async throws(SSHFailure) -> Element?) { self.read = read }

    /// The next element; nil when the other end has ended, or closed.
    ///
    /// - Throws: ``SSHFailure/cancelled``, or why the connection ended.
    public func next() async throws(SSHFailure) -> Element? { try await read() }

    /// Begins to iterate over what comes.
    public func makeAsyncIterator() -> Iterator { Iterator(read: read) }

    /// Takes one element after the other.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let read: @Sendable () async throws(SSHFailure) -> Element?

        /// See ``SSHStream/next()``.
        public mutating func next() async throws(SSHFailure) -> Element? { try await read() }

        /// See ``SSHStream/next()``.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(SSHFailure) -> Element? { try await read() }
    }
}

extension SSHStream where Element == [UInt8] {
    /// Takes all that comes until the end.
    ///
    /// - Throws: ``SSHFailure/tooMuchOutput(limit:)`` for more bytes than `limit`.
    public func collect(upTo limit: Int = 64 << 20) async throws(SSHFailure) -> [UInt8] {
        var all: [UInt8] = []
        while let piece = try await next() {
            guard all.count + piece.count <= limit else { throw .tooMuchOutput(limit: limit) }
            all += piece
        }
        return all
    }
}
