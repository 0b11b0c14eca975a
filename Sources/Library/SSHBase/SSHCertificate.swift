import Linux
package import SSHKeys

/// An OpenSSH certificate: a public key, and who vouches for it. Its signature is the signer's; whether that signer is trusted is for
/// others to say.
public struct SSHCertificate: Equatable, Sendable {
    package let certificate: Certificate

    package init(_ certificate: Certificate) { self.certificate = certificate }

    /// Parses the one line of a `-cert.pub` file.
    ///
    /// - Throws: ``SSHFailure/badKey(_:)`` also where the signature is wrong.
    public init(line: String) throws(SSHFailure) {
        do throws(KeyError) { certificate = try Certificate(line: line) } catch { throw .badKey("\(error)") }
    }

    /// Reads a `-cert.pub` file.
    ///
    /// - Throws: ``SSHFailure/badFile(path:reason:)`` and what ``init(line:)`` throws.
    public init(contentsOf path: String) throws(SSHFailure) {
        let text: [UInt8]
        do throws(Errno) { text = try readFile(path, limit: Self.limitBytes) } catch { throw .badFile(path: path, reason: "\(error)") }
        try self.init(line: String(decoding: text, as: UTF8.self))
    }

    private static let limitBytes = 32 * 1024

    /// Such as `ssh-ed25519-cert-v01@openssh.com`.
    public var algorithm: String { certificate.algorithm }
    /// All of it, as it stands in messages and files.
    public var encoded: [UInt8] { certificate.blob }
    /// The key that it is for.
    public var publicKey: SSHPublicKey { SSHPublicKey(certificate.key) }
    /// Who signed it.
    public var signer: SSHPublicKey { SSHPublicKey(certificate.signer) }
    /// What the signer calls whom it identifies.
    public var keyID: String { certificate.keyID }
    /// The signer's number for it.
    public var serial: UInt64 { certificate.serial }
    /// The users, or the hosts, that it is for.
    public var principals: [String] { certificate.principals }
    /// It identifies a host, and not a user.
    public var isForHosts: Bool { certificate.kind == .host }
    /// A restriction is in it that whoever accepts it must keep to, such as `force-command`.
    public var isRestricted: Bool {
        let options = certificate.options
        return options.forcedCommand != nil || options.sourceAddress != nil || options.requiresVerification || !options.unknown.isEmpty
    }

    /// Whether it counts for one of its principals at a time.
    ///
    /// - Parameters:
    ///   - unixSeconds: seconds since 1970; nil: now.
    public func isValid(for principal: String, at unixSeconds: Int64? = nil) -> Bool {
        principals.contains(principal) && isInTime(at: unixSeconds)
    }

    /// Whether it has begun and not yet ended to count.
    ///
    /// - Parameter unixSeconds: seconds since 1970; nil: now.
    public func isInTime(at unixSeconds: Int64? = nil) -> Bool {
        let now = UInt64(clamping: unixSeconds ?? Clock.unixSeconds)
        return certificate.validAfter <= now && now < certificate.validBefore
    }
}

extension SSHCertificate: CustomStringConvertible {
    /// Its key ID, its key and its signer.
    public var description: String { "certificate \"\(keyID)\" of \(publicKey), signed by \(signer)" }
}
