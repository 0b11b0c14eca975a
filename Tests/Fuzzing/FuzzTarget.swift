/// What is fed to a fuzzer, by name: a parser, or a machine that parsers feed. Whatever the bytes, each returns.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// Every message of RFC 4250's numbers.
    case wire
    /// Keys, certificates, signatures, key files, revocation lists.
    case keys
    /// The server, before and after authentication.
    case server
    /// The client likewise.
    case client
    /// The client's command lines, and those of git and scp.
    case line
    /// Patterns of a policy, and what they are matched with.
    case matcher
    /// What frontend and monitor say to each other.
    case monitor
    case sftp
    case scp

    /// Runs one input: a trap is a find.
    public func run(_ bytes: [UInt8]) {
        guard bytes.count <= Self.longest else { return }
        switch self {
        case .wire: WireFuzz.run(bytes)
        case .keys: KeyFuzz.run(bytes)
        case .server: ServerFuzz.run(bytes)
        case .client: ClientFuzz.run(bytes)
        case .line: LineFuzz.run(bytes)
        case .matcher: MatcherFuzz.run(bytes)
        case .monitor: MonitorFuzz.run(bytes)
        case .sftp: FilesFuzz.sftp(bytes)
        case .scp: FilesFuzz.scp(bytes)
        }
    }

    /// Bytes of an input.
    public static let longest = 8192
}
