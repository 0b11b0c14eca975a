import Linux
import SSHKeys
import SSHWire
import Sodium

/// The keys that this host is known by, and the certificate that one of them may have.
///
/// All are of one kind, so the first signs key exchanges; clients learn of the others for the day when one of them is the first.
struct HostKeys {
    private let keys: [HostKey]
    private let certified: (key: HostKey, certificate: Certificate)?
    /// What an administrator should look at: a certificate that is not offered, and why.
    let remarks: [String]

    /// More than anybody changes at once.
    static let most = 16

    /// Reads each key, and the certificate beside it: `FILE-cert.pub`.
    init(_ paths: [String], trusting trusted: UInt32?) throws(Fault) {
        guard paths.count <= Self.most else { throw Fault("more than \(Self.most) host keys") }
        var keys: [HostKey] = []
        var certified: (HostKey, Certificate)?
        var remarks: [String] = []
        for path in paths {
            let key = try readHostKey(path, trusting: trusted)
            guard !keys.contains(where: { $0.publicKey == key.publicKey }) else { throw Fault("host key \"\(path)\" is there twice") }
            keys.append(key)
            guard let certificate = try Self.certificate(of: key, path, trusted) else { continue }
            if let remark = Self.remark(certificate) {
                remarks.append("host certificate \"\(path)-cert.pub\" is not offered: \(remark)")
            } else if certified == nil {
                certified = (key, certificate)
            }
        }
        (self.keys, self.certified, self.remarks) = (keys, certified, remarks)
    }

    private static func certificate(of key: HostKey, _ path: String, _ trusted: UInt32?) throws(Fault) -> Certificate? {
        let path = path + "-cert.pub"
        let file: Descriptor
        do throws(TrustError) {
            file = try TrustedPath.open(path, trusting: trusted)
        } catch .missing {
            return nil
        } catch {
            throw Fault("host certificate: \(error)")
        }
        let bytes = try naming("host certificate \"\(path)\"") { () throws(Errno) in try file.readAll(limit: WireLimit.blob * 2) }
        let certificate = try naming("host certificate \"\(path)\"") { () throws(KeyError) in
            try Certificate(line: String(decoding: bytes, as: UTF8.self))
        }
        guard certificate.kind == .host else { throw Fault("host certificate \"\(path)\" is a user's") }
        guard certificate.key == key.publicKey else { throw Fault("host certificate \"\(path)\" is for another key") }
        return certificate
    }

    /// Clients would refuse it, and the connection with it.
    private static func remark(_ certificate: Certificate) -> String? {
        let now = UInt64(clamping: Clock.unixSeconds)
        if now < certificate.validAfter { return "it is not yet valid" }
        return now >= certificate.validBefore ? "it has expired" : nil
    }

    /// What is offered, most wanted first. A certificate may have expired since it was read.
    var algorithms: [String] {
        let certificate = certified.flatMap { Self.remark($0.certificate) == nil ? $0.certificate : nil }
        return [certificate?.algorithm, keys.first?.publicKey.algorithm].compactMap(\.self)
    }

    /// Who signs a key exchange, and what the client is shown; nil for what is not offered.
    func signer(for algorithm: String) -> (key: HostKey, blob: [UInt8])? {
        if let certified, certified.certificate.algorithm == algorithm { return (certified.key, certified.certificate.blob) }
        return keys.first { $0.publicKey.algorithm == algorithm }.map { ($0, $0.blob) }
    }

    /// All keys, as hostkeys-00@openssh.com lists them.
    var blobs: [[UInt8]] { keys.map(\.blob) }

    /// The proofs that hostkeys-prove-00@openssh.com asks for; none where a key is not ours.
    func proofs(of blobs: [[UInt8]], sessionIdentifier: [UInt8]) -> [[UInt8]] {
        var proofs: [[UInt8]] = []
        for blob in blobs {
            guard let key = keys.first(where: { $0.blob == blob }) else { return [] }
            proofs.append(key.proof(sessionIdentifier: sessionIdentifier))
        }
        return proofs
    }
}
