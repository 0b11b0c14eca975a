import Peers
import SSHConnection
import SSHTransport
import SSHUserAuth
import SSHWire
import Testing
@testable import SSH

@Suite("SSH: a host that answers late") struct LateHostTests {
    /// A server whose host has not answered what it was asked, and what the peer said until then.
    private func asked(_ isAsked: (ServerConnection.Event) -> Bool, _ server: inout ServerConnection, _ bytes: [UInt8]) throws -> SignatureRequest? {
        feed(&server, bytes)
        while let event = try server.next(now: .zero) {
            if case .needSignature(let request) = event { return request }
            if isAsked(event) { return nil }
        }
        return nil
    }

    @Test func `nothing follows a DISCONNECT, whatever the host still answers`() throws {
        var peer = try HandPeer.at(.started)
        var server = peer.host.server
        let request = try asked({ _ in false }, &server, peer.packet(Messages.share))
        let question = try #require(request)
        #expect(throws: SSHError.loginGraceExpired) { try server.tick(now: .seconds(20)) }
        let pending = Array(server.pending)
        server.sign(ServerHost.sign(question), now: .seconds(21))
        server.requestKeyExchange()
        #expect(Array(server.pending) == pending)
        #expect(try server.next(now: .seconds(21)) == nil)
    }

    @Test func `no more than 128 KiB is read while an answer is awaited`() throws {
        var peer = try HandPeer.at(.started)
        var server = peer.host.server
        #expect(server.takesInput)
        _ = try asked({ _ in false }, &server, peer.packet(Messages.share))
        for _ in 0..<100 { feed(&server, [UInt8](repeating: 0, count: 16 * 1024)) }
        #expect(!server.takesInput)
        #expect(server.stack.transport.unreadBytes == 128 * 1024)
    }

    @Test func `new keys are not asked for before authentication, and then when they are due`() throws {
        var host = ServerHost { configuration in
            configuration.transport.rekeyAfter = .seconds(10)
            configuration.transport.rekeyAfterBytes = 1
        }
        host.now = .seconds(1)
        var peer = try HandPeer.at(.service, host)
        peer.host.now = .seconds(19)
        peer.host.tick()
        peer.host.advance()
        #expect(!peer.receivedNumbers.contains(20))
        #expect(peer.host.server.deadline == .seconds(20))
        try peer.authenticateOnce()
        #expect(peer.receivedNumbers.contains(20))
    }

    @Test func `tick asks for new keys at the deadline`() throws {
        let host = ServerHost { configuration in
            configuration.transport.rekeyAfter = .seconds(10)
            configuration.keepalive = nil
        }
        var peer = try HandPeer.at(.channel, host)
        peer.received = []
        #expect(peer.host.server.deadline == .seconds(10))
        peer.host.now = .seconds(10)
        peer.host.tick()
        peer.listen()
        #expect(peer.receivedNumbers == [20])
        // How long the peer may take to answer.
        #expect(peer.host.server.deadline == .seconds(130))
        try peer.exchangeKeys()
        #expect(peer.host.server.deadline == .seconds(20))
    }
}
