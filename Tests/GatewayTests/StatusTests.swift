import Foundation
import Linux
import Testing

@Suite("postern(1) status: who is logged in and what runs") struct StatusTests {
    private func status(_ gateway: Gateway, _ arguments: String...) throws -> Outcome {
        try run([try Gateway.program("postern"), "status", "--state", "\(gateway.directory)/state"] + arguments)
    }

    private func sessions(_ gateway: Gateway) throws -> [[String: Any]] {
        let outcome = try status(gateway, "--json")
        #expect(outcome.code == 0, "\(outcome)")
        return try outcome.output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    private func commands(_ session: [String: Any]) -> [[String: Any]] { session["commands"] as? [[String: Any]] ?? [] }

    @Test func `a session is shown with its commands as long as it lives`() throws {
        try Gateway.serving { gateway in
            #expect(try status(gateway).errors == "nobody is logged in\n")
            let client = try RunningProgram(gateway.sshCommand([Gateway.line("echo started; exec sleep 60")]))
            #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "started\n" })
            let session = try #require(try sessions(gateway).first)
            let record = try gateway.record("connect")
            #expect(session["id"] as? String == record.connection && session["key"] as? String == "alice" && session["login"] as? String == gateway.user.name)
            #expect(session["peer"] as? String == "127.0.0.1" && session["state"] as? String == "open" && session["seconds"] as? Int != nil)
            #expect((session["bytes"] as? Int ?? 0) > 1000)
            #expect(commands(session).map { $0["command"] as? String } == ["sh"] && commands(session).map { $0["user"] as? String } == [gateway.user.name])
            let text = try status(gateway).output
            #expect(text.contains(try Regex("^\(record.connection)  alice as \(gateway.user.name) from 127\\.0\\.0\\.1  [0-9]+s  [0-9.]+ KiB\n")), "\(text)")
            #expect(text.contains("  sh as \(gateway.user.name)  "), "\(text)")
            try client.kill()
            #expect(try becomesTrue(within: .seconds(10)) { try sessions(gateway).isEmpty })
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(gateway.directory)/state/sessions").isEmpty)
        }
    }

    @Test func `where no gateway has its state, it says so`() throws {
        try Gateway.serving { gateway in
            let outcome = try run([try Gateway.program("postern"), "status", "--state", "\(gateway.directory)/nowhere"])
            #expect(outcome.code == 1 && outcome.errors.contains("/nowhere\" is not there, so no gateway has its state in it\nhint: "), "\(outcome)")
        }
    }

    @Test func `who has not logged in is counted by address, and is gone with its process`() throws {
        try Gateway.serving { gateway in
            let clients = try (0..<3).map { _ in try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: gateway.port)) }
            #expect(try becomesTrue(within: .seconds(10)) { try gateway.records("connect").count == 3 })
            let waiting = try sessions(gateway)
            #expect(waiting.count == 3 && waiting.allSatisfy { $0["state"] as? String == "unauthenticated" && $0["seconds"] as? Int != nil }, "\(waiting)")
            let outcome = try status(gateway)
            #expect(outcome.errors == "nobody is logged in\n" && outcome.output.contains(/^ +3 connections from exempt addresses not logged in, for \d+s\n$/), "\(outcome)")
            withExtendedLifetime(clients) {}
            for process in LiveProcess.descendants(of: gateway.process.pid) where process.parent == gateway.process.pid {
                _ = try run(["/bin/kill", "-KILL", "\(process.pid)"])
            }
            #expect(try becomesTrue(within: .seconds(10)) { try sessions(gateway).isEmpty })
        }
    }

    @Test func `who is turned away is shown with the reason and the time that is left`() throws {
        try Gateway.serving(.init(gateway: "exempt = []\npenalties = { silent = '40s', threshold = '30s' }")) { gateway in
            let client = try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: gateway.port))
            _ = try gateway.record("connect")
            #expect(try sessions(gateway).map { $0["source"] as? String } == ["127.0.0.1"])
            try client.shutDown(receiving: false)
            #expect(try becomesTrue(within: .seconds(10)) { try sessions(gateway).contains { $0["state"] as? String == "turned_away" } })
            let source = try #require(try sessions(gateway).first)
            #expect(source["source"] as? String == "127.0.0.1" && source["reason"] as? String == "silent" && 1...40 ~= source["seconds_left"] as? Int ?? 0)
            let text = try status(gateway).output
            #expect(text.contains(/^ +127\.0\.0\.1 turned away after connections without a login, for \d+s more\n$/), "\(text)")
        }
    }

    @Test func `two gateways that share the directory see each other's sessions, and the end of one harms none of the other's`() throws {
        try Gateway.serving { gateway in
            let port = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0)).localAddress().port
            let other = try RunningProgram(try Gateway.command(gateway.directory) + ["--listen", "127.0.0.1:\(port)"])
            let options = ["-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"]
            #expect(try becomesTrue(within: .seconds(20)) { try gateway.script("echo in", options: options).output == "in\n" })
            let clients = try [[], options].map { try RunningProgram(gateway.sshCommand([Gateway.line("echo started; exec sleep 62")], options: $0)) }
            #expect(try becomesTrue(within: .seconds(10)) { clients.allSatisfy { $0.outputSoFar == "started\n" } })
            #expect(try sessions(gateway).count { $0["id"] != nil } == 2)
            try other.child.sendSignal(.terminate)
            #expect(try other.wait(.seconds(20)).code == 0)
            #expect(try clients[1].wait(.seconds(20)).code != 0)
            #expect(try becomesTrue(within: .seconds(10)) { try sessions(gateway).count { $0["id"] != nil } == 1 })
            #expect(LiveProcess(clients[0].pid) != nil)
            #expect(try gateway.script("echo in").output == "in\n")
            try clients[0].kill()
        }
    }

    @Test func `one is ended by its id, and all that it runs, and no other`() throws {
        try Gateway.serving { gateway in
            let clients = try (0..<2).map { _ in try RunningProgram(gateway.sshCommand([Gateway.line("echo started; exec sleep 61")])) }
            #expect(try becomesTrue(within: .seconds(10)) { clients.allSatisfy { $0.outputSoFar == "started\n" } })
            let ids = try sessions(gateway).compactMap { $0["id"] as? String }
            let ended = try #require(ids.first)
            #expect(ids.count == 2)
            let outcome = try status(gateway, "--end", ended)
            #expect(outcome.code == 0 && outcome.errors == "ended \(ended)\n", "\(outcome)")
            #expect(try sessions(gateway).compactMap { $0["id"] as? String } == [ids[1]])
            #expect(try becomesTrue(within: .seconds(10)) { try gateway.records("disconnect").map(\.connection) == [ended] })
            _ = try gateway.record("finished") { $0.connection == ended && $0["ended_by"] == "stop" }
            for client in clients { try client.kill() }
        }
    }

    static let wrong = [("0123abcd", 1, "there is no session \"0123abcd\""), ("../../x", 64, "is not the id of a session"), ("", 64, "is not the id of a session")]

    @Test(arguments: wrong) func `an id that is none ends nothing`(id: String, code: Int, text: String) throws {
        try Gateway.serving { gateway in
            let outcome = try status(gateway, "--end", id)
            #expect(outcome.code == code && outcome.errors.contains(text), "\(outcome)")
        }
    }

    @Test func `a session whose process was killed is forgotten, and leaves nothing`() throws {
        try Gateway.serving { gateway in
            let client = try RunningProgram(gateway.sshCommand([Gateway.line("echo started; exec sleep 62")]))
            #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "started\n" })
            let below = LiveProcess.descendants(of: gateway.process.pid)
            for process in below where process.parent == gateway.process.pid { _ = try run(["/bin/kill", "-9", "\(process.pid)"]) }
            #expect(try becomesTrue(within: .seconds(5)) { try sessions(gateway).isEmpty && below.filter(\.isAlive).isEmpty })
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(gateway.directory)/state/sessions").isEmpty)
            #expect(try gateway.script("echo next").output == "next\n")
            try client.kill()
        }
    }

    @Test(.enabled(if: isRoot)) func `nobody else may ask`() throws {
        try Gateway.serving { gateway in
            #expect(try gateway.script("exit 0").code == 0)
            let asked = try run(
                ["/usr/bin/setpriv", "--reuid", gateway.user.name, "--clear-groups", try Gateway.program("postern"), "status", "--state", "\(gateway.directory)/state"])
            // Where the programs are root's alone it cannot even start.
            #expect(asked.code != 0 && asked.output.isEmpty, "\(asked)")
        }
    }
}
