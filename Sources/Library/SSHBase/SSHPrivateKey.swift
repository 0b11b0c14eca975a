internal import SSHKeys
import Linux
package import Sodium

/// An ed25519 key pair. Its secret half is in locked memory, and wiped with the last copy.
public struct SSHPrivateKey: Sendable {
    package let key: Ed25519SigningKey
    /// What its owner calls it.
    public let comment: String

    private init(_ file: PrivateKeyFile) {
        key = file.key
        comment = file.comment
    }

    /// Makes a new key pair.
    ///
    /// - Parameter comment: at most 1024 bytes.
    public static func generate(comment: String = "") -> SSHPrivateKey {
        SSHPrivateKey(PrivateKeyFile(key: .generate(), comment: comment))
    }

    /// Reads a private key file in OpenSSH's format, without a passphrase.
    ///
    /// - Throws: ``SSHFailure/badFile(path:reason:)``, or ``SSHFailure/badKey(_:)`` where the file holds no such key.
    public init(contentsOf path: String) throws(SSHFailure) {
        var text: [UInt8]
        do throws(Errno) { text = try readFile(path, limit: PrivateKeyFile.limitBytes) } catch { throw .badFile(path: path, reason: "\(error)") }
        defer { wipe(&text) }
        do throws(SSHFailure) {
            try self.init(fileContents: text)
        } catch {
            throw .badFile(path: path, reason: "\(error)")
        }
    }

    /// Parses the text of a private key file.
    ///
    /// - Throws: ``SSHFailure/badKey(_:)`` also for other types of keys, and for keys with a passphrase.
    public init(fileContents text: [UInt8]) throws(SSHFailure) {
        do throws(KeyError) { self.init(try PrivateKeyFile(text: text)) } catch { throw .badKey("\(error)") }
    }

    /// Writes a private key file that OpenSSH reads too, for its owner's eyes only (mode 0600).
    ///
    /// - Throws: ``SSHFailure/badFile(path:reason:)`` also where the file is there already.
    public func write(to path: String) throws(SSHFailure) {
        var text = fileContents
        defer { wipe(&text) }
        do throws(Errno) { try createFile(path, text) } catch { throw .badFile(path: path, reason: "\(error)") }
    }

    /// What ``write(to:)`` writes. It is secret: write it where nobody else reads.
    public var fileContents: [UInt8] {
        var random = SystemRandom()
        return PrivateKeyFile(key: key, comment: comment).text(random: &random)
    }

    /// The half that others may know.
    public var publicKey: SSHPublicKey { SSHPublicKey(PublicKey(ed25519: key.publicKey)) }

    /// The signature of a message, encoded with its algorithm (RFC 8709 §6).
    package func signature(of message: [UInt8]) -> [UInt8] { HostKey(key).sign(message) }
}

extension SSHPrivateKey: CustomStringConvertible {
    /// Nothing secret: the public half's fingerprint.
    public var description: String { "private half of \(publicKey)" }
}
