import CSodium

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    /// The length of a hash, in bytes.
    public static let count = 32

    /// Hashes `bytes` at once.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        HashFunction.sha256.hash([.bytes(bytes)])
    }

    /// Hashes data that comes in parts.
    public struct Stream: HashStream, Sendable {
        private var state = crypto_hash_sha256_state()

        /// Begins a hash.
        public init() {
            // SAFETY: the state is this value's own; it is written, not read.
            unsafe crypto_hash_sha256_init(&state)
        }

        /// Adds the part of `bytes` that stands in `range`, or all of it.
        public mutating func update(_ bytes: [UInt8], in range: Range<Int>? = nil) {
            add(bytes, in: range ?? bytes.indices)
        }

        /// The hash of everything added; the stream then begins anew.
        public mutating func finish() -> [UInt8] {
            var hash = [UInt8](repeating: 0, count: SHA256.count)
            // SAFETY: crypto_hash_sha256_final writes 32 bytes, and the array has that many.
            unsafe crypto_hash_sha256_final(&state, &hash)
            self = Stream()
            return hash
        }

        mutating func update(_ start: UnsafePointer<UInt8>, count: Int) {
            // SAFETY: the caller says that `count` bytes are at `start`; the state was initialised.
            unsafe crypto_hash_sha256_update(&state, start, UInt64(count))
        }

        mutating func finish(to result: UnsafeMutablePointer<UInt8>) {
            // SAFETY: the caller says that `result` has room for a hash; libsodium wipes the state.
            unsafe crypto_hash_sha256_final(&state, result)
        }
    }
}
