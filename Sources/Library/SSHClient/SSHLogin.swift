import SSH
public import SSHBase
import SSHKeys
import SSHNIO
import SSHWire

/// A connection to a server that has proved who it is, while the user has not: attempts can be made, and there are no channels.
///
/// It closes with its last reference, unless an attempt was granted.
public final class SSHLogin: Sendable {
    /// How an attempt ended.
    public enum Outcome: Sendable {
        /// The user is authenticated; from now on there are channels.
        case granted(SSHClient)
        /// Not, or not yet: these methods may be tried. With `partialSuccess` this one was right, and the server wants another too.
        case refused(methods: [String], partialSuccess: Bool)
    }

    private let connection: ClientTie
    private var handshake: ClientHandshake { connection.handshake }

    init(_ connection: ClientTie) { self.connection = connection }

    /// The key that the server has proved to hold, and that was trusted.
    public var hostKey: ServerHostKey { connection.hostKey }
    /// What both ends agreed on.
    public var algorithms: SSHAlgorithms { connection.algorithms }
    /// What the server has said to the user so far.
    public var banners: [String] { handshake.banners }

    /// Tries to authenticate; after a refusal it may be called again.
    ///
    /// - Throws: ``SSHFailure/alreadyAuthenticated`` after an attempt was granted, ``SSHFailure/attemptIsOpen`` while another waits,
    ///   ``SSHFailure/badKey(_:)`` for a certificate with another key than its own, or why the connection ended.
    public func authenticate(as user: String, with credential: SSHCredential) async throws(SSHFailure) -> Outcome {
        switch credential {
        case .none: try await attempt(user) { _ in .none }
        case .password(let password): try await attempt(user) { _ in .password(password) }
        case .key(let key): try await attempt(user) { Self.signed(user, key, key.publicKey.algorithm, key.publicKey.encoded, $0) }
        case .certificate(let certificate, let key):
            try await attempt(user, certified: certificate.publicKey == key.publicKey) {
                Self.signed(user, key, certificate.algorithm, certificate.encoded, $0)
            }
        }
    }

    /// Asks whether the server would take a signature by a key, without one.
    ///
    /// - Throws: as ``authenticate(as:with:)`` does.
    public func wouldTake(_ key: SSHPublicKey, of user: String) async throws(SSHFailure) -> Bool {
        try await verdict(user) { _ in .publicKey(algorithm: key.algorithm, key: key.encoded, signature: nil) } == .probeAccepted
    }

    /// Closes the connection; again is harmless.
    public func close() { connection.driver.close() }

    private func attempt(
        _ user: String, certified: Bool = true, _ method: @escaping @Sendable ([UInt8]) -> UserAuthRequest.Method
    ) async throws(SSHFailure) -> Outcome {
        guard certified else { throw .badKey("the certificate is for another key") }
        switch try await verdict(user, method) {
        case .granted: return .granted(SSHClient(connection, user: user))
        case .refused(let methods, let partialSuccess): return .refused(methods: methods, partialSuccess: partialSuccess)
        case .probeAccepted: throw .protocolFault("the server asks for a signature that it has")
        }
    }

    private func verdict(
        _ user: String, _ method: @escaping @Sendable ([UInt8]) -> UserAuthRequest.Method
    ) async throws(SSHFailure) -> ClientHandshake.Verdict {
        let answer = try handshake.beginAttempt()
        connection.driver.perform { end in
            guard end.mayAttempt, let identifier = end.sessionIdentifier else { return }
            end.attempt(user: user, method: method(identifier))
        }
        do throws(SSHFailure) {
            return try await answer.value()
        } catch {
            // An answer that nobody waits for would be taken for that of the next attempt.
            if error == .cancelled { connection.driver.close(.cancelled, saying: "cancelled") }
            throw error
        }
    }

    private static func signed(
        _ user: String, _ key: SSHPrivateKey, _ algorithm: String, _ blob: [UInt8], _ session: [UInt8]
    ) -> UserAuthRequest.Method {
        let data = PublicKeySignedData(sessionIdentifier: session, user: user, algorithm: algorithm, blob: blob)
        return .publicKey(algorithm: algorithm, key: blob, signature: key.signature(of: data.bytes))
    }
}
