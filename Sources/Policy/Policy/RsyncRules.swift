/// What a command of type `rsync` is: a directory that clients of rsync(1) reach, and what they may do there.
public struct RsyncRules: Equatable, Sendable {
    /// What a client may be allowed to do.
    public enum Access: UInt8, Sendable, CaseIterable {
        case upload = 1
        /// Naming the files included: rsync's sender names what it has.
        case download
        /// Without it files that are there are passed over.
        case overwrite
        case delete

        /// As a policy writes it.
        public var word: String { "\(self)" }
    }

    /// The directory, in which `<key>` stands for the name of the key.
    public var root: String
    /// At least one, none twice; one of them is ``Access/upload`` or ``Access/download``.
    public var access: [Access] = [.upload]
    /// An index into ``Policy/sandboxes``: of requests that change nothing. The others are in that of the command.
    public var readingSandbox: Int

    public init(root: String, readingSandbox: Int) {
        self.root = root
        self.readingSandbox = readingSandbox
    }

    public func allows(_ wanted: Access) -> Bool { access.contains(wanted) }

    /// The directory for a key.
    ///
    /// - Parameter key: a name that ``NameRule`` accepts, which is never `..` and holds no `/`.
    public func root(for key: String) -> String {
        precondition(NameRule.accepts(key.utf8), "a key without a name for a directory")
        return root.filling("<key>", with: key)
    }

    /// What is run.
    public static let program = "/usr/bin/rsync"
}

extension RsyncRules: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(root)
        writer.list(access) { $0.byte($1.rawValue) }
        writer.count(readingSandbox)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let root = try reader.text()
        let access: [Access] = try reader.list { (reader) throws(RecordFault) in try reader.coded() }
        self.init(root: root, readingSandbox: try reader.count())
        self.access = access
    }
}
