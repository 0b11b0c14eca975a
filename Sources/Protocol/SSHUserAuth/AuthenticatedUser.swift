/// Proof that a user is authenticated: only ``UserAuthServer`` and ``UserAuthClient`` make one, and it can be used once.
public struct AuthenticatedUser: ~Copyable, Sendable {
    public let name: String

    init(name: String) { self.name = name }
}
