import Linux
import Policy

/// The compiled policy that is live, opened anew when `postern apply` has published another (DESIGN §9).
///
/// A class, since there is one of it: whoever asks, asks what is live now.
final class LivePolicy {
    private let path: String
    private let trusted: UInt32?
    private var file: FileStatus
    /// The file that is in use, for a process that is to have the same should the next one be unusable.
    private(set) var descriptor: Descriptor
    private var compiled: CompiledPolicy<PolicyFile>
    /// What was found to be damaged, which is said once.
    private var damaged: FileStatus?

    /// - Parameters:
    ///   - trusted: who may own the file and the directories above it, besides root.
    ///   - lastGood: the file that a listener uses: taken where the one at `path` cannot be.
    init(_ path: String, trusting trusted: UInt32?, orElse lastGood: Descriptor? = nil, log: Log? = nil) throws(Fault) {
        self.path = path
        self.trusted = trusted
        do throws(Fault) {
            (file, descriptor, compiled) = try Self.open(try Self.trustedFile(path, trusted), path)
        } catch {
            guard let lastGood else { throw error }
            do throws(Fault) { (file, descriptor, compiled) = try Self.open(lastGood, path) } catch _ { throw error }
            log?.error("\(error.text); the last good one stays in use")
        }
    }

    /// Tests every byte of it: once where a listener starts, since a connection reads only what it needs.
    func verify() throws(Fault) {
        try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try compiled.verify() }
    }

    /// What is live now. A file that cannot be used leaves the last good one in place, and is reported.
    ///
    /// - Parameters:
    ///   - isVerified: every byte of another policy is tested first.
    ///   - again: one that was found to be damaged is looked at once more.
    /// - Returns: a text for the log when another policy was taken up, or could not be.
    func refresh(verifying isVerified: Bool = false, again: Bool = false) -> String? {
        if again { damaged = nil }
        do throws(Fault) {
            let now = try naming("policy \"\(path)\"") { () throws(Errno) in try openFile(path, .pathOnly).status() }
            guard !now.isSameFile(as: file), !(damaged.map(now.isSameFile) ?? false) else { return nil }
            let next = try Self.open(try Self.trustedFile(path, trusted), path)
            if isVerified {
                damaged = next.0
                try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try next.2.verify() }
                damaged = nil
            }
            (file, descriptor, compiled) = next
            return "policy \"\(path)\" has changed and is taken up"
        } catch {
            return error.text
        }
    }

    func gateway() throws(Fault) -> Gateway {
        try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try compiled.gateway() }
    }

    /// The key with a SHA-256 fingerprint and what it may do, in its order.
    func entry(fingerprint: [UInt8]) throws(Fault) -> (key: Key, commands: [Command])? {
        try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in
            guard let key = try compiled.key(fingerprint: fingerprint) else { return nil }
            return (key, try compiled.commands(of: key))
        }
    }

    /// The authority whose key has this SHA-256 fingerprint.
    func authority(fingerprint: [UInt8]) throws(Fault) -> CertificateAuthority? {
        try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try compiled.authority(fingerprint: fingerprint) }
    }

    func commands(at indices: [Int]) throws(Fault) -> [Command] {
        try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try compiled.commands(at: indices) }
    }

    func isRevoked(digest: [UInt8]) throws(Fault) -> Bool {
        try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try compiled.isRevoked(digest: digest) }
    }

    func isRevoked(serial: UInt64, of authority: [UInt8]) throws(Fault) -> Bool {
        try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try compiled.isRevoked(serial: serial, of: authority) }
    }

    /// Whether a listed key has this name, and none of those that have it this fingerprint.
    func isTaken(name: String, besides fingerprint: [UInt8]) throws(Fault) -> Bool {
        try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try compiled.isTaken(name: name, besides: fingerprint) }
    }

    func sandbox(of command: Command) throws(Fault) -> SandboxPlan { try sandbox(at: command.sandbox) }

    /// The sandbox at an index, which is one of the policy that is live.
    func sandbox(at index: Int) throws(Fault) -> SandboxPlan {
        try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try compiled.sandbox(at: index) }
    }

    /// - Parameter path: what it is called.
    private static func open(_ file: Descriptor, _ path: String) throws(Fault) -> (FileStatus, Descriptor, CompiledPolicy<PolicyFile>) {
        let status = try naming("policy \"\(path)\"") { () throws(Errno) in try file.status() }
        let compiled = try naming("policy \"\(path)\"") { () throws(CompiledPolicyError) in try CompiledPolicy(PolicyFile(file: file, count: Int(status.size))) }
        return (status, file, compiled)
    }

    private static func trustedFile(_ path: String, _ trusted: UInt32?) throws(Fault) -> Descriptor {
        do throws(TrustError) {
            return try TrustedPath.open(path, trusting: trusted)
        } catch {
            let advice =
                switch error {
                case .missing: "; run \"postern apply\" first"
                case .owned(let path, _): "; if it is yours, chown \(trusted == nil ? "root" : "$USER") \"\(path)\""
                case .writable(let path, _): "; chmod go-w \"\(path)\""
                case .notAbsolute, .tooManyLinks, .wrongKind, .system: ""
                }
            throw Fault("policy: \(error)\(advice)")
        }
    }
}

extension FileStatus {
    /// Whether nothing was written since; that somebody has read it means nothing.
    fileprivate func isSameFile(as other: FileStatus) -> Bool {
        (device, inode, size, modified, mode, uid) == (other.device, other.inode, other.size, other.modified, other.mode, other.uid)
    }
}

/// An open file as the policy's storage. It is read, not mapped: who shortens a file that is mapped ends those who look at it.
struct PolicyFile: PolicyStorage {
    let file: Descriptor
    let count: Int

    func bytes(in range: Range<Int>) throws(CompiledPolicyError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var position = 0
        while position < bytes.count {
            let count: Int
            do throws(Errno) {
                count = try file.read(at: UInt64(range.lowerBound + position), into: &bytes, position..<bytes.count)
            } catch {
                throw .unreadable("\(error)")
            }
            guard count > 0 else { throw .unreadable("it has been shortened") }
            position += count
        }
        return bytes
    }
}
