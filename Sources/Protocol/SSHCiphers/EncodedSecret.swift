import Sodium

extension SecretBytes {
    /// Encodes bytes as a `string`: their length in front (RFC 4251 §5).
    convenience init(string: SecretBytes) {
        self.init(count: 4 + string.count) { encoded in
            for index in 0..<4 { encoded[index] = UInt8(truncatingIfNeeded: string.count >> (24 - 8 * index)) }
            string.withSpan { bytes in
                for index in bytes.indices { encoded[4 + index] = bytes[index] }
            }
        }
    }

    /// Encodes a big-endian integer as an `mpint` with its length (RFC 4251 §5), without a copy outside locked memory.
    convenience init(integer: SecretBytes) {
        let (first, signBytes) = integer.withSpan { digits in
            let first = digits.indices.first { digits[$0] != 0 } ?? digits.count
            return (first, first < digits.count && digits[first] & 0x80 != 0 ? 1 : 0)
        }
        let length = integer.count - first + signBytes
        self.init(count: 4 + length) { encoded in
            for index in 0..<4 { encoded[index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
            // RFC 4251 §5: a zero byte goes first where the highest bit would make the number negative.
            integer.withSpan { digits in
                for index in first..<digits.count { encoded[4 + signBytes + index - first] = digits[index] }
            }
        }
    }
}
