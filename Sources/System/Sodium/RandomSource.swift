/// Where random bytes come from: the core takes one as a value, so that a test can say which bytes are drawn.
public protocol RandomSource: Sendable {
    /// `count` bytes that others may know: padding, cookies, check numbers.
    mutating func bytes(count: Int) -> [UInt8]
    /// `count` bytes that become a key.
    mutating func secret(count: Int) -> SecretBytes
    /// `count` bytes that a key is computed from, in ordinary memory; whoever draws them ``wipe(_:)``s them.
    mutating func keyMaterial(count: Int) -> [UInt8]
}

extension RandomSource {
    /// See ``RandomSource``; a source that can draw without a secret in between does better.
    public mutating func keyMaterial(count: Int) -> [UInt8] { secret(count: count).disclosed() }
}

/// The kernel's generator.
public struct SystemRandom: RandomSource, Sendable {
    public init() {}

    /// See ``RandomSource``.
    public mutating func bytes(count: Int) -> [UInt8] { randomBytes(count: count) }
    /// See ``RandomSource``.
    public mutating func secret(count: Int) -> SecretBytes { .random(count: count) }
    /// See ``RandomSource``.
    public mutating func keyMaterial(count: Int) -> [UInt8] { randomBytes(count: count) }
}
