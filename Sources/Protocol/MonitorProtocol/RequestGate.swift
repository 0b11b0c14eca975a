/// Why the monitor ends a frontend that asks for what it may not ask.
public enum GateError: Error, Equatable, Sendable {
    /// A request that this phase does not allow.
    case outOfTurn(request: String, phase: String)
    /// More of these requests than a connection may make.
    case tooMany(request: String, limit: Int)
}

/// The monitor's table of what a frontend may ask, and when (DESIGN §6). Everything else ends the connection.
public struct RequestGate: Sendable {
    public enum Phase: String, Sendable {
        case beforeKeys = "before the first key exchange"
        case beforeAuthentication = "before authentication"
        case authenticated = "after authentication"
        case over = "after the farewell"
    }

    public private(set) var phase = Phase.beforeKeys
    private var signatures = 0
    private var probes = 0
    private var exchanges = 0
    private var proofs = 0
    /// Requests are numbered without a gap, and none is made twice.
    private var nextRequest: UInt32 = 0

    /// RFC 4252 §4 recommends 20 tries; DESIGN §5 has 6 signatures and 64 probes.
    public static let mostSignatures = 6
    public static let mostProbes = 64
    /// Clients ask once for the host keys that they did not know.
    private static let mostProofs = 1
    /// Repeated key exchanges that need no explanation by bytes or time.
    private static let freeExchanges = 8
    private static let secondsAnExchange = 10
    /// A request a millisecond for a day: numbers are never used again.
    private static let mostRequests: UInt32 = 86_400_000
    /// What a client that wants new keys often has moved meanwhile; an exchange itself takes some thousand.
    private static let bytesAnExchange: UInt64 = 32 * 1024
    /// Where nobody counts bytes: as many as 64 MiB would explain.
    private static let uncountedExchangesASecond = 2048

    public init() {}

    /// Lets a request through, or throws.
    ///
    /// - Parameters:
    ///   - age: how long the connection has been there.
    ///   - movedBytes: how many bytes went over it both ways, as the kernel counts; nil: it does not.
    public mutating func admit(_ request: FrontendMessage, age: Duration, movedBytes: UInt64?) throws(GateError) {
        switch (phase, request) {
        case (.beforeKeys, .sign):
            phase = .beforeAuthentication
        case (.beforeAuthentication, .probe):
            try Self.count(&probes, limit: Self.mostProbes, request)
        case (.beforeAuthentication, .authenticate):
            try Self.count(&signatures, limit: Self.mostSignatures, request)
        case (.authenticated, .sign):
            let seconds = Int(clamping: age.components.seconds)
            let bySeconds = seconds / Self.secondsAnExchange
            let byBytes = movedBytes.map { Int(clamping: $0 / Self.bytesAnExchange) } ?? (min(max(seconds, 0), 1 << 20) + 1) * Self.uncountedExchangesASecond
            try Self.count(&exchanges, limit: Self.freeExchanges + bySeconds + byBytes, request)
        case (.authenticated, .prove):
            try Self.count(&proofs, limit: Self.mostProofs, request)
        case (.authenticated, .start(nextRequest, _, _)):
            guard nextRequest < Self.mostRequests else { throw .tooMany(request: request.name, limit: Int(Self.mostRequests)) }
            nextRequest += 1
        case (.authenticated, .signal(let number, _)), (.authenticated, .closed(let number)):
            guard number < nextRequest else { throw .outOfTurn(request: request.name, phase: "before its start") }
        case (.beforeKeys, .farewell), (.beforeAuthentication, .farewell), (.authenticated, .farewell),
            (.beforeKeys, .fault), (.beforeAuthentication, .fault), (.authenticated, .fault):
            phase = .over
        default:
            throw .outOfTurn(request: request.name, phase: phase.rawValue)
        }
    }

    /// The monitor itself has verified a signature and let the user in.
    public mutating func userIsAuthenticated() {
        precondition(phase == .beforeAuthentication, "authenticated \(phase.rawValue)")
        phase = .authenticated
    }

    private static func count(_ counter: inout Int, limit: Int, _ request: FrontendMessage) throws(GateError) {
        counter += 1
        guard counter <= limit else { throw .tooMany(request: request.name, limit: limit) }
    }
}

extension FrontendMessage {
    /// For logs.
    public var name: String {
        switch self {
        case .sign: "sign"
        case .probe: "probe"
        case .authenticate: "authenticate"
        case .start: "start"
        case .prove: "prove"
        case .signal: "signal"
        case .closed: "closed"
        case .farewell: "farewell"
        case .fault: "fault"
        }
    }
}
