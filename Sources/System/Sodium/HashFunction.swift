/// A part of what is hashed.
public enum HashPiece: Sendable {
    /// Bytes that others may know.
    case bytes([UInt8])
    /// Bytes that are read where they stand.
    case secret(SecretBytes)
}

/// A hash that a key exchange method is defined with (RFC 4253 §8).
public enum HashFunction: Sendable {
    case sha256
    case sha512

    /// The length of a hash, in bytes.
    public var count: Int {
        switch self {
        case .sha256: SHA256.count
        case .sha512: SHA512.count
        }
    }

    /// Hashes the pieces one after the other.
    public func hash(_ pieces: [HashPiece]) -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: count)
        // SAFETY: the array has the `count` bytes that a hash is written to.
        unsafe hash.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe write(pieces, to: start)
        }
        return hash
    }

    /// Hashes the pieces into a secret, leaving no other copy of the result.
    public func secretHash(_ pieces: [HashPiece]) -> SecretBytes {
        let secret = SecretBytes(count: count)
        // SAFETY: the secret has the `count` bytes that a hash is written to, and nobody else has it yet.
        unsafe secret.withAddress { unsafe write(pieces, to: $0) }
        return secret
    }

    private func write(_ pieces: [HashPiece], to result: UnsafeMutablePointer<UInt8>) {
        // SAFETY: the caller has room for `count` bytes, which is the length of this function's hash.
        switch self {
        case .sha256: unsafe SHA256.Stream.hash(pieces, to: result)
        case .sha512: unsafe SHA512.Stream.hash(pieces, to: result)
        }
    }
}

/// What the incremental hashes share.
protocol HashStream {
    init()
    mutating func update(_ start: UnsafePointer<UInt8>, count: Int)
    /// Writes the hash, whose length is the function's, and wipes the state.
    mutating func finish(to result: UnsafeMutablePointer<UInt8>)
}

extension HashStream {
    static func hash(_ pieces: [HashPiece], to result: UnsafeMutablePointer<UInt8>) {
        var stream = Self()
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): stream.add(bytes, in: bytes.indices)
            // SAFETY: a secret has `count` bytes at its address.
            case .secret(let secret): unsafe secret.withAddress { unsafe stream.update($0, count: secret.count) }
            }
        }
        // SAFETY: the caller says that `result` has room for a hash.
        unsafe stream.finish(to: result)
    }

    mutating func add(_ bytes: [UInt8], in range: Range<Int>) {
        // SAFETY: slicing checks the range; `update` reads `count` bytes from the start of the slice.
        unsafe bytes[range].withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe update(start, count: buffer.count)
        }
    }
}
