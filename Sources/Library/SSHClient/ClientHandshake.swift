import Linux
import Logging
import SSH
import SSHBase
import SSHCiphers
import SSHConnection
import SSHKeys
import SSHNIO
import SSHTransport
import SSHWire
import Synchronization

typealias ClientDriver = Driver<ClientConnection>

/// What a client knows of its connection, and what it answers: the way from the first byte to the end.
final class ClientHandshake: Sendable {
    /// How an attempt to authenticate ended.
    enum Verdict: Equatable, Sendable {
        case granted
        case probeAccepted
        case refused(methods: [String], partialSuccess: Bool)
    }

    /// What is settled once keys are in use.
    struct Agreement: Equatable, Sendable {
        let hostKey: ServerHostKey
        let algorithms: SSHAlgorithms
    }

    private struct State {
        var hostKey: ServerHostKey?
        var acceptedBlob: [UInt8]?
        var algorithms: SSHAlgorithms?
        var banners: [String] = []
        var attempt: Answer<Verdict>?
        var isAuthenticated = false
    }

    private let host: String
    private let port: Int
    private let judge: HostKeyVerifier.Judge
    private let onBanner: (@Sendable (String) -> Void)?
    private let logger: Logger?
    private let logsMessages: Bool
    private let state = Mutex(State())
    /// Resolved when the first keys are in use.
    let established = Answer<Agreement>()
    /// Resolved with why, when the connection is over.
    let over = Answer<SSHFailure>()
    /// Channels that the server opened.
    let offered = Mailbox<ChannelPort>()

    /// A server that talks without end is not listened to for ever.
    private static let mostBanners = 64

    init(host: String, port: Int, judge: HostKeyVerifier.Judge, configuration: SSHClient.Configuration) {
        (self.host, self.port, self.judge) = (host, port, judge)
        (onBanner, logger) = (configuration.onBanner, configuration.logger)
        logsMessages = configuration.logsMessages
    }

    /// Those of the last key exchange, where there was another since the first.
    var algorithms: SSHAlgorithms? { state.withLock { $0.algorithms } }
    var banners: [String] { state.withLock { $0.banners } }

    var role: ClientDriver.Role {
        ClientDriver.Role(
            handle: { [self] event, driver, end in handle(event, driver, &end) }, offered: { [self] port in offered.put(port) },
            requested: { _, kind in kind == .endOfWrite }, ended: { [self] _, failure in end(failure) }, traced: tracer)
    }

    private var tracer: (@Sendable (String) -> Void)? {
        guard logsMessages, let logger else { return nil }
        return { line in logger.trace("\(line)") }
    }

    private func handle(_ event: ClientConnection.Event, _ driver: ClientDriver, _ end: inout ClientConnection) {
        switch event {
        case .identified(let identification): logger?.debug("server is \(identification.line)")
        case .judgeHostKey(let blob): judgeHostKey(blob, driver, &end)
        case .keysChanged(let algorithms, let isFirst): keysChanged(algorithms, isFirst, driver)
        case .extInfo: break
        case .banner(let text): take(banner: text)
        case .probeAccepted: answer(.probeAccepted)
        case .granted:
            logger?.info("authenticated")
            answer(.granted)
        case .refused(let methods, let partialSuccess): answer(.refused(methods: methods, partialSuccess: partialSuccess))
        case .disconnected(let disconnect): driver.peerDisconnected(disconnect)
        case .channel: break
        }
    }

    private func judgeHostKey(_ blob: [UInt8], _ driver: ClientDriver, _ end: inout ClientConnection) {
        // When keys change, the server has to be the same.
        if let accepted = state.withLock({ $0.acceptedBlob }) {
            guard accepted == blob else { return driver.close(.hostKeyRefused(reason: "it changed within a connection"), saying: "host key changed") }
            return end.acceptHostKey(now: Clock.monotonic)
        }
        Task {
            do throws(SSHFailure) {
                let shown = try ServerHostKey(host: host, port: port, blob: blob)
                if let fault = await judge.fault(shown) { throw .hostKeyRefused(reason: fault) }
                logger?.debug("host key is \(shown.key)")
                state.withLock { ($0.hostKey, $0.acceptedBlob) = (shown, blob) }
                driver.perform { $0.acceptHostKey(now: Clock.monotonic) }
            } catch {
                driver.close(error, saying: "host key not verified")
            }
        }
    }

    private func keysChanged(_ negotiated: NegotiatedAlgorithms, _ isFirst: Bool, _ driver: ClientDriver) {
        let algorithms = SSHAlgorithms(
            keyExchange: negotiated.kex.rawValue, hostKey: negotiated.hostKey, cipherToServer: negotiated.cipherClientToServer.rawValue,
            cipherToClient: negotiated.cipherServerToClient.rawValue)
        logger?.debug("new keys: \(algorithms.keyExchange), \(algorithms.cipherToServer)")
        let hostKey = state.withLock { state in
            state.algorithms = algorithms
            return state.hostKey
        }
        driver.keysChanged()
        guard isFirst else { return }
        guard let hostKey else { preconditionFailure("keys without a host key") }
        established.resolve(.success(Agreement(hostKey: hostKey, algorithms: algorithms)))
    }

    private func take(banner: String) {
        let isTaken = state.withLock { state in
            guard state.banners.count < Self.mostBanners else { return false }
            state.banners.append(banner)
            return true
        }
        if isTaken { onBanner?(banner) }
    }

    // MARK: - Attempts

    /// Begins an attempt; it may be the only one, and none comes after success.
    func beginAttempt() throws(SSHFailure) -> Answer<Verdict> {
        let answer = Answer<Verdict>()
        let fault: SSHFailure? = state.withLock { state in
            if state.isAuthenticated { return .alreadyAuthenticated }
            if state.attempt != nil { return .attemptIsOpen }
            state.attempt = answer
            return nil
        }
        if let fault { throw fault }
        return answer
    }

    private func answer(_ verdict: Verdict) {
        let attempt = state.withLock { state in
            defer { state.attempt = nil }
            if verdict == .granted { state.isAuthenticated = true }
            return state.attempt
        }
        attempt?.resolve(.success(verdict))
    }

    private func end(_ failure: SSHFailure) {
        logger?.info("connection is over: \(failure)")
        let attempt = state.withLock { state in
            defer { state.attempt = nil }
            return state.attempt
        }
        attempt?.resolve(.failure(failure))
        established.resolve(.failure(failure))
        offered.close(.failure(failure))
        offered.empty()
        over.resolve(.success(failure))
    }
}
