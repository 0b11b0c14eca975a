/// Where random bytes come from: the core takes one as a value, so that a test can say which bytes are drawn.
public protocol RandomSource: Sendable {
    mutating func bytes(count: Int) -> [UInt8]
    mutating func secret(count: Int) -> SecretBytes
}

/// The kernel's generator.
public struct SystemRandom: RandomSource, Sendable {
    public init() {}

    public mutating func bytes(count: Int) -> [UInt8] { randomBytes(count: count) }
    public mutating func secret(count: Int) -> SecretBytes { .random(count: count) }
}
