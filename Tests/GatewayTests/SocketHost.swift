import Linux
import SSHKeys
import SSHWire
import Sodium

/// A peer by hand with a gateway at the other end of a socket.
typealias SocketPeer = PeerByHand<SocketHost>

struct SocketHost: HandHost {
    private let socket: Descriptor
    /// Read, and not yet taken.
    private var output: [UInt8] = []
    private(set) var hasHungUp = false
    private var isSilent = false
    /// A gateway that says nothing for so long says nothing at all.
    private static let patience: Duration = .seconds(20)

    init(_ gateway: Gateway) throws(Errno) {
        ignoreBrokenPipes()
        socket = try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: gateway.port))
        try socket.setNoDelay()
    }

    /// Nothing more will come.
    var isOver: Bool { hasHungUp || isSilent }

    mutating func take(_ bytes: [UInt8]) {
        // One that has hung up takes no more; what it said before can still be read.
        do throws(Errno) { try socket.writeAll(bytes) } catch {}
    }

    mutating func takeOutput() -> [UInt8] {
        read(within: .zero)
        defer { output = [] }
        return output
    }

    mutating func saysMore() -> Bool {
        if output.isEmpty { read(within: Self.patience) }
        return !output.isEmpty
    }

    private mutating func read(within patience: Duration) {
        guard !hasHungUp, !isSilent else { return }
        do throws(Errno) {
            var poll = PollSet()
            poll.add(socket, .readable, token: 0)
            guard try !poll.wait(timeout: patience).isEmpty else {
                // Nobody waits for such a gateway again.
                if patience > .zero { isSilent = true }
                return
            }
            var bytes = [UInt8](repeating: 0, count: 64 * 1024)
            let count = try socket.read(into: &bytes, bytes.indices) ?? 0
            output += bytes.prefix(count)
            if count == 0 { hangUp() }
        } catch {
            hangUp()
        }
    }

    /// Does as the gateway did, which need not wait for us then.
    private mutating func hangUp() {
        hasHungUp = true
        do throws(Errno) { try socket.shutDown(receiving: false) } catch {}
    }
}

extension PeerByHand<SocketHost> {
    /// A connection of alice's, brought so far.
    static func at(_ stage: Stage, _ gateway: Gateway, isStrict: Bool = true, cipher: String = "chacha20-poly1305@openssh.com") throws -> SocketPeer {
        let key = try gateway.signingKey("alice")
        var peer = SocketPeer(try SocketHost(gateway), isStrict: isStrict)
        peer.cipher = cipher
        let user = gateway.user.name
        peer.login = { Self.request(user: user, signedBy: key, session: $0) }
        peer.listen { $0.serverLine != nil }
        try peer.advance(to: stage)
        switch stage {
        case .authenticated: peer.listen(for: .userAuthSuccess)
        case .channel: peer.listen(for: .channelOpenConfirmation)
        default: break
        }
        return peer
    }

    /// A request to log in, its signature by one key and perhaps in the name of another.
    static func request(user: String, signedBy key: Ed25519SigningKey, named blob: [UInt8]? = nil, algorithm: String = "ssh-ed25519", session: [UInt8]) -> UserAuthRequest {
        let blob = blob ?? PublicKey(ed25519: key.publicKey).blob
        let signed = PublicKeySignedData(sessionIdentifier: session, user: user, algorithm: algorithm, blob: blob)
        var signature = WireWriter()
        signature.text(algorithm)
        signature.string(key.sign(signed.bytes))
        return UserAuthRequest(user: user, service: "ssh-connection", method: .publicKey(algorithm: algorithm, key: blob, signature: signature.bytes))
    }

    /// The gateway's word for this connection.
    var connection: String { serverLine?.split(separator: " ").last.map(String.init) ?? "" }

    /// Waits for the end, and returns with which reason it came; nil: without one, or not at all.
    mutating func ending() throws -> Disconnect.Reason? {
        listen { _ in false }
        guard host.hasHungUp else { throw Trouble("the gateway has not hung up") }
        return try take(Disconnect.self).last?.reason
    }
}

extension Gateway {
    func signingKey(_ name: String) throws -> Ed25519SigningKey {
        try PrivateKeyFile(text: readFile("\(directory)/\(name)", limit: PrivateKeyFile.limitBytes)).key
    }
}
