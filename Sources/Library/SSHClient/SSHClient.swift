public import SSHBase
import SSHNIO
import SSHWire
import Synchronization

/// A connection to an SSH server on which the user is authenticated: it runs commands and opens channels, several at once.
///
/// ```swift
/// let client = try await SSHClient.connect(
///     to: "example.org", as: "alice", with: .key(key), trusting: .knownHosts(at: "/home/alice/.ssh/known_hosts"))
/// let result = try await client.run("uname -a")
/// ```
///
/// It closes with its last reference, and with ``close()``.
public final class SSHClient: Sendable {
    /// The name of the user at the server.
    public let user: String
    private let connection: ClientTie

    init(_ connection: ClientTie, user: String) {
        (self.connection, self.user) = (connection, user)
    }

    // MARK: - Connecting

    /// Connects to a server, which must prove to be the one that is trusted; the user is then to be authenticated.
    ///
    /// - Throws: ``SSHFailure/unreachable(place:reason:)``, ``SSHFailure/hostKeyRefused(reason:)``,
    ///   ``SSHFailure/timedOut(after:during:)``, ``SSHFailure/protocolFault(_:)`` and others.
    public static func connect(
        to host: String, port: Int = 22, trusting verifier: HostKeyVerifier, configuration: Configuration = Configuration()
    ) async throws(SSHFailure) -> SSHLogin {
        SSHLogin(try await ClientTie.connect(host, port, verifier, configuration))
    }

    /// Connects to a server and authenticates with one credential.
    ///
    /// - Throws: ``SSHFailure/authenticationRefused(methods:)``, and what ``connect(to:port:trusting:configuration:)`` throws.
    public static func connect(
        to host: String, port: Int = 22, as user: String, with credential: SSHCredential, trusting verifier: HostKeyVerifier,
        configuration: Configuration = Configuration()
    ) async throws(SSHFailure) -> SSHClient {
        let login = try await connect(to: host, port: port, trusting: verifier, configuration: configuration)
        switch try await login.authenticate(as: user, with: credential) {
        case .granted(let client): return client
        case .refused(let methods, _):
            login.close()
            throw .authenticationRefused(methods: methods)
        }
    }

    /// Closes the connection and everything on it; again is harmless.
    public func close() { connection.driver.close() }

    /// Waits until the connection is over, and says why.
    ///
    /// - Throws: ``SSHFailure/cancelled``.
    public func waitUntilClosed() async throws(SSHFailure) -> SSHFailure { try await connection.handshake.over.value() }

    // MARK: - What is known of it

    /// The key that the server has proved to hold, and that was trusted.
    public var hostKey: ServerHostKey { connection.hostKey }
    /// What both ends agreed on last.
    public var algorithms: SSHAlgorithms { connection.algorithms }
    /// What the server said to the user while they authenticated.
    public var banners: [String] { connection.handshake.banners }

    /// Asks for new keys now, and waits until they are in use. What others send meanwhile waits.
    ///
    /// - Throws: ``SSHFailure/cancelled``, or why the connection ended.
    public func requestKeyExchange() async throws(SSHFailure) { try await connection.driver.exchangeKeys() }

    // MARK: - Channels

    /// Starts a command, and gives its streams.
    ///
    /// - Parameters:
    ///   - command: a line for whatever runs commands at the server, mostly the user's shell.
    ///   - environment: set before it starts; most servers take few variables or none, and say nothing of those they refuse.
    /// - Throws: ``SSHFailure/requestRefused(_:)``, ``SSHFailure/channelRefused(reason:message:)``,
    ///   ``SSHFailure/tooManyChannels``, ``SSHFailure/cancelled``, or why the connection ended.
    public func start(_ command: String, environment: [String: String] = [:]) async throws(SSHFailure) -> SSHProcess {
        try await open(.exec(command: Array(command.utf8)), environment)
    }

    /// Starts the user's shell, without a terminal.
    ///
    /// - Throws: as ``start(_:environment:)`` does.
    public func startShell(environment: [String: String] = [:]) async throws(SSHFailure) -> SSHProcess { try await open(.shell, environment) }

    /// Starts a subsystem, such as `sftp`.
    ///
    /// - Throws: as ``start(_:environment:)`` does.
    public func startSubsystem(_ name: String, environment: [String: String] = [:]) async throws(SSHFailure) -> SSHProcess {
        try await open(.subsystem(name: name), environment)
    }

    /// The channels that the server opens, with ``Configuration/acceptsChannels``.
    public var channels: SSHStream<SSHProcess> {
        SSHStream { [self] () async throws(SSHFailure) in
            try await connection.handshake.offered.take().map { SSHProcess($0, connection) }
        }
    }

    private func open(_ program: ChannelRequest.Kind, _ environment: [String: String]) async throws(SSHFailure) -> SSHProcess {
        let process = SSHProcess(try await connection.driver.open(), connection)
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            try await process.port.announce(.environment(name: name, value: Array(value.utf8)))
        }
        guard try await process.port.ask(program) else { throw .requestRefused(program.name) }
        return process
    }

    /// Ends a channel after a while, unless that is cancelled.
    func alarm(_ process: SSHProcess, after timeout: Duration) -> @Sendable () -> Void {
        let port = process.port
        return connection.driver.after(timeout) { port.abandon(.timedOut(after: timeout, during: "the command")) }
    }
}
