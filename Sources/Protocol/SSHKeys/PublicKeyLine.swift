import SSHWire
import Sodium

/// A line of a `.pub` or authorized_keys file: `type base64 comment` (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
public struct PublicKeyLine: Equatable, Sendable {
    /// The key that the line holds.
    public let key: PublicKey
    /// What follows the key, without the spaces around it; may be empty.
    public let comment: String

    /// sshd(8): up to 8 kilobytes.
    public static let limitBytes = 8192

    /// Parses one line, with or without its line end.
    ///
    /// - Returns: nil for an empty line and one that begins with `#`.
    /// - Throws: ``KeyError/hasOptions`` where options stand before the type, and every other fault that a line can have.
    public init?(parsing line: String) throws(KeyError) {
        guard line.utf8.count <= Self.limitBytes else {
            throw .malformed(.tooLong(length: line.utf8.count, limit: Self.limitBytes))
        }
        var rest = Self.trimmed(Substring(line).utf8)
        if rest.isEmpty || rest.first == UInt8(ascii: "#") { return nil }
        let type = Self.takeWord(&rest)
        guard Self.isKeyType(type) else { throw Self.faultWithoutType(line) }
        let base64 = Self.takeWord(&rest)
        guard !base64.isEmpty else { throw .missingKey(type: type) }
        guard let blob = Base64.decode(base64) else { throw .badBase64 }
        let algorithm = try PublicKey.algorithm(ofBlob: blob)
        guard algorithm == type else { throw .typeMismatch(line: type, key: algorithm) }
        key = try PublicKey(blob: blob)
        comment = String(Substring(Self.trimmed(rest)))
    }

    /// The SHA-256 fingerprint that a line of revoked keys stands for: `SHA256:…`, or a public key of any type, be it supported or not.
    ///
    /// - Returns: 32 bytes.
    public static func fingerprint(revokedBy line: String) throws(KeyError) -> [UInt8] {
        guard line.utf8.count <= limitBytes else { throw .malformed(.tooLong(length: line.utf8.count, limit: limitBytes)) }
        var rest = trimmed(Substring(line).utf8)
        let word = takeWord(&rest)
        let prefix = "SHA256:"
        if word.hasPrefix(prefix) {
            guard trimmed(rest).isEmpty, let hash = Base64.decode(String(word.dropFirst(prefix.count)) + "="), hash.count == SHA256.count
            else { throw .badFingerprint }
            return hash
        }
        guard isKeyType(word) else { throw faultWithoutType(line) }
        let base64 = takeWord(&rest)
        guard !base64.isEmpty else { throw .missingKey(type: word) }
        guard let blob = Base64.decode(base64) else { throw .badBase64 }
        let algorithm = try PublicKey.algorithm(ofBlob: blob)
        guard algorithm == word else { throw .typeMismatch(line: word, key: algorithm) }
        // A certificate's fingerprint is its key's: to revoke it, the key or the serial is named.
        guard !word.split(separator: "-").contains("cert") else { throw .unsupported(algorithm: word) }
        return PublicKey.fingerprint(ofBlob: blob)
    }

    /// A line that does not begin with a key type has options, if a type follows them.
    private static func faultWithoutType(_ line: String) -> KeyError {
        var rest = trimmed(Substring(line).utf8)
        skipOptions(&rest)
        return isKeyType(takeWord(&rest)) ? .hasOptions : .notAKey
    }

    /// Options end at a space outside double quotes; `\"` is a quote inside them.
    private static func skipOptions(_ rest: inout Substring.UTF8View) {
        var isQuoted = false
        while let byte = rest.first, isQuoted || !isSpace(byte) {
            rest.removeFirst()
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "\"") {
                rest.removeFirst()
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            }
        }
    }

    /// Whether a word looks like the name of a key type, be it supported or not.
    private static func isKeyType(_ word: String) -> Bool {
        ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"].contains { word.hasPrefix($0) }
            && word.utf8.allSatisfy { 0x21...0x7e ~= $0 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
            && word.utf8.count <= 64
    }

    private static func takeWord(_ rest: inout Substring.UTF8View) -> String {
        rest = rest.drop(while: isSpace)
        let word = rest.prefix { !isSpace($0) }
        rest = rest[word.endIndex...]
        return String(Substring(word))
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0d, 0x0a].contains(byte)
    }
}
