// How a git service is written into and read from the compiled form: see PolicyRecords.swift.

extension GitService: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(root)
        writer.list(repositories) { $0.text($1.description) }
        writer.byte(access.rawValue)
        writer.bool(creates)
        writer.text(RefRule.text(of: refs))
        writer.optional(hooks) { $0.text($1) }
        writer.optional(maxPack) { $0.integer($1) }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let root = try reader.text()
        let repositories = try reader.list { (reader) throws(RecordFault) -> RepositoryPattern in
            guard let pattern = RepositoryPattern(try reader.text()) else { throw RecordFault() }
            return pattern
        }
        guard let access = Access(rawValue: try reader.byte()) else { throw RecordFault() }
        self.init(root: root, repositories: repositories, access: access)
        creates = try reader.bool()
        guard let refs = RefRule.rules(in: try reader.text()) else { throw RecordFault() }
        self.refs = refs
        hooks = try reader.optional { (reader) throws(RecordFault) in try reader.text() }
        maxPack = try reader.optional { (reader) throws(RecordFault) in try reader.integer() }
    }
}
