import CSodium
import Synchronization

/// Slots for small secrets in one locked region, so that a confined process needs no memory calls for its keys.
///
/// A bit per slot, claimed and given back by compare-and-swap; a free slot holds zeros.
@safe struct SecretPool: ~Copyable, Sendable {
    static let shared = SecretPool()

    // SAFETY: written once in `init`; a slot of what it points to belongs to who claimed it.
    private nonisolated(unsafe) let start: UnsafeMutablePointer<UInt8>
    private let taken = Atomic<UInt64>(0)

    init() {
        Sodium.initialize()
        // SAFETY: the region is as long as all slots.
        unsafe start = lockedMemory(count: Self.slots * Self.slotBytes)
        // SAFETY: the region was just allocated with this size.
        unsafe sodium_memzero(start, Self.slots * Self.slotBytes)
    }

    /// Makes the pool, if it is not there yet.
    func touch() {}

    /// Claims a slot; nil if all are in use.
    func claim() -> Int? {
        var mask = taken.load(ordering: .relaxed)
        while true {
            let slot = (~mask).trailingZeroBitCount
            guard slot < Self.slots else { return nil }
            let (claimed, current) = taken.weakCompareExchange(
                expected: mask, desired: mask | 1 << UInt64(slot), ordering: .acquiringAndReleasing)
            if claimed { return slot }
            mask = current
        }
    }

    /// The ``slotBytes`` bytes of a claimed slot.
    func address(of slot: Int) -> UnsafeMutablePointer<UInt8> {
        precondition(0..<Self.slots ~= slot, "no such slot")
        // SAFETY: the slot lies inside the region, which is never freed.
        return unsafe start + slot * Self.slotBytes
    }

    /// Wipes a slot and gives it back.
    func release(_ slot: Int) {
        // SAFETY: a slot has exactly this many bytes, and its only user is giving it back.
        unsafe sodium_memzero(address(of: slot), Self.slotBytes)
        taken.bitwiseAnd(~(1 << UInt64(slot)), ordering: .releasing)
    }

    /// The largest secret that the pool takes: a 64-byte cipher key, and an encoded hybrid secret with room to spare.
    static let slotBytes = 128
    /// One connection keeps about ten secrets, twice that while keys change; with libsodium's canary this is two pages.
    private static let slots = 63
}

/// Pools beyond the first, for processes with many connections. They are never given back: the next connections use them.
final class MorePools: Sendable {
    static let shared = MorePools()

    /// A pool of its own, as a reference.
    final class Region: Sendable {
        let pool = SecretPool()
    }

    private let regions = Mutex<[Region]>([])

    /// Claims a slot, in a new pool where all others are full.
    func claim() -> (region: Region, slot: Int) {
        regions.withLock { regions in
            // The newest have most room while connections come; when they go, the oldest do not matter.
            for region in regions.reversed() { if let slot = region.pool.claim() { return (region, slot) } }
            let region = Region()
            guard let slot = region.pool.claim() else { preconditionFailure("a full pool that is new") }
            regions.append(region)
            return (region, slot)
        }
    }
}

/// Memory from sodium_malloc(3): locked, left out of core dumps, between guard pages; zeros in a process that is forked from this one. Traps if there is none.
func lockedMemory(count: Int) -> UnsafeMutablePointer<UInt8> {
    // SAFETY: the result is checked for nil, and has at least `count` bytes, which have no type yet.
    guard let memory = unsafe sodium_malloc(count) else { preconditionFailure("no locked memory for \(count) bytes") }
    // SAFETY: the pages that hold the `count` bytes are libsodium's, and stay as they are; madvise(2) reads and writes none of them.
    let first = UInt(bitPattern: memory) & ~4095
    _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: first), Int(UInt(bitPattern: memory) - first) + count, 18)  // MADV_WIPEONFORK
    // SAFETY: as above; bytes have no alignment and every pattern is one.
    return unsafe memory.bindMemory(to: UInt8.self, capacity: count)
}
