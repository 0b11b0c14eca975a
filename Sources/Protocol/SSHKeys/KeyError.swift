import SSHWire

/// What can be wrong with a key, a signature, or a file that should hold one.
public enum KeyError: Error, Equatable, Sendable {
    /// Not the RFC 4251 data it should be.
    case malformed(WireError)
    /// Sound as far as can be seen, but of an algorithm that is not spoken here.
    case unsupported(algorithm: String)
    /// A key or signature has another length than its algorithm's.
    case wrongLength(Part, bytes: Int, expected: Int)

    /// A certificate is not signed by the key that it names.
    case badCertificateSignature
    /// A revocation list revokes in a way that is not known here.
    case unknownRevocation(String)

    /// A line begins with options, which nobody here would enforce.
    case hasOptions
    /// A line holds no key, nor a comment.
    case notAKey
    /// A line has a key type and no key.
    case missingKey(type: String)
    /// What should be base64 is not, or has bits left over.
    case badBase64
    /// What begins as a SHA-256 fingerprint is none.
    case badFingerprint
    /// The key type that a line names is not the one its key has.
    case typeMismatch(line: String, key: String)

    /// Not a private key in OpenSSH's format.
    case notAPrivateKeyFile
    /// The private key wants a passphrase.
    case encrypted(cipher: String)
    /// A private key file holds another number of keys than one.
    case keyCount(UInt32)
    /// The two check numbers differ: the file is damaged.
    case checkNumbersDiffer
    /// The padding is not 1, 2, 3 … up to a multiple of eight: the file is damaged.
    case badPadding
    /// The public key in a file is not the one of its private key.
    case halvesDiffer

    /// What has a wrong length.
    public enum Part: String, Sendable {
        case publicKey = "public key"
        case privateKey = "private key"
        case signature
    }
}

extension KeyError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed(let fault): "the data is malformed: \(fault)"
        case .unsupported(let algorithm): "\"\(algorithm)\" is not supported, use ssh-ed25519"
        case .wrongLength(let part, let bytes, let expected): "the \(part.rawValue) has \(bytes) bytes, not \(expected)"
        case .badCertificateSignature: "the certificate's signature is not its signer's"
        case .unknownRevocation(let what): "the revocation list has \(what), which would not be enforced"
        case .hasOptions: "the key has options, which would not be enforced"
        case .notAKey: "this is no public key"
        case .missingKey(let type): "there is no key after \"\(type)\""
        case .badBase64: "the key is not sound base64"
        case .badFingerprint: "this is no SHA-256 fingerprint as ssh-keygen -l prints it"
        case .typeMismatch(let line, let key): "the line says \"\(line)\", but its key is \"\(key)\""
        case .notAPrivateKeyFile: "this is no private key in OpenSSH's format"
        case .encrypted(let cipher): "the key is encrypted (\(cipher)), remove its passphrase with ssh-keygen -p"
        case .keyCount(let count): "the file has \(count) keys, not one"
        case .checkNumbersDiffer, .badPadding: "the file is damaged"
        case .halvesDiffer: "the public key in the file is not the private key's"
        }
    }
}

/// Does some reading, and says what went wrong as a ``KeyError``.
func reading<Result>(_ body: () throws(WireError) -> Result) throws(KeyError) -> Result {
    do {
        return try body()
    } catch {
        throw .malformed(error)
    }
}

extension WireReader {
    /// Reads the name of an algorithm: at most 64 printable US-ASCII characters (RFC 4251 §6).
    mutating func algorithmName() throws(WireError) -> String {
        let name = try string(limit: 64)
        guard !name.isEmpty, name.allSatisfy({ 0x21...0x7e ~= $0 }) else { throw .badValue("algorithm name") }
        return String(decoding: name, as: UTF8.self)
    }
}
