package import SSH
package import SSHConnection
package import SSHKeys
package import SSHTransport
import SSHUserAuth
import SSHWire
package import Sodium

/// A server of ours with a host that answers at once, and writes down what happened.
package struct ServerHost {
    package static let line = "SSH-2.0-Test_server"
    package static let hostKey = HostKey(Ed25519SigningKey(seed: SecretBytes(copying: [UInt8](repeating: 1, count: 32))))

    package var server: ServerConnection
    package var now: Duration = .zero
    /// One line an event.
    package var log: [String] = []
    package var error: SSHError?
    /// Whether signatures are checked, or all are good.
    package var checksSignatures = false
    package var welcomesProbes = true
    package var grants = true
    /// Whether channels are accepted and data is used up at once.
    package var servesChannels = true
    /// What a command writes, and with which status it ends; nil: it never ends.
    package var program: (output: [UInt8], status: UInt32)?
    private var running: (id: ChannelID, rest: ArraySlice<UInt8>)?

    package init(random: any RandomSource = SeededRandom(seed: 1), _ change: (inout ServerConnection.Configuration) -> Void = { _ in }) {
        Sodium.initialize()
        var transport = Transport.Configuration(identification: Identification(sent: Self.line))
        // The recorded sessions and the answers below are of these.
        transport.proposal.kex = [.curve25519, .curve25519LibSSH]
        transport.extensions = [ExtInfo.Extension(name: "server-sig-algs", value: Array("ssh-ed25519".utf8))]
        var configuration = ServerConnection.Configuration(transport: transport)
        change(&configuration)
        server = ServerConnection(configuration, random: random, now: .zero)
    }

    /// Takes bytes from the peer and does all that follows.
    package mutating func take(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty, error == nil, server.takesInput {
            rest = rest.dropFirst(feed(&server, rest, now: now))
            advance()
        }
    }

    package mutating func advance() {
        do throws(SSHError) {
            while let event = try server.next(now: now) {
                handle(event)
                run()
            }
            run()
        } catch {
            self.error = error
        }
    }

    /// Sends what the command still has to say, as far as the client takes it.
    private mutating func run() {
        guard let program, let (id, rest) = running else { return }
        var sent = 0
        while sent < rest.count {
            let count = send(&server, id, Array(rest.dropFirst(sent)))
            if count == 0 { break }
            sent += count
        }
        running = (id, rest.dropFirst(sent))
        guard sent == rest.count, server.room(id) > 0 else { return }
        running = nil
        server.request(id, .exitStatus(program.status))
        server.end(id)
        server.close(id)
    }

    package mutating func tick() {
        do throws(SSHError) { try server.tick(now: now) } catch { self.error = error }
    }

    /// What is to be written, taken as written.
    package mutating func takeOutput() -> [UInt8] {
        let output = Array(server.pending)
        server.didWrite(output.count)
        return output
    }

    package static func sign(_ request: SignatureRequest) -> SignatureAnswer {
        let hash = ExchangeHash(
            clientVersion: Array(request.clientVersion.utf8), serverVersion: Array(line.utf8), clientKexInit: request.clientKexInit,
            serverKexInit: request.serverKexInit, hostKey: hostKey.blob, clientShare: request.clientShare, serverShare: request.serverShare,
            sharedSecret: request.sharedSecret, hash: request.method.hash)
        return SignatureAnswer(hostKey: hostKey.blob, signature: hostKey.sign(hash.value))
    }

    private mutating func handle(_ event: ServerConnection.Event) {
        switch event {
        case .identified(let identification): log.append("identified \(identification.line)")
        case .needSignature(let request):
            log.append("sign \(request.method.rawValue)")
            server.sign(Self.sign(request), now: now)
        case .keysChanged(_, let isFirst): log.append(isFirst ? "first keys" : "new keys")
        case .mayProbe(let probe):
            log.append("probe \(probe.user) \(probe.algorithm)")
            server.answerProbe(welcomesProbes)
        case .verify(let signed):
            let isGranted = grants && (!checksSignatures || isValid(signed))
            log.append("verify \(signed.user) \(signed.algorithm) \(isGranted)")
            if isGranted { server.grant(now: now) } else { server.refuse() }
        case .password(let user, _):
            log.append("password \(user)")
            server.refuse()
        case .channel(let event): handle(event)
        case .disconnected(let disconnect): log.append("disconnected \(disconnect.reason.rawValue) \(disconnect.description)")
        }
    }

    private func isValid(_ signed: UserAuthServer.SignedKey) -> Bool {
        guard let identifier = server.sessionIdentifier, let key = try? PublicKey(blob: signed.key),
            let signature = try? SignatureBlob(blob: signed.signature)
        else { return false }
        let data = PublicKeySignedData(
            sessionIdentifier: identifier, user: signed.user, service: "ssh-connection", algorithm: signed.algorithm, blob: signed.key)
        return key.isValid(signature, over: data.bytes)
    }

    private mutating func handle(_ event: Connection.Event) {
        switch event {
        case .data(let id, let type, let bytes):
            log.append("data \(id.number) \(type == .standard ? "" : "extended ")\(bytes.count)")
            if servesChannels { server.didConsume(id, bytes.count) }
        case .requested(let id, let kind):
            log.append("requested \(id.number) \(Self.text(kind))")
            if servesChannels { server.answer(id, true) }
            if case .exec = kind, let program { running = (id, program.output[...]) }
        case .offered(let id, let type):
            log.append("offered \(id.number) \(type)")
            if servesChannels { server.accept(id) }
        case .globalRequest(let name, let wantReply, _):
            log.append("global \(name) \(wantReply)")
            if wantReply { server.answerGlobal(nil) }
        case .opened(let id), .openFailed(let id, _, _): log.append("opened \(id.number)")
        case .answered(let id, let isSuccess): log.append("answered \(id.number) \(isSuccess)")
        case .ended(let id): log.append("ended \(id.number)")
        case .closed(let id): log.append("closed \(id.number)")
        case .windowOpened(let id): log.append("window \(id.number)")
        case .globalAnswered: log.append("global answered")
        }
    }

    private static func text(_ kind: ChannelRequest.Kind) -> String {
        switch kind {
        case .exec(let command): "exec \(String(decoding: command, as: UTF8.self))"
        case .environment(let name, let value): "env \(name)=\(String(decoding: value, as: UTF8.self))"
        case .subsystem(let name), .signal(let name): "\(kind.name) \(name)"
        default: kind.name
        }
    }
}

/// Gives an end as much of `bytes` as it takes, and says how much.
@discardableResult
package func feed(_ endpoint: inout some Endpoint, _ bytes: some Collection<UInt8>, now: Duration = .zero) -> Int {
    endpoint.receive(limit: bytes.count, now: now) { buffer, range in
        buffer.replaceSubrange(range, with: bytes.prefix(range.count))
        return range.count
    }
}

package func send(_ endpoint: inout some Endpoint, _ id: ChannelID, _ bytes: [UInt8]) -> Int {
    endpoint.send(id, .standard, limit: bytes.count) { buffer, range in
        buffer.replaceSubrange(range, with: bytes[..<range.count])
        return range.count
    }
}
