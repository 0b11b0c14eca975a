public import SSHBase
import SSHConnection
import SSHNIO
import SSHWire

/// One channel of a client, and what it asked for. It is closed with its last reference.
public final class SSHServerSession: Sendable {
    /// What is to run; nil on a channel that the server opened.
    public let request: SSHRequest?
    /// The variables that the client set; none of them is to be trusted.
    public let environment: [String: String]
    private let port: ChannelPort

    init(_ port: ChannelPort, request: SSHRequest?, environment: [String: String]) {
        (self.port, self.request, self.environment) = (port, request, environment)
    }

    deinit { port.abandon() }

    /// The command that is to run; nil where the client asked for something else, such as an interactive session.
    public var command: String? { if case .command(let command) = request { command } else { nil } }

    /// What the client writes.
    public var standardInput: SSHStream<[UInt8]> { SSHStream { [self] () async throws(SSHFailure) in try await port.read(.standard)?.bytes } }

    /// All that the client writes, with its type; what is taken here is not in ``standardInput``.
    public var input: SSHStream<SSHChannelData> {
        SSHStream { [self] () async throws(SSHFailure) in try await port.read().map { SSHChannelData($0.type, $0.bytes) } }
    }

    /// The way to the client's standard output. The end of it is the end of ``standardError`` too.
    public var standardOutput: SSHWriter { writer(.standard) }
    /// The way to the client's standard error. The end of it is the end of ``standardOutput`` too.
    public var standardError: SSHWriter { writer(.standardError) }

    /// The signals that the client sends, by their names without `SIG`.
    public var signals: SSHStream<String> { SSHStream { [self] () async throws(SSHFailure) in try await port.signals.take() } }

    /// Tells the client how the program ended, and closes the channel behind all that was written.
    ///
    /// - Throws: ``SSHFailure/channelClosed``, or why the connection ended.
    public func exit(_ status: UInt32 = 0) async throws(SSHFailure) { try await exit(.exitStatus(status)) }

    /// Tells the client that a signal ended the program, and closes the channel behind all that was written.
    ///
    /// - Parameters:
    ///   - name: without `SIG`.
    ///   - message: what the client may tell its user of it.
    /// - Throws: ``SSHFailure/channelClosed``, or why the connection ended.
    public func exit(signal name: String, message: String = "") async throws(SSHFailure) {
        try await exit(.exitSignal(name: name, coreDumped: false, description: message))
    }

    /// Runs a program with this channel as its standard streams, and tells the client its status.
    ///
    /// - Throws: what the program throws, after the client has been told status 1; or why the client cannot be told.
    public func run(
        _ program: (_ input: SSHStream<[UInt8]>, _ output: SSHWriter, _ error: SSHWriter) async throws -> UInt32
    ) async throws {
        do {
            try await exit(try await program(standardInput, standardOutput, standardError))
        } catch {
            try? await exit(1)
            throw error
        }
    }

    /// Closes the channel behind what was written; again is harmless.
    public func close() { port.close() }

    private func exit(_ kind: ChannelRequest.Kind) async throws(SSHFailure) {
        try await port.announce(kind)
        try await port.end()
        port.close()
    }

    private func writer(_ type: DataType) -> SSHWriter {
        SSHWriter(
            send: { [self] (bytes) async throws(SSHFailure) in try await port.write(bytes, type) },
            end: { [self] () async throws(SSHFailure) in try await port.end() })
    }
}
