import Peers

/// A peer by hand with a server in memory.
typealias HandPeer = PeerByHand<ServerHost>

extension ServerHost: HandHost {
    mutating func take(_ bytes: [UInt8]) { take(bytes[...]) }
    /// It has answered at once.
    mutating func saysMore() -> Bool { false }
}

extension PeerByHand<ServerHost> {
    init(isStrict: Bool = true, identifies: Bool = true) { self.init(ServerHost(), isStrict: isStrict, identifies: identifies) }

    static func at(_ stage: Stage, isStrict: Bool = true, _ host: ServerHost = ServerHost()) throws -> HandPeer {
        var peer = HandPeer(host, isStrict: isStrict)
        try peer.advance(to: stage)
        return peer
    }
}
