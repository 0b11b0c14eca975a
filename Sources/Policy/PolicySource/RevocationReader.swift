import Policy

/// Reads `[revoked]` (DESIGN §3.1): public keys, SHA-256 fingerprints, and files of them or of OpenSSH's revocation lists.
struct RevocationReader {
    private let surroundings: Surroundings
    private let report: Report
    private let authorities: [CertificateAuthority]
    private var digests: [[UInt8]] = []
    private var serials: [Revocations.Serials] = []

    init(_ authorities: [CertificateAuthority], _ surroundings: Surroundings, _ report: Report) {
        self.authorities = authorities
        self.surroundings = surroundings
        self.report = report
    }

    mutating func read(_ table: Table) {
        var reader = TableReader(table, "the table \"revoked\"", report)
        guard let entries = reader.stringOrStrings("keys") else {
            if !reader.has("keys") { reader.missing("keys", hint: "public keys, fingerprints or files, as keys = [\"keys/revoked\"]") }
            return reader.finish()
        }
        reader.finish()
        for entry in entries {
            if Self.isKey(entry.value) { add(Array(entry.value.utf8)[...], entry.region) } else { readFile(entry) }
        }
    }

    /// The result, once everything is read.
    var revocations: Revocations { Revocations(digests: digests, serials: serials) }

    /// A path has no space after a key type, and no path is called `SHA256:`.
    private static func isKey(_ text: String) -> Bool {
        text.hasPrefix("SHA256:") || ["ssh-", "sk-", "ecdsa-"].contains { text.hasPrefix($0) } && text.contains(" ")
    }

    private mutating func add(_ line: ArraySlice<UInt8>, _ region: Region) {
        do throws(Objection) {
            digests.append(try surroundings.revokedKey(line))
        } catch {
            report.error(region, error.reason, hint: error.hint)
        }
    }

    private mutating func readFile(_ path: Located<String>) {
        guard !path.value.isEmpty else { return report.error(path.region, "\"keys\" holds an empty string") }
        let resolved = AbsolutePath.resolve(path.value, besides: path.region.file.name)
        do throws(Objection) {
            let bytes = try surroundings.read(resolved, surroundings.owners, Self.largestFile)
            if let list = try surroundings.revocationList(bytes) { return add(list) }
            readLines(SourceFile(name: resolved, bytes: bytes))
        } catch {
            report.error(path.region, "the file of what is revoked is refused: \(error.reason)", hint: error.hint)
        }
    }

    private mutating func readLines(_ file: SourceFile) {
        for (line, region) in file.keyLines { add(line, region) }
    }

    /// What a list says of authorities that are not in the policy needs no keeping.
    private mutating func add(_ list: RevokedByList) {
        digests += list.keys
        for certificates in list.certificates {
            for (index, authority) in authorities.enumerated() {
                guard certificates.authority.map({ $0 == authority.fingerprint }) ?? true else { continue }
                serials += certificates.serials.map { Revocations.Serials(authority: index, range: $0) }
                digests += certificates.keyIDs.map { surroundings.keyIDDigest($0, authority.fingerprint) }
            }
        }
    }

    /// Some million serials.
    private static let largestFile = 64 << 20
}
