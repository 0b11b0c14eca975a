import CGcrypt
import Synchronization

/// A key of AES in Galois/counter mode (NIST SP 800-38D) with 12-byte nonces and 16-byte tags.
///
/// The key is in ordinary memory and is wiped when the last reference goes; one thread at a time may use it. A nonce must never be
/// used for a second message.
@safe public final class AESGCMKey: Sendable {
    // SAFETY: opened in `init`, closed once in `deinit`; `exclusively` lets one thread at a time use it.
    private nonisolated(unsafe) let handle: gcry_cipher_hd_t
    private let isBusy = Atomic(false)

    /// The length of a nonce, in bytes.
    public static let nonceBytes = 12
    /// The length of a tag, in bytes.
    public static let tagBytes = 16

    /// - Parameter key: 16 bytes for AES-128, 32 for AES-256.
    public init(_ key: Span<UInt8>) {
        Gcrypt.initialize()
        let algorithm: gcry_cipher_algos
        switch key.count {
        case 16: algorithm = GCRY_CIPHER_AES
        case 32: algorithm = GCRY_CIPHER_AES256
        default: preconditionFailure("a key of \(key.count) bytes")
        }
        var opened: gcry_cipher_hd_t?
        // SAFETY: the handle is written once; what it holds is checked.
        let status = unsafe gcry_cipher_open(&opened, Int32(algorithm.rawValue), Int32(GCRY_CIPHER_MODE_GCM.rawValue), 0)
        guard status == 0, let opened = unsafe opened else { preconditionFailure("libgcrypt has no AES-GCM: \(status)") }
        unsafe handle = opened
        // SAFETY: the key is read while the span lends it, and has the length that was checked.
        let keyStatus = unsafe key.withUnsafeBufferPointer { unsafe gcry_cipher_setkey(opened, $0.baseAddress, $0.count) }
        precondition(keyStatus == 0, "libgcrypt refuses an AES key: \(keyStatus)")
    }

    deinit {
        // SAFETY: opened in `init`, and nobody else has it any more; libgcrypt wipes it.
        unsafe gcry_cipher_close(handle)
    }

    /// Encrypts a message where it stands and writes its tag behind it.
    ///
    /// - Parameters:
    ///   - header: authenticated but not encrypted.
    ///   - message: ``tagBytes`` more must follow inside the buffer.
    ///   - nonce: the first 4 bytes, and the other 8 as an integer in network order.
    public func seal(_ buffer: inout [UInt8], header: Range<Int>, message: Range<Int>, nonce: (fixed: UInt32, counter: UInt64)) {
        check(buffer, header, message)
        // SAFETY: the ranges were checked: 16 bytes follow the message; in place is what a nil input means.
        let status = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("an empty buffer") }
            return exclusively {
                let begun = unsafe begin(base, header, nonce)
                let end = unsafe base + message.upperBound
                let sealed = unsafe gcry_cipher_encrypt(handle, base + message.lowerBound, message.count, nil, 0)
                return unsafe begun | sealed | gcry_cipher_gettag(handle, end, Self.tagBytes)
            }
        }
        precondition(status == 0, "libgcrypt does not encrypt: \(status)")
    }

    /// Verifies the tag behind a message and decrypts the message where it stands.
    ///
    /// - Parameters: as in ``seal(_:header:message:nonce:)``.
    /// - Returns: false where the tag is wrong; then zeros stand where the message was.
    public func open(_ buffer: inout [UInt8], header: Range<Int>, message: Range<Int>, nonce: (fixed: UInt32, counter: UInt64)) -> Bool {
        check(buffer, header, message)
        // SAFETY: as in `seal`; the tag is compared in constant time.
        return unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("an empty buffer") }
            let isAuthentic = exclusively {
                let begun = unsafe begin(base, header, nonce)
                let opened = unsafe gcry_cipher_decrypt(handle, base + message.lowerBound, message.count, nil, 0)
                precondition(begun | opened == 0, "libgcrypt does not decrypt: \(begun | opened)")
                return unsafe gcry_cipher_checktag(handle, base + message.upperBound, Self.tagBytes) == 0
            }
            if !isAuthentic { unsafe (base + message.lowerBound).update(repeating: 0, count: message.count) }
            return isAuthentic
        }
    }

    /// Traps where two threads use one key at once. A lock would make system calls of its own, and nobody needs to wait here.
    private func exclusively<Result>(_ body: () -> Result) -> Result {
        let wasBusy = isBusy.exchange(true, ordering: .acquiring)
        precondition(!wasBusy, "a key in use by two threads")
        defer { isBusy.store(false, ordering: .releasing) }
        return body()
    }

    private func check(_ buffer: [UInt8], _ header: Range<Int>, _ message: Range<Int>) {
        precondition(header.lowerBound >= 0 && header.upperBound <= message.lowerBound, "the header is outside, or in the message")
        precondition(message.upperBound + Self.tagBytes <= buffer.count, "no room for the tag")
    }

    private func begin(
        _ base: UnsafeMutablePointer<UInt8>, _ header: Range<Int>, _ nonce: (fixed: UInt32, counter: UInt64)
    ) -> gcry_error_t {
        var words = (nonce.fixed.bigEndian, UInt32(truncatingIfNeeded: nonce.counter >> 32).bigEndian, UInt32(truncatingIfNeeded: nonce.counter).bigEndian)
        // SAFETY: three words are the 12 bytes of a nonce; the header lies inside the buffer.
        let status = unsafe gcry_cipher_setiv(handle, &words, Self.nonceBytes)
        return unsafe status | gcry_cipher_authenticate(handle, base + header.lowerBound, header.count)
    }
}
