package import NIOCore
import NIOPosix
package import SSHBase
import Synchronization

/// Connects to a place, with a ``Driver`` at this end of the connection.
///
/// - Parameter makeDriver: called on the connection's event loop, before a byte is read.
package func openSocket<End: DrivenEnd>(
    host: String, port: Int, timeout: Duration, _ makeDriver: @escaping @Sendable (any EventLoop) -> Driver<End>
) async throws(SSHFailure) -> Driver<End> {
    // A host with several addresses has several sockets tried, each with a driver; one connects.
    let made = Mutex<[ObjectIdentifier: Driver<End>]>([:])
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(TimeAmount(timeout))
        .channelOption(.autoRead, value: false)
        .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        .channelOption(.recvAllocator, value: readSizes)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let driver = makeDriver(channel.eventLoop)
                made.withLock { $0[ObjectIdentifier(channel)] = driver }
                try channel.pipeline.syncOperations.addHandler(driver)
            }
        }
    do {
        let channel = try await bootstrap.connect(host: host, port: port).get()
        guard let driver = made.withLock({ $0[ObjectIdentifier(channel)] }) else { throw ChannelError.eof }
        return driver
    } catch {
        throw .unreachable(place: "\(host):\(port)", reason: reason(error))
    }
}

/// A place where connections are accepted.
package final class Listener: Sendable {
    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    /// Accepts connections, each with a ``Driver`` of its own.
    ///
    /// - Parameter makeDriver: called with the peer's address on the connection's event loop; nil closes the connection.
    package static func listen<End: DrivenEnd>(
        host: String, port: Int, _ makeDriver: @escaping @Sendable (any EventLoop, PeerAddress) -> Driver<End>?
    ) async throws(SSHFailure) -> Listener {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: readSizes)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let driver = makeDriver(channel.eventLoop, PeerAddress(channel.remoteAddress)) else { throw ChannelError.eof }
                    try channel.pipeline.syncOperations.addHandler(driver)
                }
            }
        do {
            return Listener(try await bootstrap.bind(host: host, port: port).get())
        } catch {
            throw .unreachable(place: "\(host):\(port)", reason: reason(error))
        }
    }

    /// The port that is listened on.
    package var port: Int { channel.localAddress?.port ?? 0 }

    /// Accepts no more; again is harmless.
    package func close() { channel.close(promise: nil) }
    /// Waits until no more are accepted.
    package func waitUntilClosed() async { _ = try? await channel.closeFuture.get() }
}

/// Where a connection comes from.
package struct PeerAddress: Sendable {
    /// An IP address, or empty where there is none.
    package let host: String
    package let port: Int

    init(_ address: SocketAddress?) {
        host = address?.ipAddress ?? ""
        port = address?.port ?? 0
    }
}

/// Reads grow with what comes, to some packets at once.
private let readSizes = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 256 * 1024)

/// TCP_QUICKACK of tcp(7), which SwiftNIO has no name for.
let quickAcknowledgement = NIOBSDSocket.Option(rawValue: 12)
