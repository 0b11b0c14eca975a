// As in PolicyRecords.swift.

extension ArrivalLimits: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        for count in [connections, unauthenticated, perSource, ipv4Prefix, ipv6Prefix] { writer.count(count) }
        writer.list(exempt) { $1.write(to: &$0) }
        penalties.write(to: &writer)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init()
        connections = try reader.count()
        unauthenticated = try reader.count()
        perSource = try reader.count()
        ipv4Prefix = try reader.count()
        ipv6Prefix = try reader.count()
        exempt = try reader.list { (reader) throws(RecordFault) in try AddressPattern(reading: &reader) }
        penalties = try Penalties(reading: &reader)
    }
}

extension Penalties: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        for time in [failed, silent, slow, violation, threshold, most, remember] { writer.duration(time) }
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init()
        failed = try reader.duration()
        silent = try reader.duration()
        slow = try reader.duration()
        violation = try reader.duration()
        threshold = try reader.duration()
        most = try reader.duration()
        remember = try reader.duration()
    }
}

extension ProxyRule: PolicyRecord {
    func write(to writer: inout RecordWriter) {
        writer.list(from) { $1.write(to: &$0) }
        writer.bool(isRequired)
        writer.duration(timeout)
    }

    init(reading reader: inout RecordReader) throws(RecordFault) {
        self.init(from: try reader.list { (reader) throws(RecordFault) in try AddressPattern(reading: &reader) })
        isRequired = try reader.bool()
        timeout = try reader.duration()
    }
}
