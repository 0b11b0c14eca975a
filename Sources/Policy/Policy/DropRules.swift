/// What a drop account is (DESIGN §3.2, §4.2): a directory that clients reach by scp and SFTP, and what they may do there.
public struct DropRules: Equatable, Sendable {
    /// What a client may be allowed to do.
    public enum Access: UInt8, Sendable, CaseIterable {
        case upload = 1
        case download, list, overwrite, rename, delete, makeDirectory

        /// As a policy writes it.
        public var word: String { self == .makeDirectory ? "make_directory" : "\(self)" }
    }

    /// A program of the administrator that looks at each file.
    public struct Hook: Equatable, Sendable {
        /// The argv; `<path>` in a word stands for the path of the file. The first word is an absolute path.
        public var words: [String]
        /// An index into ``Policy/sandboxes``.
        public var sandbox: Int

        public init(words: [String], sandbox: Int) {
            self.words = words
            self.sandbox = sandbox
        }

        /// The argv for a file.
        public func argv(path: String) -> [String] { words.map { $0.filling("<path>", with: path) } }
    }

    /// The directory, in which `<key>` stands for the name of the key.
    public var root: String
    /// At least one, none twice.
    public var access: [Access] = [.upload]
    /// Bytes of one file; nil: no limit.
    public var maxFile: UInt64?
    /// Bytes of all files together; nil: no limit.
    public var quota: UInt64?
    public var maxFiles: UInt64?
    /// Patterns with `*` and `?` of what files may be called; empty: anything.
    public var names: [String] = []
    /// Runs before a file appears, and may refuse it.
    public var verify: Hook?
    /// Runs when it is there.
    public var onComplete: Hook?

    public init(root: String) { self.root = root }

    public func allows(_ wanted: Access) -> Bool { access.contains(wanted) }

    /// The directory for a key.
    ///
    /// - Parameter key: a name that ``NameRule`` accepts, which is never `..` and holds no `/`.
    public func root(for key: String) -> String {
        precondition(NameRule.accepts(key.utf8), "a key without a name for a directory")
        return root.filling("<key>", with: key)
    }

    /// What `postern-files` is told; it has no other settings.
    var arguments: [String] {
        var arguments = ["--access", access.map(\.word).joined(separator: ",")]
        if let maxFile { arguments += ["--max-file", "\(maxFile)"] }
        if let quota { arguments += ["--quota", "\(quota)"] }
        if let maxFiles { arguments += ["--max-files", "\(maxFiles)"] }
        for name in names { arguments += ["--name", name] }
        if verify != nil { arguments.append("--verify") }
        return arguments
    }

    /// The helper that serves it.
    public static let program = "postern-files"
    /// The subsystem by which clients ask for SFTP.
    public static let subsystem = "sftp"
}

extension DropRules: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(root)
        writer.list(access) { $0.byte($1.rawValue) }
        for limit in [maxFile, quota, maxFiles] { writer.optional(limit) { $0.integer($1) } }
        writer.list(names) { $0.text($1) }
        for hook in [verify, onComplete] {
            writer.optional(hook) { writer, hook in
                writer.list(hook.words) { $0.text($1) }
                writer.count(hook.sandbox)
            }
        }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init(root: try reader.text())
        access = try reader.list { (reader) throws(RecordFault) in try reader.coded() }
        maxFile = try Self.limit(&reader)
        quota = try Self.limit(&reader)
        maxFiles = try Self.limit(&reader)
        names = try reader.list { (reader) throws(RecordFault) in try reader.text() }
        verify = try Self.hook(&reader)
        onComplete = try Self.hook(&reader)
    }

    private static func limit(_ reader: inout RecordReader) throws(RecordFault) -> UInt64? {
        try reader.optional { (reader) throws(RecordFault) in try reader.integer(UInt64.self) }
    }

    private static func hook(_ reader: inout RecordReader) throws(RecordFault) -> Hook? {
        try reader.optional { (reader) throws(RecordFault) in
            let words = try reader.list { (reader) throws(RecordFault) in try reader.text() }
            guard !words.isEmpty else { throw RecordFault() }
            return Hook(words: words, sandbox: try reader.count())
        }
    }
}
