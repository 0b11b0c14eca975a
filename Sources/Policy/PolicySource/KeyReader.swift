import Policy

/// Reads `[key.*]` and `[group.*]` (DESIGN §3.1).
struct KeyReader {
    private let surroundings: Surroundings
    private let report: Report
    private let commands: CommandTable
    private(set) var keys: [Key] = []
    private var names: [String: SourcePosition] = [:]
    /// The position of each public key by its fingerprint.
    private(set) var fingerprints: [[UInt8]: SourcePosition] = [:]

    init(_ commands: CommandTable, _ surroundings: Surroundings, _ report: Report) {
        self.commands = commands
        self.surroundings = surroundings
        self.report = report
    }

    mutating func readKey(_ entry: Table.Entry) {
        let name = entry.key.value
        guard Name.check(entry.key, "key", report), claim(name, entry.key.region), case .table(let table) = entry.node.content
        else {
            return reportKind(entry, "key")
        }
        var reader = TableReader(table, "key \"\(name)\"", report)
        reader.readAllowedWarnings()
        let lines = reader.stringOrStrings("public")
        if lines == nil, !reader.has("public") {
            reader.missing("public", hint: "the line of its .pub file, as \"ssh-ed25519 AAAA…\"")
        }
        if let lines, lines.isEmpty, let node = reader.entry("public")?.node { report.error(node.region, "\"public\" is empty") }
        var key = Key(name: name, fingerprint: [], may: may(&reader), position: entry.key.region.position)
        key.from = reader.addresses("from", use: "admits")?.patterns ?? []
        readTimes(&reader, &key)
        let touch = reader.boolean("touch")
        let pin = reader.boolean("pin")
        reader.finish()
        key.requiresTouch = touch?.value ?? true
        key.requiresPIN = pin?.value ?? false
        let added = (lines ?? []).compactMap { line in parse(line).map { (line, $0) } }
        checkUse(touch, pin, added)
        for (line, parsed) in added { add(key, parsed, line.region) }
    }

    /// What a policy says of a device's touch or PIN must hold for each key that it is said of.
    private func checkUse(_ touch: Located<Bool>?, _ pin: Located<Bool>?, _ keys: [(line: Located<String>, parsed: ParsedKey)]) {
        guard let plain = keys.first(where: { !$0.parsed.isSecurityKey }) else { return }
        if let pin, pin.value {
            report.error(plain.line.region, "this key is no security key: it cannot ask for a PIN", hint: "make one with ssh-keygen -t ed25519-sk")
        }
        if let touch, keys.allSatisfy({ !$0.parsed.isSecurityKey }) {
            report.error(touch.region, "\"touch\" is for security keys", hint: "their line begins with sk-ssh-ed25519@openssh.com")
        }
    }

    private func reportKind(_ entry: Table.Entry, _ noun: String) {
        if case .table = entry.node.content { return }
        report.error(entry.node.region, "\(noun) \"\(entry.key.value)\" is \(entry.node.kind), not a table")
    }

    private func parse(_ line: Located<String>) -> ParsedKey? {
        do throws(Objection) {
            return try surroundings.publicKey(Array(line.value.utf8)[...])
        } catch {
            report.error(line.region, error.reason, hint: error.hint)
            return nil
        }
    }

    private mutating func add(_ key: Key, _ parsed: ParsedKey, _ region: Region) {
        var key = key
        key.fingerprint = parsed.fingerprint
        if claim(key.fingerprint, region) { keys.append(key) }
    }

    /// `may`, as indices of commands.
    private func may(_ reader: inout TableReader) -> [Int] {
        guard let names = reader.strings("may") else {
            if !reader.has("may") { reader.missing("may", hint: "the commands it may run, as may = [\"release\"]") }
            return []
        }
        return commands.indices(of: names, report)
    }

    private func readTimes(_ reader: inout TableReader, _ key: inout Key) {
        let begins = reader.moment("not_before")
        let ends = reader.moment("expires")
        key.notBefore = begins?.value
        key.expires = ends?.value
        guard let ends else { return }
        if let begins, begins.value >= ends.value {
            report.error(ends.region, "the key expires before it begins")
        } else if ends.value <= surroundings.now {
            report.warning(.expiredKey, ends.region, allowed: reader.allowedWarnings, "key \"\(key.name)\" has expired")
        }
    }

    mutating func readGroup(_ entry: Table.Entry) {
        guard Name.check(entry.key, "group", report), case .table(let table) = entry.node.content else {
            return reportKind(entry, "group")
        }
        var reader = TableReader(table, "group \"\(entry.key.value)\"", report)
        let path = reader.word("keys")
        if path == nil, !reader.has("keys") {
            reader.missing("keys", hint: "an authorized_keys file, as keys = \"keys/partners.pub\"")
        }
        let may = may(&reader)
        reader.finish()
        guard let path else { return }
        let resolved = AbsolutePath.resolve(path.value, besides: path.region.file.name)
        do throws(Objection) {
            let bytes = try surroundings.read(resolved, owners(of: may), Self.largestGroup)
            readLines(SourceFile(name: resolved, bytes: bytes), may)
        } catch {
            report.error(path.region, "the key file is refused: \(error.reason)", hint: error.hint)
        }
    }

    /// Who may own and write a group's key file: root, who applies, and the one user that all its commands run as.
    ///
    /// That user can do what those commands do anyway, as with sshd's `~/.ssh/authorized_keys` under StrictModes.
    private func owners(of may: [Int]) -> [UInt32] {
        let users = Set(may.map { commands.command(at: $0).account.uid })
        guard users.count == 1, let user = users.first, user != 0 else { return surroundings.owners }
        return surroundings.owners + [user]
    }

    private mutating func readLines(_ file: SourceFile, _ may: [Int]) {
        for (line, region) in file.keyLines { addLine(line, region, may) }
    }

    private mutating func addLine(_ line: ArraySlice<UInt8>, _ region: Region, _ may: [Int]) {
        guard String(validating: line, as: UTF8.self) != nil else {
            return report.error(region, "the line is not UTF-8", hint: "the comment behind the key is the key's name: " + Name.rule)
        }
        do throws(Objection) {
            let key = try surroundings.publicKey(line)
            guard Name.isValid(key.comment.utf8) else {
                return report.error(
                    commentRegion(key.comment, region),
                    key.comment.isEmpty ? "the key has no name" : "\"\(key.comment)\" cannot name a key",
                    hint: key.comment.isEmpty ? "write it behind the key: the comment is the key's name" : Name.rule)
            }
            guard claim(key.comment, region), claim(key.fingerprint, region) else { return }
            keys.append(Key(name: key.comment, fingerprint: key.fingerprint, may: may, position: region.position))
        } catch {
            report.error(region, error.reason, hint: error.hint)
        }
    }

    private func commentRegion(_ comment: String, _ line: Region) -> Region {
        Region(line.file, (line.range.upperBound - max(1, comment.utf8.count))..<line.range.upperBound)
    }

    /// Takes a name for one key; false and reported when another has it.
    private mutating func claim(_ name: String, _ region: Region) -> Bool {
        let position = region.position
        guard let other = names.updateValue(position, forKey: name) else { return true }
        names[name] = other
        report.error(region, "the name \"\(name)\" is taken", hint: "by the key at \(other)")
        return false
    }

    private mutating func claim(_ fingerprint: [UInt8], _ region: Region) -> Bool {
        let position = region.position
        guard let other = fingerprints.updateValue(position, forKey: fingerprint) else { return true }
        fingerprints[fingerprint] = other
        report.error(region, "this public key is there twice", hint: "it is also at \(other)")
        return false
    }

    /// More than a million keys.
    private static let largestGroup = 256 << 20
}
