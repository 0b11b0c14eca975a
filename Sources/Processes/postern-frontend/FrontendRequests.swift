import Linux
import MonitorProtocol
import SSH
import SSHKeys
import SSHConnection
import SSHTransport
import SSHUserAuth
import SSHWire
import Sodium

/// What the peer asks, and what the monitor answers.
extension Frontend {
    /// What a user may prove to hold; the monitor is asked about no other.
    static let userAlgorithms = PublicKey.algorithms + Certificate.algorithms

    /// Text that a user with a key of another kind sees (DESIGN §4.1).
    private static let otherKeyBanner = """
        postern: this gateway takes ed25519 keys only. Make one with
          ssh-keygen -t ed25519
        and ask its administrator to add the .pub file.

        """

    mutating func handle(_ event: ServerConnection.Event) throws {
        switch event {
        case .identified(let peer):
            peerKnowsEndOfWrite = peer.line.hasPrefix("SSH-2.0-OpenSSH_")
        case .keysChanged:
            break
        case .disconnected:
            // RFC 4253 §11.1: nothing more is sent or taken. What was running hears of it by the end of this process.
            peerHasEnded = true
        case .needSignature(let request):
            try monitor.send(.sign(FrontendMessage.KeyExchangeRecord(request)))
        case .mayProbe(let key):
            try ask(key.algorithm) {
                .probe(FrontendMessage.Credential(user: key.user, algorithm: key.algorithm, key: key.key, hostKey: key.hostKey))
            }
        case .verify(let key):
            let credential = FrontendMessage.Credential(user: key.user, algorithm: key.algorithm, key: key.key, hostKey: key.hostKey)
            try monitor.send(.authenticate(credential, signature: key.signature))
        case .password:
            preconditionFailure("passwords are not offered")
        case .channel(let event):
            try handle(event)
        }
    }

    private mutating func ask(_ algorithm: String, _ message: () -> FrontendMessage) throws(MonitorChannel.Failure) {
        guard Self.userAlgorithms.contains(algorithm) else {
            ssh.answerProbe(false, banner: Self.otherKeyBanner)
            return
        }
        try monitor.send(message())
    }

    private mutating func handle(_ event: Connection.Event) throws(MonitorChannel.Failure) {
        switch event {
        case .offered(let id, _):
            sessions[id] = Session()
            ssh.accept(id)
        case .requested(let id, let kind):
            try handle(kind, on: id)
        case .data(let id, .standard, let bytes):
            didFeed(id, sessions[id]?.take(bytes) ?? bytes.count)
        case .data(let id, .extended, let bytes):
            // RFC 4254 §5.2: a client has no extended data to send; it is used up and lost.
            ssh.didConsume(id, bytes.count)
        case .ended(let id):
            sessions[id]?.inputHasEnded = true
            didFeed(id, sessions[id]?.feedInput())
        case .closed(let id):
            if let request = sessions.removeValue(forKey: id)?.request {
                channels[request] = nil
                try monitor.send(.closed(request: request))
            }
        case .windowOpened(let id):
            finish(id)
        case .globalRequest(let name, let wantReply, let details):
            switch hostKeys.receive(name, wantReply: wantReply, details) {
            case .ask(let keys): try monitor.send(.prove(hostKeys: keys))
            case .answer(let answers): for answer in answers { ssh.answerGlobal(answer) }
            }
        case .opened, .openFailed, .answered, .globalAnswered:
            break
        }
    }

    // MARK: - Channel requests (RFC 4254 §6)

    private mutating func handle(_ kind: ChannelRequest.Kind, on id: ChannelID) throws(MonitorChannel.Failure) {
        switch kind {
        case .exec(let command): try start(.exec(command), on: id)
        case .shell: try start(.shell, on: id)
        case .subsystem(let name): try start(.subsystem(name), on: id)
        case .environment(let name, let value): ssh.answer(id, keep(FrontendMessage.Variable(name: name, value: value), on: id))
        case .signal(let name):
            let isRunning = sessions[id]?.phase == .running
            if isRunning, let request = sessions[id]?.request { try monitor.send(.signal(request: request, name: name)) }
            ssh.answer(id, isRunning)
        case .exitStatus, .exitSignal, .endOfWrite, .other:
            // No pty, no forwarding, no agent: refused by design (DESIGN §5).
            ssh.answer(id, false)
        }
    }

    /// A channel runs one program (RFC 4254 §6.5); a second is refused.
    private mutating func start(_ program: FrontendMessage.Program, on id: ChannelID) throws(MonitorChannel.Failure) {
        guard let session = sessions[id], session.phase == .fresh else { return ssh.answer(id, false) }
        let request = nextRequest
        nextRequest += 1
        sessions[id]?.phase = .starting
        sessions[id]?.request = request
        channels[request] = id
        try monitor.send(.start(request: request, program, environment: session.environment))
    }

    /// Variables count until the program starts; which of them it gets is the monitor's decision.
    private mutating func keep(_ variable: FrontendMessage.Variable, on id: ChannelID) -> Bool {
        guard let session = sessions[id], session.phase == .fresh, session.environment.count < FrontendMessage.mostVariables
        else { return false }
        // The monitor takes no message with more.
        let bytes = session.environment.reduce(variable.bytes) { $0 + $1.bytes }
        guard bytes <= FrontendMessage.mostVariableBytes else { return false }
        sessions[id]?.environment.append(variable)
        return true
    }

    // MARK: - The monitor's answers

    mutating func take(_ message: MonitorMessage, _ descriptors: [Descriptor]) throws {
        let now = Clock.monotonic
        switch message {
        case .begin:
            throw MonitorChannel.Failure.malformed(.badValue("settings twice"))
        case .signed(let hostKey, let signature):
            ssh.sign(SignatureAnswer(hostKey: hostKey, signature: signature), now: now)
        case .probed(let isWelcome):
            ssh.answerProbe(isWelcome)
        case .authenticated(let isGranted):
            guard isGranted else { return ssh.refuse() }
            ssh.grant(now: now)
            ssh.announceGlobal(name: HostKeyAnnouncement.name, details: hostKeys.details)
        case .proved(let signatures):
            for answer in hostKeys.answer(signatures) { ssh.answerGlobal(answer) }
        case .started(let request):
            try begin(request, descriptors)
        case .printed(let request, let toError, let text, let status):
            guard let id = channels[request] else { break }
            sessions[id]?.phase = .over
            sessions[id]?.text = ArraySlice(text.utf8)
            sessions[id]?.textType = toError ? .standardError : .standard
            sessions[id]?.ending = .status(status)
            ssh.answer(id, true)
            ssh.didConsume(id, sessions[id]?.input.discard() ?? 0)
            finish(id)
        case .stop:
            stopAsked = now
        case .exited(let request, let ending, let note):
            guard let id = channels[request] else { break }
            sessions[id]?.phase = .over
            sessions[id]?.ending = ending
            sessions[id]?.text = ArraySlice(note.utf8)
            ssh.didConsume(id, sessions[id]?.input.discard() ?? 0)
            sessions[id]?.standardInput = nil
            finish(id)
        }
    }

    private mutating func begin(_ request: UInt32, _ descriptors: [Descriptor]) throws(MonitorChannel.Failure) {
        // When the channel has gone meanwhile the descriptors close here, and the monitor was told.
        guard let id = channels[request] else { return }
        try sessions[id]?.begin(descriptors)
        ssh.answer(id, true)
        didFeed(id, sessions[id]?.feedInput())
    }
}

extension FrontendMessage.KeyExchangeRecord {
    init(_ request: SignatureRequest) {
        self.init(
            method: request.method.rawValue, hostKeyAlgorithm: request.hostKeyAlgorithm, clientVersion: request.clientVersion, clientKexInit: request.clientKexInit,
            serverKexInit: request.serverKexInit, clientShare: request.clientShare, serverShare: request.serverShare,
            sharedSecret: request.sharedSecret.disclosed())
    }
}
