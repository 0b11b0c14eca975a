public import SSHBase

/// Where a connection comes from.
public struct SSHPeer: Hashable, Sendable {
    /// An IP address.
    public let address: String
    /// A TCP port.
    public let port: Int
}

/// A key that someone asks about: nothing is proven, and nothing may be granted for it.
public struct ProbedKey: Sendable {
    /// The name they want to go by.
    public let user: String
    /// The key; where there is a certificate, the one that it is for.
    public let key: SSHPublicKey
    /// The certificate, where that is what they show.
    public let certificate: SSHCertificate?
    /// Where they come from.
    public let peer: SSHPeer
}

/// A key whose private half someone holds: they have signed this very connection with it. Only the library makes one.
public struct ProvenKey: Sendable {
    /// The name they want to go by.
    public let user: String
    /// The key; where there is a certificate, the one that it is for.
    public let key: SSHPublicKey
    /// The certificate, where that is what they showed. Its signature is its signer's; whether that one is trusted, for this user and now,
    /// and what ``SSHCertificate/isRestricted`` asks for, is for you to say.
    public let certificate: SSHCertificate?
    /// Where they come from.
    public let peer: SSHPeer

    init(_ probe: ProbedKey) { (user, key, certificate, peer) = (probe.user, probe.key, probe.certificate, probe.peer) }
}

/// A password that someone tries.
public struct OfferedPassword: Sendable {
    /// The name they want to go by.
    public let user: String
    /// What they typed.
    public let password: String
    /// Where they come from.
    public let peer: SSHPeer
}

/// The answer to a proof: whether the user is let in, and what they are told beside that.
public struct LoginDecision: Sendable {
    let isGranted: Bool
    let banner: String?

    /// The user is let in.
    public static let granted = LoginDecision(isGranted: true, banner: nil)
    /// The user is not let in, and may try something else.
    public static let refused = LoginDecision(isGranted: false, banner: nil)
    /// The user is let in, and shown a banner.
    public static func granted(saying banner: String) -> LoginDecision { LoginDecision(isGranted: true, banner: banner) }
    /// The user is not let in, and shown a banner.
    public static func refused(saying banner: String) -> LoginDecision { LoginDecision(isGranted: false, banner: banner) }
}

/// Who is let in. Each question may come several times on a connection; where there is no closure for a method, it is not offered.
public struct Authentication: Sendable {
    /// Whether a signature by a key would be of use; clients ask before they bother their user. Nil: all would be.
    public var wouldTake: (@Sendable (ProbedKey) async -> Bool)?
    /// Whether the holder of a key is let in.
    public var key: (@Sendable (ProvenKey) async -> LoginDecision)?
    /// Whether who knows a password is let in.
    public var password: (@Sendable (OfferedPassword) async -> LoginDecision)?
    /// What everybody is shown first; empty: nothing.
    public var greeting = ""

    /// At least one of the closures makes sense: without any, nobody comes in.
    public init(
        key: (@Sendable (ProvenKey) async -> LoginDecision)? = nil, wouldTake: (@Sendable (ProbedKey) async -> Bool)? = nil,
        password: (@Sendable (OfferedPassword) async -> LoginDecision)? = nil, greeting: String = ""
    ) {
        (self.key, self.wouldTake, self.password, self.greeting) = (key, wouldTake, password, greeting)
    }
}
