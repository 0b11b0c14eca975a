import Linux
import SSH
import SSHBase
import SSHNIO
import Sodium

/// Holds a connection open as long as somebody has it.
final class ClientTie: Sendable {
    let driver: ClientDriver
    let handshake: ClientHandshake

    private let agreement: ClientHandshake.Agreement

    private init(_ driver: ClientDriver, _ handshake: ClientHandshake, _ agreement: ClientHandshake.Agreement) {
        (self.driver, self.handshake, self.agreement) = (driver, handshake, agreement)
    }

    /// The key that the server has proved to hold.
    var hostKey: ServerHostKey { agreement.hostKey }
    /// What both ends agreed on last.
    var algorithms: SSHAlgorithms { handshake.algorithms ?? agreement.algorithms }

    deinit { driver.close() }

    /// Connects, and waits until the server has proved who it is and keys are in use.
    static func connect(
        _ host: String, _ port: Int, _ verifier: HostKeyVerifier, _ configuration: SSHClient.Configuration
    ) async throws(SSHFailure) -> ClientTie {
        let judge = try verifier.judge(host, port)
        Sodium.initialize()
        let handshake = ClientHandshake(host: host, port: port, judge: judge, configuration: configuration)
        let transport = configuration.transport(wantsCertificate: judge.wantsCertificate)
        let driver = try await openSocket(host: host, port: port, timeout: configuration.connectTimeout) { loop in
            let end = ClientConnection(
                transport, takesChannels: configuration.acceptsChannels, keepalive: configuration.keepalive, random: SystemRandom(),
                now: Clock.monotonic)
            return ClientDriver(end, on: loop, role: handshake.role)
        }
        let failure = SSHFailure.timedOut(after: configuration.connectTimeout, during: "connecting")
        let cancelAlarm = driver.after(configuration.connectTimeout) { driver.close(failure, saying: "too slow") }
        defer { cancelAlarm() }
        do throws(SSHFailure) {
            return ClientTie(driver, handshake, try await handshake.established.value())
        } catch {
            driver.close()
            throw error
        }
    }
}
