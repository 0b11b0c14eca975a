import Gcrypt
import Sodium

/// One line of a known_hosts file.
struct KnownHostsLine: Sendable {
    enum Kind: Sendable { case host, authority, revoked }

    let kind: Kind
    let type: String
    /// The encoded key.
    let key: [UInt8]
    private let patterns: Patterns

    private enum Patterns: Sendable {
        case names([Substring])
        /// `|1|salt|hash`: one name, by its HMAC-SHA-1.
        case hashed(salt: [UInt8], code: [UInt8])
    }

    static let defaultPort = 22

    /// A host as the file names it.
    static func name(host: String, port: Int) -> String {
        port == defaultPort ? host.lowercased() : "[\(host.lowercased())]:\(port)"
    }

    /// - Returns: nil for empty lines, comments, and what is no such line.
    init?(_ line: Substring) {
        var words = line.split(maxSplits: 4, whereSeparator: { $0 == " " || $0 == "\t" })[...]
        guard let first = words.first, !first.hasPrefix("#") else { return nil }
        switch first {
        case "@cert-authority": kind = .authority
        case "@revoked": kind = .revoked
        case _ where first.hasPrefix("@"): return nil
        default: kind = .host
        }
        if kind != .host { words.removeFirst() }
        guard words.count >= 3, let hosts = words.popFirst(), let type = words.popFirst(), let base64 = words.popFirst(),
            let key = Base64.decode(String(base64)), let patterns = Self.patterns(hosts)
        else { return nil }
        self.type = String(type)
        self.key = key
        self.patterns = patterns
    }

    private static func patterns(_ text: Substring) -> Patterns? {
        guard text.hasPrefix("|") else { return .names(text.split(separator: ",")) }
        let parts = text.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[1] == "1", let salt = Base64.decode(String(parts[2])), let code = Base64.decode(String(parts[3])),
            code.count == HMACSHA1.count
        else { return nil }
        return .hashed(salt: salt, code: code)
    }

    /// Whether the line is about a host of this name, which is in lower case.
    func names(_ name: String) -> Bool {
        switch patterns {
        case .hashed(let salt, let code): return HMACSHA1.code(of: Array(name.utf8), key: salt) == code
        case .names(let patterns):
            if patterns.contains(where: { $0.hasPrefix("!") && Self.fits(name, $0.dropFirst()) }) { return false }
            return patterns.contains { !$0.hasPrefix("!") && Self.fits(name, $0) }
        }
    }

    /// ssh_config(5), PATTERNS: `*` is any text, `?` one character.
    private static func fits(_ name: String, _ pattern: Substring) -> Bool {
        let (text, wanted) = (Array(name.utf8), Array(pattern.lowercased().utf8))
        var (at, pat) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while at < text.count {
            if pat < wanted.count, wanted[pat] == UInt8(ascii: "*") {
                star = (pat, at)
                pat += 1
            } else if pat < wanted.count, wanted[pat] == text[at] || wanted[pat] == UInt8(ascii: "?") {
                (at, pat) = (at + 1, pat + 1)
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                (at, pat) = (last.text + 1, last.pattern + 1)
            } else {
                return false
            }
        }
        return wanted[pat...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
