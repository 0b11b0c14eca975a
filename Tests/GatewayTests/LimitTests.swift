import Foundation
import Linux
import Testing

@Suite("posternd(8), Limits: before anybody has logged in") struct LimitTests {
    static let tight = "exempt = []\nmax_per_source = 2\nlogin_grace = '30s'"

    private func hold(_ gateway: Gateway, from host: String, _ count: Int) throws -> [Descriptor] {
        try (0..<count).map { _ in
            try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: gateway.port), from: SocketAddress(host: host, port: 0))
        }
    }

    /// All who are connected have been let in or turned away.
    private func greeted(_ clients: [Descriptor]) throws {
        for client in clients {
            var byte: [UInt8] = [0]
            _ = try client.read(into: &byte, 0..<1)
        }
    }

    @Test func `a source that waits too often is told so, and no other is`() throws {
        try Gateway.serving(.init(gateway: Self.tight)) { gateway in
            let held = try hold(gateway, from: "127.0.0.2", 2)
            try greeted(held)
            let refused = try gateway.ssh(Gateway.line("echo in"), options: ["-b", "127.0.0.2"])
            #expect(refused.code == 255)
            #expect(refused.errors.contains(/: ?2 connections from your address have not logged in yet; try again in (30|2[0-9]) seconds/), "\(refused)")
            #expect(try gateway.ssh(Gateway.line("echo in"), options: ["-b", "127.0.0.3"]).output == "in\n")
            let record = try gateway.record("refused")
            #expect(record["peer"] == "127.0.0.2" && record.number("times") == 1 && record["reason"].hasPrefix("2 connections"))
            withExtendedLifetime(held) {}
        }
    }

    @Test func `of all connections, of those that have not logged in, and of a network there is only so much`() throws {
        try Gateway.serving(.init(gateway: "exempt = []\nmax_connections = 1\npenalties = { silent = '0s' }")) { gateway in
            try gateway.withMaster { options in
                let (shared, another) = (try gateway.ssh(Gateway.line("echo in"), options: options), try gateway.ssh(Gateway.line("echo in")))
                #expect(shared.output == "in\n" && another.code == 255)
                #expect(try gateway.record("refused")["reason"] == "there are too many connections; try again later")
            }
        }
        try Gateway.serving(.init(gateway: "exempt = []\nmax_unauthenticated = 1\npenalties = { silent = '0s' }")) { gateway in
            let held = try hold(gateway, from: "127.0.0.2", 1)
            try greeted(held)
            #expect(try gateway.ssh(Gateway.line("echo in")).code == 255)
            #expect(try gateway.record("refused")["reason"].hasPrefix("too many connections have not logged in yet"))
            withExtendedLifetime(held) {}
        }
        try Gateway.serving(.init(gateway: "exempt = []\nmax_per_source = 1\nsource_prefix = { ipv4 = 24 }\npenalties = { silent = '0s' }")) { gateway in
            let held = try hold(gateway, from: "127.0.0.2", 1)
            try greeted(held)
            #expect(try gateway.ssh(Gateway.line("echo in"), options: ["-b", "127.0.0.3"]).code == 255)
            #expect(try gateway.ssh(Gateway.line("echo in"), options: ["-b", "127.0.1.3"]).output == "in\n")
            withExtendedLifetime(held) {}
        }
    }

    @Test func `the place of a connection is free when it is over`() throws {
        try Gateway.serving(.init(gateway: Self.tight)) { gateway in
            for _ in 0..<5 {
                let held = try hold(gateway, from: "127.0.0.1", 2)
                try greeted(held)
                withExtendedLifetime(held) {}
            }
            #expect(try becomesTrue(within: .seconds(10)) { try gateway.ssh(Gateway.line("echo in")).output == "in\n" })
        }
    }

    @Test func `a process that is killed leaves no place taken`() throws {
        try Gateway.serving(.init(gateway: Self.tight)) { gateway in
            let held = try hold(gateway, from: "127.0.0.1", 2)
            try greeted(held)
            for process in LiveProcess.descendants(of: gateway.process.pid) where process.name == "posternd" {
                _ = try run(["/bin/kill", "-9", "\(process.pid)"])
            }
            #expect(try gateway.ssh(Gateway.line("echo in")).output == "in\n")
            withExtendedLifetime(held) {}
        }
    }

    @Test func `logins that fail are held against their source, until somebody logs in from there`() throws {
        let policy = TestPolicy(gateway: "exempt = ['127.0.0.9']\npenalties = { failed = '40s', threshold = '60s' }", signers: ["stranger"])
        try Gateway.serving(policy) { gateway in
            func attempt(_ host: String, key: String) throws -> Outcome { try gateway.ssh(Gateway.line("echo in"), key: key, options: ["-b", host]) }
            for _ in 0..<2 { #expect(try attempt("127.0.0.2", key: "stranger").errors.contains("Permission denied")) }
            let reason = "connections from your address are refused after logins that failed; try again in "
            // A client does not wait until its failure is written down.
            #expect(try becomesTrue(within: .seconds(10)) { try attempt("127.0.0.2", key: "stranger").errors.contains(reason) })
            let refused = try attempt("127.0.0.2", key: "alice")
            #expect(refused.errors.contains(/try again in [1-9][0-9]* seconds/) && refused.errors.contains(reason), "\(refused)")
            #expect(try attempt("127.0.0.3", key: "alice").output == "in\n")
            for _ in 0..<3 { #expect(try attempt("127.0.0.3", key: "stranger").errors.contains("Permission denied")) }
            #expect(try attempt("127.0.0.3", key: "alice").output == "in\n", "a source that has logged in lately may err")
            for _ in 0..<3 { #expect(try attempt("127.0.0.9", key: "stranger").errors.contains("Permission denied"), "it is exempt") }
        }
    }

    @Test func `processes that nobody listens for know it in common`() throws {
        // Their standard error is the connection: they log to syslog, which need not be there.
        try Gateway.serving(.init(gateway: Self.tight + "\nlog_failure = 'continue'")) { gateway in
            let posternd = try Gateway.command(gateway.directory).joined(separator: " ")
            let server = try RunningProgram(["/usr/bin/socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork", "EXEC:\(posternd),nofork,stderr"])
            func told() -> UInt16? { server.errorsSoFar.firstMatch(of: /listening on AF=2 127\.0\.0\.1:(\d+)/).flatMap { UInt16($0.1) } }
            #expect(try becomesTrue(within: .seconds(10)) { told() != nil })
            let port = try #require(told())
            let held = try (0..<2).map { _ in
                try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: port), from: SocketAddress(host: "127.0.0.2", port: 0))
            }
            try greeted(held)
            let options = ["-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"]
            // The listener and these share their table too.
            for more in [options, []] {
                let refused = try gateway.ssh(Gateway.line("echo in"), options: more + ["-b", "127.0.0.2"])
                #expect(refused.errors.contains("2 connections from your address have not logged in yet"), "\(refused)")
                #expect(try gateway.ssh(Gateway.line("echo in"), options: more + ["-b", "127.0.0.3"]).output == "in\n")
            }
            for process in LiveProcess.descendants(of: server.pid) where process.name == "posternd" { _ = try run(["/bin/kill", "-9", "\(process.pid)"]) }
            #expect(try gateway.ssh(Gateway.line("echo in"), options: options + ["-b", "127.0.0.2"]).output == "in\n")
            try server.kill()
            withExtendedLifetime(held) {}
        }
    }

    @Test func `a table that is damaged is made anew, and one that cannot be is said`() throws {
        try Gateway.serving { gateway in
            let table = "\(gateway.directory)/state/arrivals"
            #expect(try gateway.script("exit 0").code == 0)
            let size = try openFile(table).status().size
            for damage in [[UInt8](), [UInt8](repeating: 0xa5, count: 4000), [UInt8](repeating: 0xff, count: 700_000)] {
                let file = try openFile(table, [.write, .truncate])
                try file.writeAll(damage)
                #expect(try gateway.script("exit 0").code == 0)
                #expect(try openFile(table).status().size == size)
            }
            #expect(!gateway.log.contains("no limits"))
            let blocked = try openFile(table, .readWrite)
            try blocked.lock(waiting: true)
            #expect(try gateway.script("exit 0").code == 0, "a process that holds the lock and stops keeps nobody out")
            withExtendedLifetime(blocked) {}
            #expect(gateway.log.contains("no limits before authentication"))
        }
    }
}
