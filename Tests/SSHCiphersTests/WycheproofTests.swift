import Foundation
import Sodium
import Testing

/// The lines of a file of vectors, as fields; `-` stands for nothing.
func vectors(_ name: String) throws -> [[String]] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
        line.split(separator: " ").map { $0 == "-" ? "" : String($0) }
    }
}

@Suite("Wycheproof's vectors") struct WycheproofTests {
    @Test func `X25519 agrees, and a point of small order has no shared secret`() throws {
        let cases = try vectors("x25519.txt")
        #expect(cases.count == 518)
        for fields in cases {
            let shared = X25519KeyPair(secret: SecretBytes(copying: hex(fields[1]))).sharedSecret(with: hex(fields[2]))
            let expected = hex(fields[3])
            #expect(shared?.disclosed() == (expected.allSatisfy { $0 == 0 } ? nil : expected), "vector \(fields[0])")
        }
    }

    /// The AEAD of RFC 8439 §2.8, put together from the parts that OpenSSH's cipher uses.
    @Test func `ChaCha20 and Poly1305 agree`() throws {
        let cases = try vectors("chacha20-poly1305.txt")
        #expect(cases.count == 316)
        for fields in cases {
            let values = fields[2...].map(hex)
            let (nonce, additional, message, cipher, tag) = (values[1], values[2], values[3], values[4], values[5])
            let key = ChaCha20Key(SecretBytes(copying: values[0]))
            let high = nonce[..<4].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } << 32
            let low = nonce[4...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            var oneTimeKey = [UInt8](repeating: 0, count: Poly1305.keyBytes)
            key.apply(to: &oneTimeKey, in: oneTimeKey.indices, nonce: low, block: high)
            let authenticated = padded(additional) + padded(cipher) + littleEndian(additional.count) + littleEndian(cipher.count)
            let isValid = Poly1305.isValid(
                tag, of: authenticated, in: authenticated.indices, key: SecretBytes(copying: oneTimeKey))
            #expect(isValid == (fields[1] == "valid"), "vector \(fields[0])")
            guard isValid else { continue }
            var bytes = message
            key.apply(to: &bytes, in: bytes.indices, nonce: low, block: high + 1)
            #expect(bytes == cipher, "vector \(fields[0])")
        }
    }

    private func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: -bytes.count & 15) }

    private func littleEndian(_ number: Int) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
}
