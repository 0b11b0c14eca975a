import CSodium

/// A key of the original ChaCha20: 20 rounds, a 64-bit nonce and a 64-bit block counter.
///
/// Nonces are integers and stand in the state in network order, as SSH writes its sequence numbers (OpenSSH
/// PROTOCOL.chacha20poly1305).
public struct ChaCha20Key: Sendable {
    private let secret: SecretBytes
    private let offset: Int

    /// The length of a key, in bytes.
    public static let count = 32

    /// The 32 bytes of `secret` that begin at `offset`.
    public init(_ secret: SecretBytes, at offset: Int = 0) {
        precondition(offset >= 0 && offset + Self.count <= secret.count, "no key at \(offset) of \(secret.count) bytes")
        self.secret = secret
        self.offset = offset
    }

    /// Encrypts, or decrypts, the bytes in `range` where they stand.
    ///
    /// - Parameter block: the number of the 64-byte block that the key stream starts at.
    public func apply(to bytes: inout [UInt8], in range: Range<Int>, nonce: UInt64, block: UInt64) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
        // SAFETY: the range was checked, in place is allowed, and libsodium keeps no pointer.
        unsafe withKey(nonce: nonce) { key, nonce in
            unsafe bytes.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                let start = unsafe base + range.lowerBound
                _ = unsafe crypto_stream_chacha20_xor_ic(start, start, UInt64(range.count), nonce, block, key)
            }
        }
    }

    /// The first four bytes of the key stream as an integer in network order: what a packet length is masked with.
    public func firstWord(nonce: UInt64) -> UInt32 {
        var word: UInt32 = 0
        // SAFETY: four bytes are written, which is the size of the word.
        unsafe withKey(nonce: nonce) { key, nonce in
            unsafe withUnsafeMutableBytes(of: &word) { buffer in
                guard let start = buffer.baseAddress else { return }
                _ = unsafe crypto_stream_chacha20(start.assumingMemoryBound(to: UInt8.self), 4, nonce, key)
            }
        }
        return UInt32(bigEndian: word)
    }

    /// Writes the 16-byte Poly1305 tag of the bytes in `range` to `position` of the same array.
    ///
    /// The one-time key is the first half of block 0 of the key stream, which `apply` must therefore not use.
    public func authenticate(_ bytes: inout [UInt8], in range: Range<Int>, tagAt position: Int, nonce: UInt64) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
        precondition(position >= 0 && position + Poly1305.tagBytes <= bytes.count, "no room for the tag")
        // SAFETY: both ranges were checked, and the one-time key has 32 bytes.
        unsafe withOneTimeKey(nonce: nonce) { oneTimeKey in
            unsafe bytes.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                _ = unsafe crypto_onetimeauth(
                    base + position, base + range.lowerBound, UInt64(range.count), oneTimeKey)
            }
        }
    }

    /// Whether the 16 bytes at `position` are the tag that ``authenticate(_:in:tagAt:nonce:)`` writes; in constant time.
    public func isAuthentic(_ bytes: [UInt8], in range: Range<Int>, tagAt position: Int, nonce: UInt64) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
        precondition(position >= 0 && position + Poly1305.tagBytes <= bytes.count, "no room for the tag")
        // SAFETY: both ranges were checked, and the one-time key has 32 bytes.
        return unsafe withOneTimeKey(nonce: nonce) { oneTimeKey in
            unsafe bytes.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return false }
                return unsafe crypto_onetimeauth_verify(
                    base + position, base + range.lowerBound, UInt64(range.count), oneTimeKey) == 0
            }
        }
    }

    private func withKey<Result>(
        nonce: UInt64, _ body: (_ key: UnsafePointer<UInt8>, _ nonce: UnsafePointer<UInt8>) -> Result
    ) -> Result {
        // SAFETY: the key is 32 bytes inside the secret, checked in `init`; a nonce is 8 bytes, the size of the integer.
        unsafe secret.withAddress { start in
            let key = unsafe UnsafePointer(start + offset)
            var networkOrder = nonce.bigEndian
            return unsafe withUnsafePointer(to: &networkOrder) { pointer in
                unsafe pointer.withMemoryRebound(to: UInt8.self, capacity: 8) { unsafe body(key, $0) }
            }
        }
    }

    private func withOneTimeKey<Result>(nonce: UInt64, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        // SAFETY: the buffer has the 32 bytes that are written here, read by `body` and wiped after it.
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Poly1305.keyBytes) { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("no stack") }
            defer { unsafe sodium_memzero(start, Poly1305.keyBytes) }
            unsafe withKey(nonce: nonce) { key, nonce in
                _ = unsafe crypto_stream_chacha20(start, UInt64(Poly1305.keyBytes), nonce, key)
            }
            return unsafe body(start)
        }
    }
}
