import Policy

/// Reads `[authority.*]` (DESIGN §3.1): whose certificates open what.
struct AuthorityReader {
    private let surroundings: Surroundings
    private let report: Report
    private let commands: CommandTable
    private var found: [CertificateAuthority] = []
    /// In the order of their fingerprints, as a policy has them.
    var authorities: [CertificateAuthority] { found.sorted { $0.fingerprint.lexicographicallyPrecedes($1.fingerprint) } }
    /// The position of each public key by its fingerprint, those of `[key.*]` and `[group.*]` included.
    private var fingerprints: [[UInt8]: SourcePosition]

    init(_ commands: CommandTable, besides keys: [[UInt8]: SourcePosition], _ surroundings: Surroundings, _ report: Report) {
        self.commands = commands
        self.surroundings = surroundings
        self.report = report
        fingerprints = keys
    }

    mutating func read(_ entry: Table.Entry) {
        let name = entry.key.value
        guard Name.check(entry.key, "authority", report) else { return }
        guard case .table(let table) = entry.node.content else {
            return report.error(entry.node.region, "authority \"\(name)\" is \(entry.node.kind), not a table")
        }
        var reader = TableReader(table, "authority \"\(name)\"", report)
        reader.readAllowedWarnings()
        let lines = reader.stringOrStrings("public")
        if lines == nil, !reader.has("public") {
            reader.missing("public", hint: "the public key that signs its certificates, as \"ssh-ed25519 AAAA…\"")
        }
        if let lines, lines.isEmpty, let node = reader.entry("public")?.node { report.error(node.region, "\"public\" is empty") }
        let principals = principals(&reader)
        reader.finish()
        for line in lines ?? [] { add(name, line, principals, entry.key.region.position) }
    }

    private mutating func add(
        _ name: String, _ line: Located<String>, _ principals: [CertificateAuthority.Principal], _ position: SourcePosition
    ) {
        do throws(Objection) {
            let fingerprint = try surroundings.publicKey(Array(line.value.utf8)[...]).fingerprint
            if let other = fingerprints[fingerprint] {
                return report.error(line.region, "this public key is there twice", hint: "it is also at \(other)")
            }
            fingerprints[fingerprint] = line.region.position
            found.append(CertificateAuthority(name: name, fingerprint: fingerprint, principals: principals, position: position))
        } catch {
            report.error(line.region, error.reason, hint: error.hint)
        }
    }

    private func principals(_ reader: inout TableReader) -> [CertificateAuthority.Principal] {
        guard let table = reader.table("principals") else {
            if !reader.has("principals") {
                reader.missing("principals", hint: "what each principal may run, as principals = { developers = [\"release\"] }")
            }
            return []
        }
        if table.entries.isEmpty, let node = reader.entry("principals")?.node { report.error(node.region, "\"principals\" is empty") }
        return table.entries.compactMap { entry in
            guard CertificateAuthority.canBePrincipal(entry.key.value) else {
                report.error(
                    entry.key.region, "\"\(entry.key.value)\" cannot be a principal",
                    hint: "a principal is 1 to 256 visible characters without a comma")
                return nil
            }
            guard let names = reader.strings(of: entry.node, entry.key.value) else { return nil }
            return CertificateAuthority.Principal(name: entry.key.value, may: commands.indices(of: names, report))
        }
    }
}

extension CertificateAuthority {
    /// `ssh-keygen -n` parts principals at commas.
    static func canBePrincipal(_ name: String) -> Bool {
        (1...256).contains(name.utf8.count) && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f && $0 != "," }
    }
}
