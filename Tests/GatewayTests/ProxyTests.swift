import Foundation
import Linux
import Testing

@Suite("posternd(8), Proxies: the PROXY protocol") struct ProxyTests {
    static let proxied = "proxy = { from = ['127.0.0.5'], timeout = '2s' }"
    static let header = #"PROXY TCP4 203.0.113.9 198.51.100.2 12345 2222\r\n"#
    /// The same in version 2, with a TLV, as printf(1) takes it.
    static let binary = #"\r\n\r\n\0\r\nQUIT\n\041\021\0\020\313\000\161\011\306\063\144\002\060\071\010\256\004\0\001\0"#
    /// LOCAL, and version 1's word for the same.
    static let own = [#"\r\n\r\n\0\r\nQUIT\n\040\000\0\0"#, #"PROXY UNKNOWN\r\n"#]

    /// A client behind a proxy that says `header` before it passes on what the client says.
    private static func behind(_ header: String, at host: String = "127.0.0.5", _ gateway: Gateway) -> [String] {
        // No shell stays that would hold ssh's end open when the gateway has hung up.
        ["-o", "ProxyCommand=/bin/bash -c \"exec socat -t 5 - TCP:127.0.0.1:\(gateway.port),bind=\(host) < <(printf '\(header)'; exec cat)\""]
    }

    @Test(arguments: [header, binary]) func `the policy, the limits and the log see the client`(header: String) throws {
        let key = TestPolicy.Key(name: "alice", lines: "may = ['sh']\nfrom = ['203.0.113.0/24']")
        let other = TestPolicy.Key(name: "bob", lines: "may = ['sh']\nfrom = ['127.0.0.0/8']")
        try Gateway.serving(.init(gateway: Self.proxied, keys: [key, other])) { gateway in
            let outcome = try gateway.script("echo $SSH_CONNECTION; echo $SSH_CLIENT; cat", options: Self.behind(header, gateway), input: .bytes(Array("in\n".utf8)))
            #expect(outcome.output == "203.0.113.9 12345 198.51.100.2 2222\n203.0.113.9 12345 2222\nin\n", "\(outcome)")
            let record = try gateway.record("connect")
            #expect(record["peer"] == "203.0.113.9" && record["proxy"] == "127.0.0.5" && record["local"] == "198.51.100.2:2222")
            #expect(try gateway.ssh(Gateway.line("echo in"), key: "bob", options: Self.behind(header, gateway)).code == 255)
            #expect(try gateway.ssh(Gateway.line("echo in"), key: "bob").output == "in\n", "who is no proxy needs no header")
        }
    }

    @Test(arguments: own) func `a proxy's own connection is the proxy's`(header: String) throws {
        try Gateway.serving(.init(gateway: Self.proxied)) { gateway in
            let outcome = try gateway.script("echo ${SSH_CONNECTION% * *}", options: Self.behind(header, gateway))
            #expect(outcome.output.hasPrefix("127.0.0.5 "), "\(outcome)")
            #expect(try gateway.record("connect")["proxy"].isEmpty)
        }
    }

    @Test func `a header from an address that is no proxy is no header`() throws {
        try Gateway.serving(.init(gateway: Self.proxied)) { gateway in
            let outcome = try gateway.ssh(Gateway.line("echo in"), options: Self.behind(Self.header, at: "127.0.0.6", gateway))
            #expect(outcome.code == 255 && !outcome.output.contains("in"))
            #expect(try gateway.record("connect")["peer"] == "127.0.0.6")
            #expect(try gateway.records("authentication").isEmpty)
        }
    }

    static let wrong: [(bytes: String, reason: String)] = [
        ("SSH-2.0-client\r\n", "the proxy sent no PROXY header"), ("", "the proxy sent no PROXY header"),
        ("PROXY TCP4 203.0.113.9 198.51", "the connection ended within its PROXY header"),
        ("PROXY TCP4 203.0.113.9 198.51.100.2 1 99999\r\n", "bad PROXY header: a line with other words than a protocol, two addresses and two ports"),
        ("PROXY \(String(repeating: "x", count: 200))\r\n", "bad PROXY header: a line that does not end within 107 bytes"),
    ]

    @Test func `without a whole and right one there is no connection from a proxy`() throws {
        try Gateway.serving(.init(gateway: Self.proxied)) { gateway in
            for (bytes, reason) in Self.wrong {
                let client = try Self.connect(gateway)
                try client.writeAll(Array(bytes.utf8))
                try client.shutDown(receiving: false)
                let answer = String(decoding: try client.readAll(limit: 4096), as: UTF8.self)
                #expect(answer.hasPrefix("SSH-2.0-Postern_") && answer.contains(reason), "\(answer)")
                _ = try gateway.record("refused") { $0["reason"] == reason && $0["peer"] == "127.0.0.5" }
            }
            #expect(try gateway.records("connect").isEmpty)
        }
    }

    @Test func `a header that is late is refused`() throws {
        try Gateway.serving(.init(gateway: Self.proxied)) { gateway in
            let started = Clock.monotonic
            let clients = try ["", "PROXY TCP4 203.0.113.9 "].map { bytes in
                let client = try Self.connect(gateway)
                try client.writeAll(Array(bytes.utf8))
                return client
            }
            for client in clients { #expect(String(decoding: try client.readAll(limit: 4096), as: UTF8.self).contains("no whole PROXY header came within 2.0 seconds")) }
            #expect(Clock.monotonic - started >= .seconds(2))
        }
    }

    private static func connect(_ gateway: Gateway) throws -> Descriptor {
        try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: gateway.port), from: SocketAddress(host: "127.0.0.5", port: 0))
    }

    @Test func `where it is optional, SSH may come at once, or nothing`() throws {
        try Gateway.serving(.init(gateway: "proxy = { from = ['127.0.0.5'], timeout = '300ms', mode = 'optional' }")) { gateway in
            #expect(try gateway.script("echo $SSH_CLIENT", options: ["-b", "127.0.0.5"]).output.hasPrefix("127.0.0.5 "))
            #expect(try gateway.script("echo $SSH_CLIENT", options: Self.behind(Self.header, gateway)).output.hasPrefix("203.0.113.9 "))
            let silent = try Self.connect(gateway)
            var start = [UInt8](repeating: 0, count: 8)
            _ = try silent.read(into: &start, start.indices)
            #expect(start == Array("SSH-2.0-".utf8))
        }
    }

    @Test func `limits are for the client's address, and the proxy has none`() throws {
        try Gateway.serving(.init(gateway: Self.proxied + "\nexempt = []\nmax_per_source = 1")) { gateway in
            func hold(_ host: String) throws -> (Descriptor, String) {
                let client = try Self.connect(gateway)
                try client.writeAll(Array("PROXY TCP4 \(host) 198.51.100.2 1 2\r\n".utf8))
                var bytes = [UInt8](repeating: 0, count: 4096)
                var text = ""
                while !text.contains("\r\n"), let count = try client.read(into: &bytes, bytes.indices), count > 0 { text += String(decoding: bytes[..<count], as: UTF8.self) }
                return (client, text)
            }
            let held = try (1...8).map { try hold("203.0.113.\($0)") }
            #expect(held.allSatisfy { !$0.1.contains("address") })
            #expect(try hold("203.0.113.8").1.contains("1 connection from your address has not logged in yet"))
            withExtendedLifetime(held) {}
        }
    }

    @Test(arguments: ["send-proxy", "send-proxy-v2"]) func `HAProxy passes on whose a connection is`(option: String) throws {
        try Gateway.serving(.init(gateway: Self.proxied)) { gateway in
            let port = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0)).localAddress().port
            let configuration = "\(gateway.directory)/haproxy.cfg"
            try """
            defaults
              mode tcp
              timeout connect 5s
              timeout client 60s
              timeout server 60s
            listen ssh
              bind 127.0.0.1:\(port)
              server postern 127.0.0.1:\(gateway.port) source 127.0.0.5 \(option)

            """.write(toFile: configuration, atomically: false, encoding: .utf8)
            let haproxy = try RunningProgram(["/usr/sbin/haproxy", "-db", "-f", configuration])
            let options = ["-b", "127.0.0.7", "-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"]
            var outcome: Outcome?
            let isServed = try becomesTrue(within: .seconds(10)) {
                outcome = try gateway.script("echo $SSH_CONNECTION", options: options)
                return outcome?.code == 0
            }
            #expect(isServed, "\(haproxy.errorsSoFar)")
            let ends = outcome?.output.split(whereSeparator: \.isWhitespace) ?? []
            #expect(ends.count == 4 && ends.first == "127.0.0.7" && ends.last.map(String.init) == "\(port)", "\(ends)")
            let record = try gateway.record("connect")
            #expect(record["peer"] == "127.0.0.7" && record["proxy"] == "127.0.0.5")
            try haproxy.kill()
        }
    }

    /// As a normal user the tests cannot read deploy/.
    @Test(.enabled(if: isRoot, "reads deploy/")) func `deploy/haproxy.cfg passes connections on, and its checks are no offence`() throws {
        try Gateway.serving(.init(gateway: Self.proxied + "\nexempt = []\npenalties = { silent = '40s', threshold = '30s' }")) { gateway in
            let port = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0)).localAddress().port
            let configuration = "\(gateway.directory)/haproxy.cfg"
            let changes = [
                "bind :22\n": "bind 127.0.0.1:\(port)\n", "192.0.2.10:2222": "127.0.0.1:\(gateway.port) source 127.0.0.5", " check\n": " check inter 100ms\n",
            ]
            let text = try String(contentsOfFile: "\(UnitTests.deploy)/haproxy.cfg", encoding: .utf8)
            #expect(changes.keys.allSatisfy { text.contains($0) })
            try changes.reduce(text) { $0.replacing($1.key, with: $1.value) }.write(toFile: configuration, atomically: false, encoding: .utf8)
            let haproxy = try RunningProgram(["/usr/sbin/haproxy", "-db", "-f", configuration])
            let options = ["-b", "127.0.0.7", "-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"]
            let isServed = try becomesTrue(within: .seconds(20)) { try gateway.script("echo in", options: options).output == "in\n" }
            #expect(isServed, "\(haproxy.errorsSoFar)")
            // Each takes as long as a check or two.
            for _ in 0..<20 { #expect(try gateway.script("echo in", options: options).output == "in\n") }
            _ = try gateway.record("authentication") { $0["peer"] == "127.0.0.7" && $0["result"] == "granted" }
            #expect(try gateway.records("refused").isEmpty && !gateway.log.contains("posternd: connection"), "\(gateway.log.suffix(2000))")
            try haproxy.kill()
        }
    }
}
