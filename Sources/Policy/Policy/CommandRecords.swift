// How a command, its usage, argument types and templates are written into and read from the compiled form: see PolicyRecords.swift.

extension Command: PolicyRecord {
    /// The name comes first, so that it can be read alone.
    func write(to writer: inout RecordWriter) {
        writer.text(name)
        account.write(to: &writer)
        writer.text(login)
        writer.text(summary)
        writer.optional(usage) { $1.write(to: &$0) }
        writer.optional(subsystem) { $0.text($1) }
        writer.list(arguments.sorted { $0.key < $1.key }) { writer, entry in
            writer.text(entry.key)
            entry.value.write(to: &writer)
        }
        writer.list(run) { $1.write(to: &$0) }
        writer.bool(takesInput)
        writer.list(environment) { $1.write(to: &$0) }
        writer.list(acceptEnvironment.sorted { $0.key < $1.key }) { writer, entry in
            writer.text(entry.key)
            entry.value.write(to: &writer)
        }
        writer.list(signals) { $0.text($1) }
        writer.optional(directory) { $0.text($1) }
        writer.optional(timeout) { $0.duration($1) }
        writer.bool(survivesDisconnect)
        writer.optional(outputLimit) { $0.integer($1) }
        writer.optional(lock) { $0.text($1) }
        writer.duration(lockWait)
        writer.optional(git) { $1.write(to: &$0) }
        writer.optional(drop) { $1.write(to: &$0) }
        writer.optional(rsync) { $1.write(to: &$0) }
        writer.count(sandbox)
        position.write(to: &writer)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let name = try reader.text()
        let account = try Account(reading: &reader)
        let login = try reader.text()
        let summary = try reader.text()
        let usage = try reader.optional { (reader) throws(RecordFault) in try Usage(reading: &reader) }
        let subsystem = try reader.optional { (reader) throws(RecordFault) in try reader.text() }
        let arguments = try Self.table(of: ArgumentType.self, &reader)
        let run = try reader.list { (reader) throws(RecordFault) in try RunWord(reading: &reader) }
        let takesInput = try reader.bool()
        let environment = try reader.list { (reader) throws(RecordFault) in try EnvironmentEntry(reading: &reader) }
        let acceptEnvironment = try Self.table(of: Matcher.self, &reader)
        let signals = try reader.list { (reader) throws(RecordFault) in try reader.text() }
        let directory = try reader.optional { (reader) throws(RecordFault) in try reader.text() }
        let timeout = try reader.optional { (reader) throws(RecordFault) in try reader.duration() }
        let survivesDisconnect = try reader.bool()
        let outputLimit = try reader.optional { (reader) throws(RecordFault) in try reader.integer(UInt64.self) }
        let lock = try reader.optional { (reader) throws(RecordFault) in try reader.text() }
        let lockWait = try reader.duration()
        let git = try reader.optional { (reader) throws(RecordFault) in try GitService(reading: &reader) }
        let drop = try reader.optional { (reader) throws(RecordFault) in try DropRules(reading: &reader) }
        let rsync = try reader.optional { (reader) throws(RecordFault) in try RsyncRules(reading: &reader) }
        let sandbox = try reader.count()
        let position = try SourcePosition(reading: &reader)
        self.init(name: name, account: account, login: login, usage: usage, run: run, sandbox: sandbox, position: position)
        self.summary = summary
        self.subsystem = subsystem
        self.arguments = arguments
        self.takesInput = takesInput
        self.environment = environment
        self.acceptEnvironment = acceptEnvironment
        self.signals = signals
        self.directory = directory
        self.timeout = timeout
        self.survivesDisconnect = survivesDisconnect
        self.git = git
        self.drop = drop
        self.rsync = rsync
        self.outputLimit = outputLimit
        self.lock = lock
        self.lockWait = lockWait
    }

    private static func table<Value: PolicyRecord>(
        of _: Value.Type, _ reader: inout RecordReader
    ) throws(RecordFault) -> [String: Value] {
        var table: [String: Value] = [:]
        for _ in 0..<(try reader.count()) {
            let name = try reader.text()
            table[name] = try Value(reading: &reader)
        }
        return table
    }
}

extension Account: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(name)
        writer.integer(uid)
        writer.integer(gid)
        writer.list(groups) { $0.integer($1) }
        writer.text(home)
        writer.text(shell)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let name = try reader.text()
        let uid: UInt32 = try reader.integer()
        let gid: UInt32 = try reader.integer()
        let groups = try reader.list { (reader) throws(RecordFault) in try reader.integer(UInt32.self) }
        self.init(name: name, uid: uid, gid: gid, groups: groups, home: try reader.text(), shell: try reader.text())
    }
}

extension Usage: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.list(parts) { writer, part in
            let (code, text): (UInt8, String) =
                switch part {
                case .literal(let text): (0, text)
                case .argument(let text): (1, text)
                case .arguments(let text): (2, text)
                case .optionalLiteral(let text): (3, text)
                case .optionalArgument(let text): (4, text)
                }
            writer.byte(code)
            writer.text(text)
        }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let parts = try reader.list { (reader) throws(RecordFault) -> Part in
            switch try reader.byte() {
            case 0: .literal(try reader.text())
            case 1: .argument(try reader.text())
            case 2: .arguments(try reader.text())
            case 3: .optionalLiteral(try reader.text())
            case 4: .optionalArgument(try reader.text())
            default: throw RecordFault()
            }
        }
        self.init(parts: parts)
    }
}

extension ArgumentType: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        switch kind {
        case .word: writer.byte(0)
        case .match(let matcher):
            writer.byte(1)
            matcher.write(to: &writer)
        case .oneOf(let choices):
            writer.byte(2)
            writer.list(choices) { $0.text($1) }
        case .integer(let range):
            writer.byte(3)
            writer.integer(range.lowerBound)
            writer.integer(range.upperBound)
        case .path(let directory):
            writer.byte(4)
            writer.text(directory)
        case .semver: writer.byte(5)
        case .gitref: writer.byte(6)
        case .hex: writer.byte(7)
        }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        switch try reader.byte() {
        case 0: self.init(kind: .word)
        case 1: self.init(kind: .match(try Matcher(reading: &reader)))
        case 2: self.init(kind: .oneOf(try reader.list { (reader) throws(RecordFault) in try reader.text() }))
        case 3:
            let (smallest, largest): (Int64, Int64) = (try reader.integer(), try reader.integer())
            guard smallest <= largest else { throw RecordFault() }
            self.init(kind: .integer(smallest...largest))
        case 4: self.init(kind: .path(beneath: try reader.text()))
        case 5: self.init(kind: .semver)
        case 6: self.init(kind: .gitref)
        case 7: self.init(kind: .hex)
        default: throw RecordFault()
        }
    }
}

extension Matcher: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(pattern)
        writer.raw(table.classOfByte)
        writer.list(table.isAccepting) { $0.bool($1) }
        writer.list(table.next) { $0.integer($1) }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let pattern = try reader.text()
        let classOfByte = try reader.raw(256)
        let isAccepting = try reader.list { (reader) throws(RecordFault) in try reader.bool() }
        let next = try reader.list { (reader) throws(RecordFault) in try reader.integer(UInt16.self) }
        let table = Table(classOfByte: classOfByte, next: next, isAccepting: isAccepting)
        guard let matcher = Matcher(pattern: pattern, table: table) else { throw RecordFault() }
        self = matcher
    }
}

extension RunWord: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.list(pieces) { writer, piece in
            let (code, text): (UInt8, String) =
                switch piece {
                case .literal(let text): (0, text)
                case .value(let text): (1, text)
                case .values(let text): (2, text)
                case .flag(let text): (3, text)
                }
            writer.byte(code)
            writer.text(text)
        }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let pieces = try reader.list { (reader) throws(RecordFault) -> Piece in
            switch try reader.byte() {
            case 0: .literal(try reader.text())
            case 1: .value(try reader.text())
            case 2: .values(try reader.text())
            case 3: .flag(try reader.text())
            default: throw RecordFault()
            }
        }
        self.init(pieces)
    }
}

extension EnvironmentEntry: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(name)
        writer.text(value)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init(name: try reader.text(), value: try reader.text())
    }
}
