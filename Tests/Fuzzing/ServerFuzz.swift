import Peers
import SSH
import SSHConnection
import SSHTransport
import SSHWire
import Sodium

/// Our server against a client that has keys and no manners.
struct ServerFuzz {
    /// How far a session is when the script begins.
    private enum Stage: UInt8, CaseIterable { case silent, keyed, authenticated, channel }

    private static let stages: [ServerFuzz] = Stage.allCases.map { ServerFuzz($0) }

    private var host = ServerHost()
    private var client: Transport

    private init(_ stage: Stage) {
        client = Transport(role: .client, configuration: .init(identification: Identification(sent: "SSH-2.0-Fuzz")), random: SeededRandom(seed: 7))
        if stage == .silent { return }
        carry()
        if stage == .keyed { return }
        say(ServiceRequest(service: "ssh-userauth").payload)
        say(UserAuthRequest(user: "alice", service: "ssh-connection", method: .publicKey(algorithm: "ssh-ed25519", key: [1], signature: [2])).payload)
        if stage == .authenticated { return }
        say(ChannelOpen(type: "session", senderChannel: 5, initialWindow: 1 << 20, maximumPacket: 32_768).payload)
        precondition(host.error == nil && host.server.openChannels.count == 1, "the honest part of a session failed: \(host.log)")
    }

    static func run(_ bytes: [UInt8]) {
        var script = Script(bytes)
        var session = stages[Int(script.byte()) % stages.count]
        for step in script {
            session.take(step)
            if session.host.error != nil { break }
        }
        session.finish()
    }

    private mutating func take(_ step: Script.Step) {
        switch step.kind % 8 {
        case 0, 1, 2: if !step.bytes.isEmpty { say(step.bytes) }
        case 3: host.take(step.bytes)
        case 4:
            host.now += .seconds(step.bytes.count)
            host.tick()
        case 5: host.server.requestKeyExchange()
        case 6: act(step)
        default:
            host.servesChannels.toggle()
            host.welcomesProbes.toggle()
        }
        carry()
    }

    /// What a host does on its own.
    private mutating func act(_ step: Script.Step) {
        guard let id = host.server.openChannels.first else { return }
        switch (step.bytes.first ?? 0) % 5 {
        case 0: _ = send(&host.server, id, step.bytes)
        case 1: host.server.end(id)
        case 2: host.server.close(id)
        case 3: host.server.request(id, .exitStatus(1))
        default: host.server.answer(id, false)
        }
    }

    private mutating func say(_ payload: [UInt8]) {
        client.send(payload)
        carry()
    }

    /// Carries bytes both ways until both are quiet; a client that is at its end is only listened to no more.
    private mutating func carry() {
        for _ in 0..<100 where client.pendingBytes > 0 || host.server.pendingBytes > 0 {
            let toServer = Array(client.pending)
            client.didWrite(toServer.count)
            host.take(toServer)
            var toClient = host.takeOutput()[...]
            while !toClient.isEmpty, client.takesInput {
                let count = client.receive(limit: toClient.count) { buffer, range in
                    buffer.replaceSubrange(range, with: toClient.prefix(range.count))
                    return range.count
                }
                toClient = toClient.dropFirst(count)
                listen()
            }
        }
    }

    private mutating func listen() {
        do throws(TransportError) {
            while let event = try client.next(now: host.now) { if case .judgeHostKey = event { client.acceptHostKey(now: host.now) } }
        } catch {
            client.disconnect(error.disconnect)
        }
    }

    /// What must hold whatever was said.
    private mutating func finish() {
        precondition(host.server.pendingBytes < 8 << 20, "\(host.server.pendingBytes) bytes wait")
        guard host.error != nil else { return }
        do throws(SSHError) {
            let event = try host.server.next(now: host.now)
            precondition(event == nil, "an event after the end")
        } catch {
            preconditionFailure("an error after the end: \(error)")
        }
    }
}
