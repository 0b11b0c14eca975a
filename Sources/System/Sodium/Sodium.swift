import CSodium

/// libsodium 1.0.18 as safe Swift: every length is checked here, and no pointer leaves this module.
public enum Sodium {
    /// Starts libsodium; more than one call, from any thread, is harmless. Traps if it cannot start.
    ///
    /// Without it libsodium silently uses its slow code. Making any ``SecretBytes`` also starts it.
    public static func initialize() {
        // sodium_init(3) may be called again, and from any thread.
        guard sodium_init() >= 0 else { preconditionFailure("libsodium does not start") }
    }
}

/// Draws `count` bytes from the kernel's generator (getrandom(2)).
public func randomBytes(count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    // SAFETY: randombytes_buf writes exactly the count it is given, which is the array's.
    unsafe bytes.withUnsafeMutableBytes { buffer in
        guard let start = buffer.baseAddress else { return }
        unsafe randombytes_buf(start, buffer.count)
    }
    return bytes
}

/// Whether two byte arrays are the same, in a time that depends on their lengths only.
public func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    // SAFETY: sodium_memcmp reads `left.count` bytes of each, and both have that many.
    return unsafe sodium_memcmp(left, right, left.count) == 0
}

/// Overwrites an array that held a secret with zeros; the compiler cannot leave it out.
///
/// It reaches the one storage of `values`, which are numbers or vectors of numbers: a copy that is still alive keeps its own.
public func wipe<Value: BitwiseCopyable>(_ values: inout [Value]) {
    // SAFETY: sodium_memzero writes exactly the count it is given, which is the array's; zeros are a number.
    unsafe values.withUnsafeMutableBytes { buffer in
        guard let start = buffer.baseAddress else { return }
        unsafe sodium_memzero(start, buffer.count)
    }
}
