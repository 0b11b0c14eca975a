/// The way to the other end's reader: writing waits until there is room in the window.
public struct SSHWriter: Sendable {
    private let send: @Sendable ([UInt8]) async throws(SSHFailure) -> Void
    private let end: @Sendable () async throws(SSHFailure) -> Void

    package init(
        send: @escaping @Sendable ([UInt8]) async throws(SSHFailure) -> Void, end: @escaping @Sendable () async throws(SSHFailure) -> Void
    ) {
        self.send = send
        self.end = end
    }

    /// Writes all of these bytes; it returns when they are on their way.
    ///
    /// - Throws: ``SSHFailure/writingHasEnded``, ``SSHFailure/channelClosed``, ``SSHFailure/cancelled``, or why the connection ended.
    public func write(_ bytes: [UInt8]) async throws(SSHFailure) { try await send(bytes) }

    /// Writes text as UTF-8.
    ///
    /// - Throws: as ``write(_:)-([UInt8])`` does.
    public func write(_ text: String) async throws(SSHFailure) { try await send(Array(text.utf8)) }

    /// Announces the end of the data (RFC 4254 §5.3); what comes from the other end goes on. Again is harmless.
    ///
    /// - Throws: why the connection ended.
    public func finish() async throws(SSHFailure) { try await end() }
}
