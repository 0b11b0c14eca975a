import CGcrypt

/// libgcrypt 1.10 as safe Swift: every length is checked here, and no pointer leaves this module.
public enum Gcrypt {
    /// Starts libgcrypt, which looks at files for that; more than one call, from any thread, is harmless. Traps if it cannot start.
    ///
    /// A process that confines itself calls it before.
    public static func initialize() { _ = started }

    private static let started: Bool = {
        guard postern_gcrypt_start() == 0 else { preconditionFailure("libgcrypt does not start") }
        return true
    }()
}
