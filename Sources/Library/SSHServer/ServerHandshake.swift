import Linux
import Logging
import SSH
import SSHBase
import SSHCiphers
import SSHKeys
import SSHNIO
import SSHTransport
import SSHUserAuth
import SSHWire
import Synchronization

typealias ServerDriver = Driver<ServerConnection>

/// What a server knows of one connection, and what it answers: the way from the first byte to the end.
final class ServerHandshake: Sendable {
    private struct State {
        var algorithms: SSHAlgorithms?
        var task: Task<Void, Never>?
        var saysOtherKey = true
        var isOver = false
    }

    private let peer: SSHPeer
    private let identity: HostIdentity
    private let authentication: Authentication
    private let configuration: SSHServer.Configuration
    private let connections: ServerConnections
    private let handler: @Sendable (SSHServerConnection) async throws -> Void
    private let state = Mutex(State())
    /// Sessions whose program the client has named.
    let sessions = Mailbox<SSHServerSession>()

    /// What users may prove to hold.
    static let userAlgorithms = PublicKey.algorithms + Certificate.algorithms

    /// More than any program looks at, in all of a session's variables.
    private static let mostVariables = 64

    /// What a user with a key of another kind is shown.
    private static let otherKeyBanner = "This server takes ed25519 keys only. Make one with\n  ssh-keygen -t ed25519\n"

    init(
        peer: SSHPeer, identity: HostIdentity, authentication: Authentication, configuration: SSHServer.Configuration,
        connections: ServerConnections, handler: @escaping @Sendable (SSHServerConnection) async throws -> Void
    ) {
        (self.peer, self.identity, self.authentication, self.configuration) = (peer, identity, authentication, configuration)
        (self.connections, self.handler) = (connections, handler)
    }

    private var tracer: (@Sendable (String) -> Void)? {
        guard configuration.logsMessages, let logger = configuration.logger else { return nil }
        return { line in logger.trace("\(line)") }
    }

    var algorithms: SSHAlgorithms? { state.withLock { $0.algorithms } }

    var role: ServerDriver.Role {
        ServerDriver.Role(
            handle: { [self] event, driver, end in handle(event, driver, &end) }, offered: { _ in },
            requested: { [self] port, kind in take(kind, port) }, ended: { [self] driver, failure in end(failure, driver) }, traced: tracer)
    }

    private func handle(_ event: ServerConnection.Event, _ driver: ServerDriver, _ end: inout ServerConnection) {
        switch event {
        case .identified(let identification): configuration.logger?.debug("client is \(identification.line)")
        case .needSignature(let request): end.sign(identity.sign(request), now: Clock.monotonic)
        case .keysChanged(let negotiated, _):
            let algorithms = SSHAlgorithms(
                keyExchange: negotiated.kex.rawValue, hostKey: negotiated.hostKey, cipherToServer: negotiated.cipherClientToServer.rawValue,
                cipherToClient: negotiated.cipherServerToClient.rawValue)
            state.withLock { $0.algorithms = algorithms }
            driver.keysChanged()
        case .mayProbe(let probe): answer(probe, driver, &end)
        case .verify(let signed): verify(signed, driver, &end)
        case .password(let user, let password):
            let offered = OfferedPassword(user: user, password: password, peer: peer)
            decide(user, nil, driver) { [authentication] in await authentication.password?(offered) ?? .refused }
        case .disconnected(let disconnect): driver.peerDisconnected(disconnect)
        case .channel: break
        }
    }

    // MARK: - Authentication

    private func answer(_ probe: UserAuthServer.ProbedKey, _ driver: ServerDriver, _ end: inout ServerConnection) {
        guard let probed = shown(probe.user, probe.algorithm, probe.key) else { return end.answerProbe(false, banner: otherKeyBanner()) }
        guard let wouldTake = authentication.wouldTake else { return end.answerProbe(true) }
        Task {
            let isWelcome = await wouldTake(probed)
            driver.perform { $0.answerProbe(isWelcome) }
        }
    }

    private func verify(_ signed: UserAuthServer.SignedKey, _ driver: ServerDriver, _ end: inout ServerConnection) {
        guard let probed = shown(signed.user, signed.algorithm, signed.key) else { return end.refuse(banner: otherKeyBanner()) }
        guard isProven(signed, probed.key.key, session: end.sessionIdentifier) else {
            configuration.logger?.notice("wrong signature by \(probed.key) for \(probed.user)")
            return end.refuse()
        }
        decide(signed.user, probed, driver) { [authentication] in await authentication.key?(ProvenKey(probed)) ?? .refused }
    }

    /// The key that a request shows, in itself or in a certificate; nil for one that is not spoken here.
    private func shown(_ user: String, _ algorithm: String, _ blob: [UInt8]) -> ProbedKey? {
        do throws(KeyError) {
            if Certificate.algorithms.contains(algorithm) {
                let certificate = try Certificate(blob: blob)
                guard certificate.algorithm == algorithm, certificate.kind == .user else { return nil }
                return ProbedKey(user: user, key: SSHPublicKey(certificate.key), certificate: SSHCertificate(certificate), peer: peer)
            }
            let key = try PublicKey(blob: blob)
            guard key.algorithm == algorithm else { return nil }
            return ProbedKey(user: user, key: SSHPublicKey(key), certificate: nil, peer: peer)
        } catch {
            return nil
        }
    }

    /// RFC 4252 §7, and OpenSSH PROTOCOL §3.1 where the request names a host key, which must be ours.
    private func isProven(_ signed: UserAuthServer.SignedKey, _ key: PublicKey, session: [UInt8]?) -> Bool {
        guard let session, signed.hostKey.map(identity.has) ?? true else { return false }
        let data = PublicKeySignedData(
            sessionIdentifier: session, user: signed.user, algorithm: signed.algorithm, blob: signed.key, hostKey: signed.hostKey)
        do throws(KeyError) {
            let signature = try SignatureBlob(blob: signed.signature)
            // A security key signs without anybody there, if it is asked to.
            return key.isValid(signature, over: data.bytes) && signature.use?.isUserPresent ?? true
        } catch {
            return false
        }
    }

    private func decide(_ user: String, _ key: ProbedKey?, _ driver: ServerDriver, _ ask: @escaping @Sendable () async -> LoginDecision) {
        Task {
            let decision = await ask()
            configuration.logger?.info("\(user) \(decision.isGranted ? "granted" : "refused")")
            driver.perform { [self] end in
                guard decision.isGranted else { return end.refuse(banner: decision.banner) }
                guard let algorithms else { preconditionFailure("a user before keys") }
                end.grant(banner: decision.banner, now: Clock.monotonic)
                serve(SSHServerConnection(user: user, key: key, peer: peer, algorithms: algorithms, driver: driver, handshake: self))
            }
        }
    }

    /// What a user with another key is shown, once.
    private func otherKeyBanner() -> String? {
        let isFirst = state.withLock { state in
            defer { state.saysOtherKey = false }
            return state.saysOtherKey
        }
        return isFirst ? Self.otherKeyBanner : nil
    }

    // MARK: - Service

    private func serve(_ connection: SSHServerConnection) {
        let task = Task {
            do {
                try await handler(connection)
            } catch {
                configuration.logger?.debug("the handler of \(connection.user) threw \(error)")
            }
            connection.close()
        }
        let isOver = state.withLock { state in
            if !state.isOver { state.task = task }
            return state.isOver
        }
        if isOver { task.cancel() }
    }

    private func take(_ kind: ChannelRequest.Kind, _ port: ChannelPort) -> Bool {
        switch kind {
        case .exec(let command): start(.command(String(decoding: command, as: UTF8.self)), port)
        case .shell: start(.shell, port)
        case .subsystem(let name): start(.subsystem(name), port)
        case .environment(let name, let value): port.keep(name, String(decoding: value, as: UTF8.self), limit: Self.mostVariables)
        case .signal(let name):
            port.signals.putIfRoom(name)
        case .exitStatus, .exitSignal, .endOfWrite, .other: false
        }
    }

    /// A channel runs one program (RFC 4254 §6.5).
    private func start(_ request: SSHRequest, _ port: ChannelPort) -> Bool {
        guard configuration.serves(request), let environment = port.startProgram() else { return false }
        sessions.put(SSHServerSession(port, request: request, environment: environment))
        return true
    }

    private func end(_ failure: SSHFailure, _ driver: ServerDriver) {
        configuration.logger?.info("connection is over: \(failure)")
        connections.remove(driver)
        sessions.close(failure.isFarewell ? .success(()) : .failure(failure))
        sessions.empty()
        let task = state.withLock { state in
            state.isOver = true
            defer { state.task = nil }
            return state.task
        }
        task?.cancel()
    }
}

extension SSHFailure {
    /// The connection ended as connections end.
    fileprivate var isFarewell: Bool {
        switch self {
        case .disconnected, .connectionLost, .connectionClosed: true
        default: false
        }
    }
}
