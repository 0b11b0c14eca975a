public import SSHBase
import SSHNIO

/// A connection whose user is authenticated.
public final class SSHServerConnection: Sendable {
    /// The name that the user goes by.
    public let user: String
    /// The key that the user has proved to hold; nil after a password.
    public let key: SSHPublicKey?
    /// Where the user comes from.
    public let peer: SSHPeer
    private let driver: ServerDriver
    private let handshake: ServerHandshake

    init(user: String, key: SSHPublicKey?, peer: SSHPeer, driver: ServerDriver, handshake: ServerHandshake) {
        (self.user, self.key, self.peer, self.driver, self.handshake) = (user, key, peer, driver, handshake)
    }

    /// The sessions that the client opens, each when it is known what is to run on it. The end of the connection ends them.
    public var sessions: SSHStream<SSHServerSession> {
        SSHStream { [handshake] () async throws(SSHFailure) in try await handshake.sessions.take() }
    }

    /// What both ends agreed on last.
    public var algorithms: SSHAlgorithms? { handshake.algorithms }

    /// Asks for new keys now, and waits until they are in use. What others send meanwhile waits.
    ///
    /// - Throws: ``SSHFailure/cancelled``, or why the connection ended.
    public func requestKeyExchange() async throws(SSHFailure) { try await driver.exchangeKeys() }

    /// Opens a channel to the client. Few clients take one: OpenSSH's does not, and ``SSHClient`` of this package where it is told to.
    ///
    /// - Throws: ``SSHFailure/channelRefused(reason:message:)``, ``SSHFailure/tooManyChannels``, ``SSHFailure/cancelled``, or why the
    ///   connection ended.
    public func openSession() async throws(SSHFailure) -> SSHServerSession {
        SSHServerSession(try await driver.open(), request: nil, environment: [:])
    }

    /// Closes the connection and everything on it; again is harmless.
    public func close() { driver.close() }
}
