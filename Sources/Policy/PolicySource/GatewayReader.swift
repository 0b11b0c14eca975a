import Policy

/// Reads `[gateway]` (DESIGN §3.1).
enum GatewayReader {
    static func read(_ table: Table, _ report: Report) -> Gateway {
        var gateway = Gateway()
        var reader = TableReader(table, "the gateway", report)
        reader.readAllowedWarnings()
        if let banner = reader.string("banner") { gateway.banner = self.banner(banner, report) }
        if let time = reader.duration("login_grace", in: .seconds(1)...hour) { gateway.loginGrace = time.value }
        if let time = reader.duration("idle_timeout", in: .seconds(1)...day) { gateway.idleTimeout = time.value }
        if let time = reader.duration("keepalive", in: .seconds(1)...hour) { gateway.keepalive = time.value }
        if let count = reader.integer("max_channels", in: 1...64) { gateway.maxChannels = Int(count.value) }
        let choices = Gateway.KeyExchange.allCases.map(\.rawValue)
        if let text = reader.choice("key_exchange", of: choices), let choice = Gateway.KeyExchange(rawValue: text.value) { gateway.keyExchange = choice }
        if let rekey = reader.table("rekey") { readRekey(rekey, &gateway, report) }
        ArrivalReader.read(&reader, &gateway)
        let failures = Gateway.LogFailure.allCases.map(\.rawValue)
        if let text = reader.choice("log_failure", of: failures), let failure = Gateway.LogFailure(rawValue: text.value) { gateway.logFailure = failure }
        if let time = reader.duration("drain", in: .zero...hour) { gateway.drain = time.value }
        reader.finish()
        return gateway
    }

    private static func readRekey(_ table: Table, _ gateway: inout Gateway, _ report: Report) {
        var reader = TableReader(table, "\"rekey\"", report)
        if let bytes = reader.bytes("bytes", in: 1 << 20...mostRekeyBytes) { gateway.rekeyBytes = bytes.value }
        if let time = reader.duration("time", in: .seconds(60)...day) { gateway.rekeyTime = time.value }
        reader.finish()
    }

    private static func banner(_ text: Located<String>, _ report: Report) -> String {
        let controls = text.value.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" || $0.value == 0x7F }
        if controls {
            report.error(text.region, "the banner holds control characters", hint: "line feeds and tabs are the only ones")
        }
        if text.value.utf8.count > longestBanner { report.error(text.region, "the banner is longer than \(longestBanner) bytes") }
        return text.value
    }

    private static let hour: Duration = .seconds(3600)
    private static let day: Duration = .seconds(86_400)
    /// One packet holds it.
    private static let longestBanner = 16_384
    /// RFC 4344 §3.2 bounds the blocks under one key; RFC 4253 §9 recommends a gigabyte.
    private static let mostRekeyBytes: UInt64 = 64 << 30
}
