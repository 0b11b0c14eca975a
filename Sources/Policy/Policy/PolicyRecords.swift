// How the parts of a policy are written into and read from the compiled form. A change here is a new ``CompiledPolicyHeader/version``.

/// Something that is a record of the compiled form, or a part of one.
protocol PolicyRecord {
    func write(to writer: inout RecordWriter)
    init(reading reader: inout RecordReader) throws(RecordFault)
}

extension Gateway: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(banner)
        writer.duration(loginGrace)
        writer.duration(idleTimeout)
        writer.duration(keepalive)
        writer.count(maxChannels)
        writer.integer(rekeyBytes)
        writer.duration(rekeyTime)
        arrivals.write(to: &writer)
        writer.optional(proxy) { $1.write(to: &$0) }
        writer.duration(drain)
        writer.bool(logFailure == .continue)
        writer.bool(keyExchange == .postQuantum)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init()
        banner = try reader.text()
        loginGrace = try reader.duration()
        idleTimeout = try reader.duration()
        keepalive = try reader.duration()
        maxChannels = try reader.count()
        rekeyBytes = try reader.integer()
        rekeyTime = try reader.duration()
        arrivals = try ArrivalLimits(reading: &reader)
        proxy = try reader.optional { (reader) throws(RecordFault) in try ProxyRule(reading: &reader) }
        drain = try reader.duration()
        logFailure = try reader.bool() ? .continue : .refuse
        keyExchange = try reader.bool() ? .postQuantum : .any
    }
}

extension SourcePosition: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(file)
        writer.count(line)
        writer.count(column)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init(file: try reader.text(), line: try reader.count(), column: try reader.count())
    }
}

extension AddressPattern: PolicyRecord {
    /// As text, which is short and parsed quickly.
    func write(to writer: inout RecordWriter) { writer.text(description) }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let text = try reader.text()
        do throws(AddressPatternError) {
            try self.init(parsing: text)
        } catch {
            throw RecordFault()
        }
    }
}

extension Key: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.raw(fingerprint)
        writer.text(name)
        writer.list(may) { $0.count($1) }
        writer.list(from) { $1.write(to: &$0) }
        writer.optional(notBefore) { $0.integer($1) }
        writer.optional(expires) { $0.integer($1) }
        writer.bool(requiresTouch)
        writer.bool(requiresPIN)
        position.write(to: &writer)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let fingerprint = try reader.raw(CompiledPolicyHeader.fingerprintBytes)
        let name = try reader.text()
        let may = try reader.list { (reader) throws(RecordFault) in try reader.count() }
        let from = try reader.list { (reader) throws(RecordFault) in try AddressPattern(reading: &reader) }
        let notBefore = try reader.optional { (reader) throws(RecordFault) in try reader.integer(Int64.self) }
        let expires = try reader.optional { (reader) throws(RecordFault) in try reader.integer(Int64.self) }
        let requiresTouch = try reader.bool()
        let requiresPIN = try reader.bool()
        self.init(name: name, fingerprint: fingerprint, may: may, position: try SourcePosition(reading: &reader))
        self.requiresTouch = requiresTouch
        self.requiresPIN = requiresPIN
        self.from = from
        self.notBefore = notBefore
        self.expires = expires
    }
}

extension CertificateAuthority: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.raw(fingerprint)
        writer.text(name)
        writer.list(principals) { writer, principal in
            writer.text(principal.name)
            writer.list(principal.may) { $0.count($1) }
        }
        position.write(to: &writer)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        let fingerprint = try reader.raw(CompiledPolicyHeader.fingerprintBytes)
        let name = try reader.text()
        let principals = try reader.list { (reader) throws(RecordFault) in
            let name = try reader.text()
            return Principal(name: name, may: try reader.list { (reader) throws(RecordFault) in try reader.count() })
        }
        self.init(name: name, fingerprint: fingerprint, principals: principals, position: try SourcePosition(reading: &reader))
    }
}

extension SandboxPlan: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(name)
        writer.list(paths) { $1.write(to: &$0) }
        network.write(to: &writer)
        limits.write(to: &writer)
        writer.blob(filter.program)
        writer.blob(filter.denials.bytes)
        writer.byte(filter.landlockABI)
        writer.list(allowedCalls) { $0.text($1) }
        writer.list(deniedCalls) { $0.text($1) }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init(name: try reader.text())
        paths = try reader.list { (reader) throws(RecordFault) in try PathRule(reading: &reader) }
        network = try Network(reading: &reader)
        limits = try ResourceLimits(reading: &reader)
        filter = CallFilter(program: try reader.blob(), denials: DenialTable(bytes: try reader.blob()), landlockABI: try reader.byte())
        allowedCalls = try reader.list { (reader) throws(RecordFault) in try reader.text() }
        deniedCalls = try reader.list { (reader) throws(RecordFault) in try reader.text() }
    }
}

extension PathRule: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.text(path)
        writer.byte(access.rawValue)
        writer.bool(isRequired)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init(path: try reader.text(), access: try reader.coded(), isRequired: try reader.bool())
    }
}

extension Network: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        switch self {
        case .none: writer.byte(0)
        case .unix: writer.byte(1)
        case .tcp(let ports, let dns):
            writer.byte(2)
            writer.list(ports) { $0.integer($1) }
            writer.bool(dns)
        case .any: writer.byte(3)
        }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        switch try reader.byte() {
        case 0: self = .none
        case 1: self = .unix
        case 2:
            let ports = try reader.list { (reader) throws(RecordFault) in try reader.integer(UInt16.self) }
            self = .tcp(ports: ports, dns: try reader.bool())
        case 3: self = .any
        default: throw RecordFault()
        }
    }
}

extension ResourceLimits: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.optional(processes) { $0.integer($1) }
        writer.optional(memory) { $0.integer($1) }
        writer.optional(cpu) { $0.duration($1) }
        writer.optional(openFiles) { $0.integer($1) }
        writer.optional(fileSize) { $0.integer($1) }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init()
        processes = try reader.optional { (reader) throws(RecordFault) in try reader.integer(UInt64.self) }
        memory = try reader.optional { (reader) throws(RecordFault) in try reader.integer(UInt64.self) }
        cpu = try reader.optional { (reader) throws(RecordFault) in try reader.duration() }
        openFiles = try reader.optional { (reader) throws(RecordFault) in try reader.integer(UInt64.self) }
        fileSize = try reader.optional { (reader) throws(RecordFault) in try reader.integer(UInt64.self) }
    }
}
