import SSHWire
import Sodium

/// The text around a private key: a first line, base64 in lines of 70, a last line (OpenSSH PROTOCOL.key).
enum KeyFileArmor {
    /// The bytes between the first and the last line; the caller wipes them.
    static func decode(_ text: [UInt8]) throws(KeyError) -> [UInt8] {
        guard text.count <= PrivateKeyFile.limitBytes else {
            throw .malformed(.tooLong(length: text.count, limit: PrivateKeyFile.limitBytes))
        }
        var lines = text.split(omittingEmptySubsequences: true) { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }[...]
        guard let first = lines.popFirst(), first.elementsEqual(begin), let last = lines.popLast(), last.elementsEqual(end)
        else { throw .notAPrivateKeyFile }
        var base64: [UInt8] = []
        base64.reserveCapacity(text.count)
        defer { wipe(&base64) }
        for line in lines { base64 += line }
        guard let blob = Base64.decode(base64) else { throw .badBase64 }
        return blob
    }

    /// The text of a file; the caller wipes it.
    static func encode(_ blob: [UInt8]) -> [UInt8] {
        var base64 = Base64.encodeBytes(blob)
        defer { wipe(&base64) }
        var text: [UInt8] = []
        text.reserveCapacity(2 * base64.count + begin.count + end.count)
        text += begin
        text.append(newline)
        for start in stride(from: 0, to: base64.count, by: lineBytes) {
            text += base64[start..<min(start + lineBytes, base64.count)]
            text.append(newline)
        }
        text += end
        text.append(newline)
        return text
    }

    private static let begin = Array("-----BEGIN OPENSSH PRIVATE KEY-----".utf8)
    private static let end = Array("-----END OPENSSH PRIVATE KEY-----".utf8)
    private static let newline = UInt8(ascii: "\n")
    private static let lineBytes = 70
}
