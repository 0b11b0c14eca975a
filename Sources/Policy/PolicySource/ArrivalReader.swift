import Policy

/// Reads what `[gateway]` says of connections before anybody has logged in.
enum ArrivalReader {
    static func read(_ reader: inout TableReader, _ gateway: inout Gateway) {
        var limits = ArrivalLimits()
        let most = Int64(ArrivalLimits.mostConnections)
        if let count = reader.integer("max_connections", in: 1...most) { limits.connections = Int(count.value) }
        if let count = reader.integer("max_unauthenticated", in: 1...most) { limits.unauthenticated = Int(count.value) }
        if let count = reader.integer("max_per_source", in: 1...most) { limits.perSource = Int(count.value) }
        if let prefix = reader.table("source_prefix") { readPrefix(prefix, &limits, reader.report) }
        if let exempt = reader.addresses("exempt", use: "exempts") { limits.exempt = exempt.patterns }
        if let penalties = reader.table("penalties") { readPenalties(penalties, &limits.penalties, reader.report) }
        gateway.arrivals = limits
        if let proxy = reader.table("proxy") { gateway.proxy = self.proxy(proxy, reader.allowedWarnings, reader.report) }
    }

    private static func readPrefix(_ table: Table, _ limits: inout ArrivalLimits, _ report: Report) {
        var reader = TableReader(table, "\"source_prefix\"", report)
        if let bits = reader.integer("ipv4", in: 1...32) { limits.ipv4Prefix = Int(bits.value) }
        if let bits = reader.integer("ipv6", in: 1...128) { limits.ipv6Prefix = Int(bits.value) }
        reader.finish()
    }

    private static func readPenalties(_ table: Table, _ penalties: inout Penalties, _ report: Report) {
        var reader = TableReader(table, "\"penalties\"", report)
        let times: [(String, WritableKeyPath<Penalties, Duration>)] = [
            ("failed", \.failed), ("silent", \.silent), ("slow", \.slow), ("violation", \.violation), ("threshold", \.threshold), ("most", \.most),
        ]
        for (name, place) in times {
            if let time = reader.duration(name, in: .zero...day) { penalties[keyPath: place] = time.value }
        }
        if let time = reader.duration("remember", in: .zero...month) { penalties.remember = time.value }
        reader.finish()
    }

    private static func proxy(_ table: Table, _ allowed: Set<String>, _ report: Report) -> ProxyRule? {
        var reader = TableReader(table, "\"proxy\"", report)
        let addresses = reader.addresses("from", use: "trusts")
        if addresses == nil, !reader.has("from") {
            reader.missing("from", hint: "the addresses of the proxies, as from = [\"192.0.2.1\"]")
        }
        var rule = ProxyRule(from: addresses?.patterns ?? [])
        if let mode = reader.choice("mode", of: ["required", "optional"]) { rule.isRequired = mode.value == "required" }
        if let time = reader.duration("timeout", in: .milliseconds(100)...minute) { rule.timeout = time.value }
        reader.finish()
        if let first = addresses?.first, ["127.0.0.1", "::1"].contains(where: rule.concerns) || rule.from.contains(where: \.isLoopback) {
            report.warning(
                .trustedLoopback, first, allowed: allowed,
                "whoever can open a connection on this machine can say that it comes from anywhere",
                hint: "let the proxy connect to another address, or silence this with allow_warnings = [\"trusted-loopback\"]")
        }
        return rule.from.isEmpty ? nil : rule
    }

    private static let minute: Duration = .seconds(60)
    private static let day: Duration = .seconds(86_400)
    private static let month: Duration = .seconds(31 * 86_400)
}

extension AddressPattern {
    /// RFC 1122 §3.2.1.3: 127/8 is all this machine.
    fileprivate var isLoopback: Bool { !isExclusion && network.bytes.count == 4 && network.bytes[0] == 127 && prefixLength >= 8 }
}
