/// A policy made from an authorized_keys file with forced commands.
///
/// It never grants more than sshd did: a line of which something is not understood, or cannot be had, is refused as a whole.
public struct AuthorizedKeysImport: Sendable {
    /// The policy's text; nil: no line was taken over.
    public let policy: String?
    /// One for each line that was taken over.
    public let accepted: [String]
    /// One for each line that was not.
    public let refused: [Diagnostic]
    /// What should be known of all lines.
    public let notes: [String]

    /// Whom the commands run as, and how they are asked for.
    public struct Options: Sendable {
        /// The unix user.
        public var user: String
        /// The name that clients log in with; nil: the user's.
        public var login: String?
        /// True: whatever the client asks for runs the command, as under sshd; false: only the command's name does.
        public var takesAnyLine: Bool

        public init(user: String, login: String? = nil, takesAnyLine: Bool = false) {
            self.user = user
            self.login = login
            self.takesAnyLine = takesAnyLine
        }
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - publicKey: parses `type base64 comment`.
    ///   - localTime: a time of this machine's zone in seconds since 1970; nil for one that there is not.
    public init(
        _ file: SourceFile, _ options: Options, publicKey: @escaping (ArraySlice<UInt8>) throws(Objection) -> ParsedKey,
        localTime: @escaping (CalendarTime) -> Int64?
    ) {
        var reader = AuthorizedKeysReader(file, OptionReader(localTime: localTime), options.user, publicKey)
        reader.readLines()
        let draft = PolicyDraft(reader.keys, options)
        policy = reader.keys.isEmpty ? nil : draft.text(from: file.name)
        accepted = draft.report(file.name)
        refused = reader.refused
        notes = reader.keys.isEmpty ? [] : draft.notes
    }
}

/// A key of the policy to be.
struct ImportedKey {
    var name: String
    /// `type base64 comment`, as it was written.
    var line: String
    var comment: String
    var number: Int
    var grant: ImportedGrant
}

/// Goes through the lines.
private struct AuthorizedKeysReader {
    private let file: SourceFile
    private let optionReader: OptionReader
    private let publicKey: (ArraySlice<UInt8>) throws(Objection) -> ParsedKey
    private(set) var keys: [ImportedKey] = []
    private(set) var refused: [Diagnostic] = []
    private var names: Set<String> = []
    /// The line of each public key.
    private var fingerprints: [[UInt8]: Int] = [:]
    /// Of each authority: its name, its first line, what that runs, and its principals so far.
    private var authorities: [[UInt8]: (name: String, line: Int, command: ForcedCommand, principals: Set<String>)] = [:]
    /// Whom a certificate must name as principal where a line says nothing.
    private let user: String

    init(_ file: SourceFile, _ options: OptionReader, _ user: String, _ publicKey: @escaping (ArraySlice<UInt8>) throws(Objection) -> ParsedKey) {
        self.file = file
        optionReader = options
        self.user = user
        self.publicKey = publicKey
    }

    mutating func readLines() {
        var start = 0
        var number = 0
        while start < file.bytes.count {
            let end = file.bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? file.bytes.count
            number += 1
            let line = Self.trimmed(file.bytes[start..<end])
            if let first = line.first, first != UInt8(ascii: "#") { read(line.startIndex..<line.endIndex, number) }
            start = end + 1
        }
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in AuthorizedKeysLine.isBlank(byte) || byte == UInt8(ascii: "\r") }
        var line = line.drop(while: isSpace)
        while let last = line.last, isSpace(last) { line = line.dropLast() }
        return line
    }

    private mutating func read(_ range: Range<Int>, _ number: Int) {
        guard range.count <= Self.longestLine else {
            return refuse(Region(file, range), "the line is longer than \(Self.longestLine) bytes, which sshd does not read either")
        }
        do throws(AuthorizedKeysLine.Fault) {
            let line = try AuthorizedKeysLine(file, range)
            read(line, number)
        } catch {
            refuse(error.region, error.reason, hint: "sshd does not take the line either")
        }
    }

    private mutating func read(_ line: AuthorizedKeysLine, _ number: Int) {
        let type = Region(file, line.key.prefix { !AuthorizedKeysLine.isBlank(file.bytes[$0]) })
        let grant: ImportedGrant
        do throws(OptionReader.Refusal) {
            grant = try optionReader.grant(line, of: type)
        } catch {
            return refuse(error.region, error.reason, hint: error.hint)
        }
        do throws(Objection) {
            let key = try publicKey(file.bytes[line.key])
            if grant.principals != nil { return readAuthority(line, number, type, key, grant) }
            if let other = fingerprints[key.fingerprint] {
                return refuse(type, "this public key is in line \(other) already", hint: "sshd takes the first of the two")
            }
            guard key.isSecurityKey || (grant.needsTouch && !grant.needsPIN) else {
                return refuse(type, "this key is no security key, and has an option for one", hint: "remove the option: sshd passes over it")
            }
            fingerprints[key.fingerprint] = number
            let text = String(decoding: file.bytes[line.key], as: UTF8.self)
            let name = ImportedName.unique(ImportedName.of(key.comment) ?? "key-\(number)", &names)
            keys.append(ImportedKey(name: name, line: text, comment: key.comment, number: number, grant: grant))
        } catch {
            let name = String(decoding: file.bytes[type.range], as: UTF8.self)
            refuse(type, error.reason, hint: error.hint ?? Self.hint(forType: name))
        }
    }

    /// A key that signs certificates may stand in several lines. Here a certificate may run what all its principals may, under sshd what the
    /// first line of them runs: those lines are taken over that run the same.
    private mutating func readAuthority(_ line: AuthorizedKeysLine, _ number: Int, _ type: Region, _ key: ParsedKey, _ grant: ImportedGrant) {
        var grant = grant
        if grant.principals == [] { grant.principals = [user] }
        let principals = grant.principals ?? []
        let known = authorities[key.fingerprint]
        if let known, known.command != grant.command {
            return refuse(
                type, "line \(known.line) has another command for certificates of this authority",
                hint: "sshd ran the first for one with principals of both, here it may run both: if that is right, add them to \"principals\" of [authority.\(known.name)]")
        }
        if known == nil, let other = fingerprints[key.fingerprint] {
            return refuse(type, "this public key is in line \(other) already", hint: "a key that signs certificates cannot enter itself")
        }
        let name = known?.name ?? ImportedName.unique(ImportedName.of(key.comment) ?? "authority-\(number)", &names)
        fingerprints[key.fingerprint] = fingerprints[key.fingerprint] ?? number
        grant.principals = principals.filter { known?.principals.contains($0) != true }
        authorities[key.fingerprint] = (name, known?.line ?? number, grant.command, (known?.principals ?? []).union(principals))
        if grant.principals == [] { return refuse(type, "line \(known?.line ?? number) is for these certificates already") }
        keys.append(ImportedKey(name: name, line: String(decoding: file.bytes[line.key], as: UTF8.self), comment: key.comment, number: number, grant: grant))
    }

    private mutating func refuse(_ region: Region, _ reason: String, hint: String? = nil) {
        refused.append(Diagnostic(.error, at: region, reason, hint: hint))
    }

    private static func hint(forType type: String) -> String? {
        if type.hasPrefix("sk-ecdsa-") { return "let its owner make another one, with ssh-keygen -t ed25519-sk, and put that one's .pub line here" }
        guard type.hasPrefix("ssh-") || type.hasPrefix("ecdsa-"), type != "ssh-ed25519" else { return nil }
        return "let its owner make another one, with ssh-keygen -t ed25519, and put that one's .pub line here"
    }

    /// sshd(8): up to 8 kilobytes.
    private static let longestLine = 8192
}

/// Names made from what people wrote.
enum ImportedName {
    /// The text in the letters of names, or nil if nothing is left of it.
    static func of(_ text: String) -> String? {
        var name = ""
        for scalar in text.lowercased().unicodeScalars {
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "._".unicodeScalars.contains(scalar))
            if isPlain { name.unicodeScalars.append(scalar) } else if name.last != "-" { name += "-" }
        }
        let isMark = { (character: Character) in "-._".contains(character) }
        name = String(name.drop(while: isMark).prefix(longest))
        while let last = name.last, isMark(last) { name.removeLast() }
        return name.isEmpty ? nil : name
    }

    /// The name, or the name and a number if it is taken.
    static func unique(_ name: String, _ names: inout Set<String>) -> String {
        if names.insert(name).inserted { return name }
        var number = 2
        while !names.insert("\(name)-\(number)").inserted { number += 1 }
        return "\(name)-\(number)"
    }

    /// Leaves room for a number.
    private static let longest = 56
}
