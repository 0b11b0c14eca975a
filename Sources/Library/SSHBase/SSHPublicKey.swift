package import SSHKeys

/// A public key: ed25519, or one that a security key holds.
public struct SSHPublicKey: Hashable, Sendable {
    package let key: PublicKey

    package init(_ key: PublicKey) { self.key = key }

    /// Parses a line of a `.pub` or authorized_keys file: type, base64, and perhaps a comment.
    ///
    /// - Throws: ``SSHFailure/badKey(_:)`` also for keys of types that are not spoken here, such as RSA, and for lines with options.
    public init(line: String) throws(SSHFailure) {
        do throws(KeyError) {
            guard let line = try PublicKeyLine(parsing: line) else { throw .notAKey }
            key = line.key
        } catch {
            throw .badKey("\(error)")
        }
    }

    /// Parses the encoded key of RFC 4253 §6.6.
    ///
    /// - Throws: ``SSHFailure/badKey(_:)``.
    public init(encoded: [UInt8]) throws(SSHFailure) {
        do throws(KeyError) { key = try PublicKey(blob: encoded) } catch { throw .badKey("\(error)") }
    }

    /// The key's type, such as `ssh-ed25519`.
    public var algorithm: String { key.algorithm }
    /// The encoded key of RFC 4253 §6.6.
    public var encoded: [UInt8] { key.blob }
    /// A device holds it, and each use wants a touch.
    public var isSecurityKey: Bool { key.isSecurityKey }
    /// As ssh-keygen(1) prints it: `SHA256:` and base64.
    public var fingerprint: String { key.fingerprintText }

    /// A line of a `.pub` or authorized_keys file, without its line end.
    public func line(comment: String = "") -> String { key.line(comment: comment) }
}

extension SSHPublicKey: CustomStringConvertible {
    /// Type and fingerprint.
    public var description: String { key.description }
}
