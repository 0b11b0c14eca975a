/// What limits connections before anybody has logged in (posternd(8), "Limits").
///
/// A *source* is an address, or the network of a given length that it is in.
public struct ArrivalLimits: Equatable, Sendable {
    /// At once, logged in or not: 1 to ``mostConnections``.
    public var connections = 512
    /// At once, not yet logged in. The last quarter is for sources that logged in lately.
    public var unauthenticated = 128
    /// At once, not yet logged in, of one source; twice as many where it logged in lately.
    public var perSource = 32
    /// How many leading bits of an IPv4 address make its source: 1 to 32.
    public var ipv4Prefix = 32
    /// The same for IPv6: 1 to 128.
    public var ipv6Prefix = 64
    /// Addresses for which neither ``perSource`` nor penalties hold. A list of exclusions alone exempts nobody.
    public var exempt: [AddressPattern] = []
    public var penalties = Penalties()

    /// What the table of connections has room for.
    public static let mostConnections = 1000

    public init() {}

    /// Whether an address is among those that are exempt.
    public func exempts(_ host: String) -> Bool { !exempt.isEmpty && AddressPattern.list(exempt, admits: host) }
}

/// For how long a source is turned away after what it did. Zero: not for that.
public struct Penalties: Equatable, Sendable {
    /// Keys were tried, and none let it in.
    public var failed: Duration = .seconds(5)
    /// It went without trying a key.
    public var silent: Duration = .seconds(1)
    /// It took longer than ``Gateway/loginGrace``.
    public var slow: Duration = .seconds(10)
    /// The process that reads what it sends broke the rules, or crashed.
    public var violation: Duration = .seconds(90)
    /// Penalties add up, and count from this sum on.
    public var threshold: Duration = .seconds(15)
    /// They add up to no more than this.
    public var most: Duration = .seconds(600)
    /// For this long after a login a source is known: ``failed`` and ``silent`` are forgiven.
    public var remember: Duration = .seconds(86_400)

    public init() {}
}

/// From where the PROXY protocol is understood, and whether it must be spoken.
public struct ProxyRule: Equatable, Sendable {
    /// The proxies; not empty.
    public var from: [AddressPattern]
    /// False: a connection from a proxy may also begin with SSH, and is then its own.
    public var isRequired = true
    /// How long the header may take.
    public var timeout: Duration = .seconds(5)

    public init(from: [AddressPattern]) { self.from = from }

    /// Whether connections from an address are a proxy's.
    public func concerns(_ host: String) -> Bool { !from.isEmpty && AddressPattern.list(from, admits: host) }
}
