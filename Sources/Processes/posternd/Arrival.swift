import Arrivals
import Linux
import Policy
import SSHWire
import Sodium

/// A connection before SSH begins: who is at the other end, and whether there is room for it.
struct Arrival {
    let connection: Descriptor
    let peer: Session.Endpoint
    let local: Session.Endpoint
    /// The address of the proxy that passed it on; nil: nobody did.
    let proxy: String?
    /// Eight hexadecimal digits, in every record of this connection and in the identification that the client sees.
    let connectionID: String
    let identification: String
    /// When it came.
    let time: Duration
    let policy: LivePolicy
    let gateway: Gateway
    /// Nil where nothing could be written down: then there are no limits either, and the log says why.
    private let table: ArrivalTable?
    private let claim: ArrivalTable.Claim?
    let log: Log

    /// Looks at a connection, which is greeted where it may stay.
    ///
    /// - Throws: ``TurnedAway`` for one that was told to go.
    init(_ handOver: HandOver, _ options: Options, _ log: Log, software: String) throws {
        Sodium.initialize()
        time = Clock.monotonic
        connection = handOver.connection
        connectionID = Self.randomID()
        identification = Self.identification(software, connectionID)
        let (far, near) = try Self.ends(of: connection)
        self.log = log
        log.connection = connectionID
        log.peer = far.host
        policy = try LivePolicy(options.policy, trusting: Users.currentUID == 0 ? nil : Users.currentUID, orElse: handOver.policy, log: log)
        gateway = try policy.gateway()
        table = Self.openTable(options, log)
        do {
            var claim = try Self.claim(handOver.claim, Self.source(far.host, gateway), gateway, table, log)
            var relayed: (client: Session.Endpoint, server: Session.Endpoint)?
            if let rule = gateway.proxy, rule.concerns(far.host) {
                let ends = try ProxyReader(connection, rule).read()
                if case .relayed(let client, let server) = ends { relayed = (Session.Endpoint(client), Session.Endpoint(server)) }
                log.peer = relayed?.client.host ?? far.host
                // What the proxy itself wants, to see whether we are there, has no limits; what comes without a header has those of its address.
                let source = ends == .own ? nil : Source(host: log.peer, gateway.arrivals)
                claim = try Self.move(claim, gateway.arrivals.exempts(log.peer) ? nil : source, gateway, table, log)
            }
            (peer, local, proxy) = (relayed?.client ?? far, relayed?.server ?? near, relayed == nil ? nil : far.host)
            self.claim = claim
        } catch let fault as ProxyFault {
            log.turnedAway("\(fault)", 1)
            connection.turnAway("\(fault)", identification: identification)
            connection.linger()
            throw TurnedAway()
        } catch let error as ArrivalTable.TurnedAway {
            log.turnedAway("\(error.refusal)", error.count)
            connection.turnAway("\(error.refusal)", identification: identification)
            connection.linger()
            throw TurnedAway()
        }
        try greet()
    }

    /// The first bytes on the wire are ours and need no frontend: the client need not wait for its start.
    private func greet() throws(Fault) {
        // Where the connection is not TCP this fails, and does not matter.
        do throws(Errno) { try connection.setNoDelay() } catch {}
        try naming("connection", isTemporary: true) { () throws(Errno) in
            do throws(Errno) {
                try connection.writeAll(Array("\(identification)\r\n".utf8))
            } catch .connectionReset, .brokenPipe {
                // The client has gone: the frontend finds that out too, and the log says it as of every other.
            }
        }
    }

    /// Thrown for a connection that was told to go.
    struct TurnedAway: Error {}

    /// - Throws: ``TurnedAway`` where the client has gone before anybody looked: nobody knows any more who it was.
    private static func ends(of connection: Descriptor) throws(TurnedAway) -> (peer: Session.Endpoint, local: Session.Endpoint) {
        func endpoint(_ address: () throws(Errno) -> SocketAddress) throws(TurnedAway) -> Session.Endpoint {
            do throws(Errno) {
                let found = try address()
                return Session.Endpoint(host: found.host, port: found.port)
            } catch .notConnected {
                throw TurnedAway()
            } catch {
                return Session.Endpoint(host: "unknown", port: 0)
            }
        }
        return (try endpoint(connection.peerAddress), try endpoint(connection.localAddress))
    }

    static func identification(_ software: String, _ connectionID: String) -> String { "SSH-2.0-\(software) \(connectionID)" }

    static func randomID() -> String {
        randomBytes(count: 4).map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
    }

    /// Whose limits hold for a connection from `host`; nil: nobody's, or it is not known yet whose.
    static func source(_ host: String, _ gateway: Gateway) -> Source? {
        gateway.arrivals.exempts(host) || gateway.proxy?.concerns(host) == true ? nil : Source(host: host, gateway.arrivals)
    }

    /// A gateway that cannot count its connections serves them all the same: locking everybody out is worse.
    static func openTable(_ options: Options, _ log: Log) -> ArrivalTable? {
        do throws(Errno) {
            return try ArrivalTable(in: options.state)
        } catch {
            log.error("no limits before authentication: \"\(options.state)/arrivals\": \(error)")
            return nil
        }
    }

    /// - Returns: nil where nothing could be written down.
    private static func claim(
        _ offered: String?, _ source: Source?, _ gateway: Gateway, _ table: ArrivalTable?, _ log: Log
    ) throws(ArrivalTable.TurnedAway) -> ArrivalTable.Claim? {
        guard let table else { return nil }
        let answer: Result<ArrivalTable.Claim, ArrivalTable.TurnedAway>
        do throws(Errno) {
            // A listener has looked already.
            if let offered, let given = ArrivalTable.Claim(offered, source: source), try table.own(given) { return given }
            answer = try table.enter(source, gateway)
        } catch {
            log.error("no limits before authentication: \(error)")
            return nil
        }
        return try answer.get()
    }

    /// Another place, now that it is known whose connection it is.
    private static func move(
        _ claim: ArrivalTable.Claim?, _ source: Source?, _ gateway: Gateway, _ table: ArrivalTable?, _ log: Log
    ) throws(ArrivalTable.TurnedAway) -> ArrivalTable.Claim? {
        guard let table, let claim, let source else { return claim }
        let answer: Result<ArrivalTable.Claim, ArrivalTable.TurnedAway>
        do throws(Errno) {
            answer = try table.enter(source, gateway, instead: claim)
        } catch {
            log.error("no limits before authentication: \(error)")
            return nil
        }
        return try answer.get()
    }

    // MARK: - What becomes of it

    func hasLoggedIn() {
        note { (table, claim) throws(Errno) in try table.logIn(claim, gateway) }
    }

    /// - Parameter offence: what it did wrong, if it ended without a login.
    func isOver(_ offence: Offence?) {
        note { (table, claim) throws(Errno) in try table.leave(claim, offence, gateway) }
    }

    private func note(_ body: (ArrivalTable, ArrivalTable.Claim) throws(Errno) -> Void) {
        guard let table, let claim else { return }
        do throws(Errno) {
            try body(table, claim)
        } catch {
            log.error("table of connections: \(error)")
        }
    }
}

extension Session.Endpoint {
    fileprivate init(_ endpoint: ProxyHeader.Endpoint) { self.init(host: endpoint.address.withoutMapping.description, port: endpoint.port) }
}
