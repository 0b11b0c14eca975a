import ArgumentParser
import Dispatch
import Linux
import SSHClient

/// `postern ssh`: runs a command at a server, for health checks and for machines without OpenSSH.
struct SSHCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh",
        abstract: "Run a command at an SSH server.",
        discussion: """
            Without a command the server's shell is asked for, without a terminal. The exit status is the command's; 255 when there is none.
            """)

    @Option(name: .customShort("i"), help: "A private key file; by default ~/.ssh/id_ed25519. A certificate beside it, FILE-cert.pub, is used.", completion: .file())
    var identity: String?
    @Option(help: "The servers that are known; by default ~/.ssh/known_hosts.", completion: .file())
    var knownHosts: String?
    @Option(help: "The name to look for among them instead of the server's, whatever its port.")
    var hostKeyAlias: String?
    @Option(help: "Give up after so many seconds.")
    var timeout: Int?
    @Flag(name: .customShort("n"), help: "The command reads nothing.")
    var readsNothing = false
    @Flag(help: "Print one JSON object instead of what the command writes.")
    var json = false
    @Argument(help: "USER@HOST[:PORT]; an address of IPv6 stands in brackets.", transform: Destination.init)
    var destination: Destination
    @Argument(parsing: .captureForPassthrough, help: "A command line.")
    var command: [String] = []

    func validate() throws {
        if let timeout, !(1...86_400 ~= timeout) { throw ValidationError("a timeout is 1 to 86400 seconds") }
    }

    func run() async throws {
        let begun = ContinuousClock.now
        let report: SSHReport
        do throws(SSHFailure) {
            report = SSHReport(try await connectAndRun(), after: ContinuousClock.now - begun)
        } catch {
            report = SSHReport(error, after: ContinuousClock.now - begun)
        }
        if json {
            try Console.say(report.text)
        } else if let fault = report.error {
            try Console.note("postern: \(fault)")
        }
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }

    private func connectAndRun() async throws(SSHFailure) -> SSHReport.Ending {
        var configuration = SSHClient.Configuration()
        if let timeout { configuration.connectTimeout = .seconds(timeout) }
        let (isQuiet, home) = (json, Self.home)
        configuration.onBanner = { banner in if !isQuiet { try? Console.write(banner, to: .standardError) } }
        let client = try await SSHClient.connect(
            to: destination.host, port: destination.port, as: destination.user, with: try credential(home),
            trusting: .knownHosts(at: knownHosts ?? "\(home)/.ssh/known_hosts", as: hostKeyAlias), configuration: configuration)
        defer { client.close() }
        let ending = try await json ? collect(client) : relay(client)
        return ending
    }

    private var line: String { command.joined(separator: " ") }

    /// All of what the command writes, for the report.
    private func collect(_ client: SSHClient) async throws(SSHFailure) -> SSHReport.Ending {
        let result = try await client.run(line, timeout: timeout.map { .seconds($0) })
        return SSHReport.Ending(
            exit: result.exit, output: result.outputText, errors: result.errorText, hostKey: client.hostKey.key.fingerprint, algorithms: client.algorithms)
    }

    /// What the command writes goes on as it comes.
    private func relay(_ client: SSHClient) async throws(SSHFailure) -> SSHReport.Ending {
        let process = try await command.isEmpty ? client.startShell() : client.start(line)
        let alarm = timeout.map { seconds in
            Task {
                try await Task.sleep(for: .seconds(seconds))
                process.close(because: .timedOut(after: .seconds(seconds), during: "the command"))
            }
        }
        defer { alarm?.cancel() }
        if readsNothing { try await process.standardInput.finish() } else { StandardInput.feed(process) }
        async let errors = Self.faultOfCopying(process.standardError, to: .standardError)
        if let fault = await Self.faultOfCopying(process.standardOutput, to: .standardOutput) {
            process.close(because: fault)
            throw fault
        }
        if let fault = await errors { throw fault }
        return SSHReport.Ending(exit: try await process.waitUntilExit(), output: nil, errors: nil, hostKey: nil, algorithms: nil)
    }

    private static func faultOfCopying(_ stream: SSHStream<[UInt8]>, to descriptor: Descriptor) async -> SSHFailure? {
        do throws(SSHFailure) {
            while let piece = try await stream.next() {
                do throws(Errno) { try descriptor.writeAll(piece) } catch { throw .badFile(path: "standard output", reason: "\(error)") }
            }
            return nil
        } catch {
            return error
        }
    }

    private func credential(_ home: String) throws(SSHFailure) -> SSHCredential {
        let path = identity ?? "\(home)/.ssh/id_ed25519"
        let key = try SSHPrivateKey(contentsOf: path)
        let certificate = "\(path)-cert.pub"
        guard Machine.exists(certificate) else { return .key(key) }
        return .certificate(try SSHCertificate(contentsOf: certificate), key)
    }

    private static var home: String { Environment.value(of: "HOME") ?? "/" }
}

/// `USER@HOST[:PORT]`.
struct Destination {
    let user: String
    let host: String
    let port: Int

    init(_ text: String) throws {
        let fault = ValidationError("\"\(text)\" is no USER@HOST[:PORT]")
        guard let at = text.lastIndex(of: "@"), at != text.startIndex else { throw fault }
        var place = text[text.index(after: at)...]
        let host: Substring
        if place.hasPrefix("[") {
            guard let end = place.firstIndex(of: "]") else { throw fault }
            host = place[place.index(after: place.startIndex)..<end]
            place = place[place.index(after: end)...]
        } else {
            host = place.prefix { $0 != ":" }
            place = place[host.endIndex...]
        }
        var port = 22
        if !place.isEmpty {
            guard place.hasPrefix(":"), let number = Int(place.dropFirst()), 1...65_535 ~= number else { throw fault }
            port = number
        }
        guard !host.isEmpty else { throw fault }
        (self.user, self.host, self.port) = (String(text[..<at]), String(host), port)
    }
}

/// Our standard input, read in a queue of its own, since reading it blocks.
enum StandardInput {
    private static let blockBytes = 64 * 1024

    static func feed(_ process: SSHProcess) {
        DispatchQueue(label: "standard input").async {
            var buffer = [UInt8](repeating: 0, count: blockBytes)
            while let count = try? Descriptor.standardInput.read(into: &buffer, buffer.indices), count > 0 {
                guard waits(for: Array(buffer[..<count]), process) else { return }
            }
            Task { try? await process.standardInput.finish() }
        }
    }

    /// Reads on when the command has taken what there was.
    private static func waits(for bytes: [UInt8], _ process: SSHProcess) -> Bool {
        let (done, isTaken) = (DispatchSemaphore(value: 0), Flag())
        Task {
            isTaken.value = (try? await process.standardInput.write(bytes)) != nil
            done.signal()
        }
        done.wait()
        return isTaken.value
    }

    /// Written before the semaphore, read after it.
    private final class Flag: @unchecked Sendable { var value = false }
}
