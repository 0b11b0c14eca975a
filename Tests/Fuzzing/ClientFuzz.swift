import Peers
import SSH
import SSHConnection
import SSHKeys
import SSHTransport
import SSHWire
import Sodium

/// Our client against a server that has keys and no manners.
struct ClientFuzz {
    private enum Stage: UInt8, CaseIterable { case silent, keyed, asking, authenticated, channel }

    private static let stages: [ClientFuzz] = Stage.allCases.map { ClientFuzz($0) }

    private var client: ClientConnection
    private var server: Transport
    private var now: Duration = .zero
    private var hasFailed = false
    private var isGranted = false

    private init(_ stage: Stage) {
        Sodium.initialize()
        var configuration = Transport.Configuration(identification: Identification(sent: "SSH-2.0-Client"))
        configuration.proposal.kex = [.curve25519]
        client = ClientConnection(configuration, takesChannels: true, keepalive: .seconds(30), random: SeededRandom(seed: 3), now: .zero)
        configuration.identification = Identification(sent: ServerHost.line)
        server = Transport(role: .server, configuration: configuration, random: SeededRandom(seed: 4))
        if stage == .silent { return }
        carry()
        if stage == .keyed { return }
        client.attempt(user: "alice", method: .publicKey(algorithm: "ssh-ed25519", key: [1], signature: [2]))
        carry()
        say(ServiceAccept(service: "ssh-userauth").payload)
        if stage == .asking { return }
        say(UserAuthSuccess().payload)
        if stage == .authenticated { return }
        precondition(client.openSession() != nil, "no channel")
        carry()
        say(ChannelOpenConfirmation(recipientChannel: 0, senderChannel: 9, initialWindow: 1 << 20, maximumPacket: 32_768).payload)
        precondition(!hasFailed && client.openChannels.count == 1, "the honest part of a session failed")
    }

    static func run(_ bytes: [UInt8]) {
        var script = Script(bytes)
        var session = stages[Int(script.byte()) % stages.count]
        for step in script {
            session.take(step)
            if session.hasFailed { break }
        }
        precondition(session.client.pendingBytes < 8 << 20, "\(session.client.pendingBytes) bytes wait")
    }

    private mutating func take(_ step: Script.Step) {
        switch step.kind % 8 {
        case 0, 1, 2: if !step.bytes.isEmpty { say(step.bytes) }
        case 3: feed(step.bytes)
        case 4:
            now += .seconds(step.bytes.count)
            do throws(SSHError) { try client.tick(now: now) } catch { hasFailed = true }
        case 5: client.requestKeyExchange()
        case 6: act(step)
        default: if client.mayAttempt { client.attempt(user: "bob", method: .none) }
        }
        carry()
    }

    private mutating func act(_ step: Script.Step) {
        guard isGranted else { return }
        guard let id = client.openChannels.first else {
            _ = client.openSession()
            return
        }
        switch (step.bytes.first ?? 0) % 5 {
        case 0: _ = send(&client, id, step.bytes)
        case 1: client.end(id)
        case 2: client.close(id)
        case 3: client.request(id, .shell, wantReply: true)
        default: _ = client.openSession()
        }
    }

    private mutating func say(_ payload: [UInt8]) {
        server.send(payload)
        carry()
    }

    private mutating func feed(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty, client.takesInput, !hasFailed {
            rest = rest.dropFirst(Peers.feed(&client, rest, now: now))
            listen()
        }
    }

    private mutating func listen() {
        do throws(SSHError) {
            while let event = try client.next(now: now) {
                switch event {
                case .granted: isGranted = true
                case .judgeHostKey: client.acceptHostKey(now: now)
                case .channel(.data(let id, _, let bytes)): client.didConsume(id, bytes.count)
                case .channel(.offered(let id, _)): client.accept(id)
                case .channel(.requested(let id, _)): client.answer(id, true)
                case .channel(.globalRequest(_, true, _)): client.answerGlobal(nil)
                default: break
                }
            }
        } catch {
            hasFailed = true
        }
    }

    private mutating func carry() {
        for _ in 0..<100 where client.pendingBytes > 0 || server.pendingBytes > 0 {
            let toServer = Array(client.pending)
            client.didWrite(toServer.count)
            var rest = toServer[...]
            while !rest.isEmpty, server.takesInput {
                let count = server.receive(limit: rest.count) { buffer, range in
                    buffer.replaceSubrange(range, with: rest.prefix(range.count))
                    return range.count
                }
                rest = rest.dropFirst(count)
                serve()
            }
            let toClient = Array(server.pending)
            server.didWrite(toClient.count)
            feed(toClient)
        }
    }

    private mutating func serve() {
        do throws(TransportError) {
            while let event = try server.next(now: now) {
                if case .needSignature(let request) = event { server.sign(ServerHost.sign(request), now: now) }
            }
        } catch {
            server.disconnect(error.disconnect)
        }
    }
}
