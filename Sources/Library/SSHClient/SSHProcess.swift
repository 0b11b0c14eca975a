public import SSHBase
import SSHConnection
import SSHNIO
import SSHWire

/// What runs at the other end of a channel: a command, a shell, a subsystem.
///
/// Its output and its error output share one window: who waits for one should take the other too. It is closed with its last reference.
public final class SSHProcess: Sendable {
    let port: ChannelPort
    private let connection: ClientTie

    init(_ port: ChannelPort, _ connection: ClientTie) { (self.port, self.connection) = (port, connection) }

    deinit { port.abandon() }

    /// The way to its standard input.
    public var standardInput: SSHWriter {
        SSHWriter(
            send: { [self] (bytes) async throws(SSHFailure) in try await port.write(bytes) },
            end: { [self] () async throws(SSHFailure) in try await port.end() })
    }

    /// Its standard output.
    public var standardOutput: SSHStream<[UInt8]> { SSHStream { [self] () async throws(SSHFailure) in try await port.read(.standard)?.bytes } }

    /// Its standard error.
    public var standardError: SSHStream<[UInt8]> {
        SSHStream { [self] () async throws(SSHFailure) in try await port.read(.standardError)?.bytes }
    }

    /// All that it writes, in the order it comes; what is taken here is not in the other streams.
    public var output: SSHStream<SSHChannelData> {
        SSHStream { [self] () async throws(SSHFailure) in try await port.read().map { SSHChannelData($0.type, $0.bytes) } }
    }

    /// Waits until it has ended, and says how.
    ///
    /// - Throws: ``SSHFailure/cancelled``, or why the connection ended.
    public func waitUntilExit() async throws(SSHFailure) -> SSHExit { try await port.exitValue() }

    /// Sends it a signal (RFC 4254 §6.9), by a name without `SIG`; servers need not pass it on, and say nothing of it.
    ///
    /// - Throws: ``SSHFailure/channelClosed``, or why the connection ended.
    public func send(signal name: String) async throws(SSHFailure) { try await port.announce(.signal(name: name)) }

    /// Closes the channel behind what was written; most servers then end what runs. Again is harmless.
    public func close() { port.close() }

    /// Closes the channel at once; whoever reads or writes is told this reason.
    public func close(because reason: SSHFailure) { port.abandon(reason) }
}
