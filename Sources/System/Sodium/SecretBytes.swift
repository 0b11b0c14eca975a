import CSodium

/// Bytes that nobody else may see: in locked memory, not in core dumps, wiped when the last reference goes.
///
/// They never change once made, so a reference can be shared. Up to 128 bytes come from a pool allocated once (63 of
/// them alive at a time); for more there are more pools, and larger ones are allocated on their own. For those two a confined process has
/// no calls.
@safe public final class SecretBytes: Sendable {
    /// How many bytes there are.
    public let count: Int
    // SAFETY: points to `count` bytes that only this object owns, written only in `init`, so any thread may read them.
    private nonisolated(unsafe) let start: UnsafeMutablePointer<UInt8>
    /// The slot of the pool that they stand in; nil for memory of their own.
    private let slot: Int?
    /// The pool, where it is not the first.
    private let region: MorePools.Region?

    /// Allocates the pool of small secrets; call it before the process confines itself.
    public static func reserve() {
        SecretPool.shared.touch()
    }

    /// `count` zeros.
    public init(count: Int) {
        precondition(count >= 0, "a secret of \(count) bytes")
        self.count = count
        if count > SecretPool.slotBytes {
            (slot, region) = (nil, nil)
        } else if let claimed = SecretPool.shared.claim() {
            (slot, region) = (claimed, nil)
        } else {
            let claimed = MorePools.shared.claim()
            (slot, region) = (claimed.slot, claimed.region)
        }
        if let slot {
            // SAFETY: a slot has room for `count` bytes, holds zeros, and is this object's until it is released.
            unsafe start = region?.pool.address(of: slot) ?? SecretPool.shared.address(of: slot)
        } else {
            Sodium.initialize()
            // SAFETY: the memory is allocated with the size that is written, and is this object's until it is freed.
            unsafe start = lockedMemory(count: count)
            unsafe sodium_memzero(start, count)
        }
    }

    /// `count` bytes that `fill` writes into zeros.
    public convenience init<Failure: Error>(
        count: Int, filledBy fill: (inout MutableSpan<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        self.init(count: count)
        // SAFETY: the span does not outlive this call, and nobody else has a reference yet.
        var span = unsafe MutableSpan(_unsafeStart: start, count: count)
        try fill(&span)
    }

    /// A copy of `bytes`; whoever has the original wipes it.
    public convenience init(copying bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { span in
            var index = 0
            for byte in bytes {
                span[index] = byte
                index += 1
            }
        }
    }

    /// `count` bytes from the kernel's generator.
    public static func random(count: Int) -> SecretBytes {
        let secret = SecretBytes(count: count)
        // SAFETY: randombytes_buf writes `count` bytes, which is what was allocated.
        unsafe randombytes_buf(secret.start, count)
        return secret
    }

    deinit {
        if let slot {
            if let region { region.pool.release(slot) } else { SecretPool.shared.release(slot) }
        } else {
            // SAFETY: from sodium_malloc, freed once; sodium_free(3) wipes first.
            unsafe sodium_free(start)
        }
    }

    /// Lends the bytes to `body`, which must not leave copies of them.
    public func withSpan<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: `self` keeps the memory alive for the call, and a span cannot leave it.
        let result = try unsafe body(Span(_unsafeStart: start, count: count))
        extendLifetime(self)
        return result
    }

    /// An ordinary copy, for what must leave this process; ``wipe(_:)`` it afterwards.
    public func disclosed() -> [UInt8] {
        withSpan { span in span.indices.map { span[$0] } }
    }

    /// Whether two secrets are the same, in a time that depends on their lengths only.
    public func equals(_ other: SecretBytes) -> Bool {
        guard count == other.count else { return false }
        // SAFETY: sodium_memcmp reads `count` bytes of each, and both have that many.
        return unsafe sodium_memcmp(start, other.start, count) == 0
    }

    /// The address for libsodium's functions; valid during `body` only.
    func withAddress<Result>(_ body: (UnsafeMutablePointer<UInt8>) -> Result) -> Result {
        defer { extendLifetime(self) }
        // SAFETY: `self` keeps the memory alive for the call; each caller says how many bytes it touches.
        return unsafe body(start)
    }
}

/// A secret is never printed, whatever it stands in.
extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "secret of \(count) bytes" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
