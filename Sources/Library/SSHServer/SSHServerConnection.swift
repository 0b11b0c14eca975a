public import SSHBase
import SSHNIO

/// A connection whose user is authenticated.
public final class SSHServerConnection: Sendable {
    /// The name that the user goes by.
    public let user: String
    /// The key that the user has proved to hold; nil after a password.
    public let key: SSHPublicKey?
    /// The certificate that the key was shown with; nil without one.
    public let certificate: SSHCertificate?
    /// Where the user comes from.
    public let peer: SSHPeer
    private let driver: ServerDriver
    private let handshake: ServerHandshake
    private let firstAlgorithms: SSHAlgorithms

    init(user: String, key: ProbedKey?, peer: SSHPeer, algorithms: SSHAlgorithms, driver: ServerDriver, handshake: ServerHandshake) {
        (self.user, self.key, self.certificate, self.peer) = (user, key?.key, key?.certificate, peer)
        (firstAlgorithms, self.driver, self.handshake) = (algorithms, driver, handshake)
    }

    /// The sessions that the client opens, each when it is known what is to run on it. The end of the connection ends them.
    public var sessions: SSHStream<SSHServerSession> {
        SSHStream { [handshake] () async throws(SSHFailure) in try await handshake.sessions.take() }
    }

    /// What both ends agreed on last.
    public var algorithms: SSHAlgorithms { handshake.algorithms ?? firstAlgorithms }

    /// Asks for new keys now, and waits until they are in use. What others send meanwhile waits.
    ///
    /// - Throws: ``SSHFailure/cancelled``, or why the connection ended.
    public func requestKeyExchange() async throws(SSHFailure) { try await driver.exchangeKeys() }

    /// Opens a channel to the client. Few clients take one: OpenSSH's does not, and that of `SSHClient` where it is told to.
    ///
    /// - Throws: ``SSHFailure/channelRefused(reason:message:)``, ``SSHFailure/tooManyChannels``, ``SSHFailure/cancelled``, or why the
    ///   connection ended.
    public func openSession() async throws(SSHFailure) -> SSHServerSession {
        SSHServerSession(try await driver.open(), request: nil, environment: [:])
    }

    /// Closes the connection and everything on it; again is harmless.
    public func close() { driver.close() }
}
