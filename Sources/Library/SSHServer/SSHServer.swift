import Linux
import Logging
import SSH
public import SSHBase
import SSHCiphers
import SSHKeys
import SSHNIO
import SSHTransport
@_spi(Passwords) import SSHUserAuth
import SSHWire
import Sodium
import Synchronization

/// An SSH server: it accepts connections, has their users authenticated, and hands each to a handler.
///
/// ```swift
/// let server = try await SSHServer.listen(hostKey: key, authentication: Authentication(key: { $0.key == alice ? .granted : .refused })) {
///     connection in
///     for try await session in connection.sessions { … }
/// }
/// ```
///
/// It closes with its last reference, and with ``close()``.
public final class SSHServer: Sendable {
    private let listener: Listener
    private let connections: ServerConnections

    private init(_ listener: Listener, _ connections: ServerConnections) { (self.listener, self.connections) = (listener, connections) }

    deinit { close() }

    /// Listens for connections, each of which is served in a task of its own once its user is authenticated.
    ///
    /// - Parameters:
    ///   - host: an address of this machine, or a name of one; `0.0.0.0` or `::` for all.
    ///   - port: 0: any that is free; see ``port``.
    ///   - hostKey: what the server proves itself with.
    ///   - certificate: a host's, for the host key; clients that know its authority need not know the key.
    ///   - authentication: who is let in.
    ///   - configuration: how it behaves beside that.
    ///   - handler: serves one connection; when it returns, or throws, the connection is closed. Its task is cancelled when the client goes.
    /// - Throws: ``SSHFailure/unreachable(place:reason:)``, ``SSHFailure/badKey(_:)`` for a certificate that is not the host key's.
    public static func listen(
        host: String = "127.0.0.1", port: Int = 22022, hostKey: SSHPrivateKey, certificate: SSHCertificate? = nil, authentication: Authentication,
        configuration: Configuration = Configuration(), serving handler: @escaping @Sendable (SSHServerConnection) async throws -> Void
    ) async throws(SSHFailure) -> SSHServer {
        if let certificate, certificate.publicKey != hostKey.publicKey || !certificate.isForHosts {
            throw .badKey("the certificate is not for the host key")
        }
        Sodium.initialize()
        let identity = HostIdentity(hostKey, certificate)
        let connections = ServerConnections(limit: configuration.mostConnections)
        let end = configuration.end(identity, authentication)
        let listener = try await Listener.listen(host: host, port: port) { loop, address in
            let peer = SSHPeer(address: address.host, port: address.port)
            let handshake = ServerHandshake(
                peer: peer, identity: identity, authentication: authentication, configuration: configuration, connections: connections, handler: handler)
            let driver = ServerDriver(ServerConnection(end, random: SystemRandom(), now: Clock.monotonic), on: loop, role: handshake.role)
            return connections.add(driver) ? driver : nil
        }
        return SSHServer(listener, connections)
    }

    /// The port that it listens on.
    public var port: Int { listener.port }

    /// How many connections there are, be their users authenticated or not.
    public var connectionCount: Int { connections.count }

    /// Accepts no more, and closes all connections; again is harmless.
    public func close() {
        listener.close()
        connections.closeAll()
    }

    /// Waits until it has been closed.
    public func waitUntilClosed() async { await listener.waitUntilClosed() }
}

extension SSHServer.Configuration {
    /// As the core has it.
    fileprivate func end(_ identity: HostIdentity, _ authentication: Authentication) -> ServerConnection.Configuration {
        var transport = Transport.Configuration(identification: HostIdentity.identification)
        transport.proposal.cipher = ciphers.compactMap { CipherName(rawValue: $0.rawValue) }
        transport.proposal.hostKey = identity.algorithms
        transport.rekeyAfterBytes = rekeyAfterBytes
        transport.rekeyAfter = rekeyAfter
        transport.tracesMessages = logsMessages && logger != nil
        let algorithms = ServerHandshake.userAlgorithms.joined(separator: ",")
        transport.extensions = [ExtInfo.Extension(name: "server-sig-algs", value: Array(algorithms.utf8)), UserAuthRequest.hostboundExtension]
        var end = ServerConnection.Configuration(transport: transport)
        end.userAuth.takesPublicKeys = authentication.key != nil
        end.userAuth.takesPasswords = authentication.password != nil
        end.userAuth.banner = authentication.greeting
        end.userAuth.mostSignatures = mostAttempts
        (end.mostChannels, end.loginGrace, end.idleTimeout, end.keepalive) = (mostChannels, loginGrace, idleTimeout, keepalive)
        return end
    }
}

/// The connections of one server.
final class ServerConnections: Sendable {
    private struct State {
        var drivers: [ObjectIdentifier: ServerDriver] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.drivers.count } }

    /// - Returns: false when there are as many as there may be.
    func add(_ driver: ServerDriver) -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.drivers.count < limit else { return false }
            state.drivers[ObjectIdentifier(driver)] = driver
            return true
        }
    }

    func remove(_ driver: ServerDriver) { _ = state.withLock { $0.drivers.removeValue(forKey: ObjectIdentifier(driver)) } }

    func closeAll() {
        let drivers = state.withLock { state in
            state.isClosed = true
            return Array(state.drivers.values)
        }
        for driver in drivers { driver.close(saying: "the server is going down") }
    }
}
