import Foundation
import Linux
import Testing

@Suite("DESIGN §6: monitors wait for connections") struct WaitingTests {
    private func waiting(_ gateway: Gateway) throws -> Set<Int32> {
        #expect(try becomesTrue(within: .seconds(10)) { LiveProcess.waiting(below: gateway.process.pid).count >= 2 })
        return Set(LiveProcess.waiting(below: gateway.process.pid).map(\.pid))
    }

    private func frontend(of monitor: Int32) -> Int32? { LiveProcess.children(of: monitor).first?.pid }

    @Test func `a connection is served by one that was there, and by nobody after that`() throws {
        try Gateway.serving { gateway in
            let before = try waiting(gateway)
            try gateway.withMaster { _ in
                let monitor = try #require(LiveProcess.descendants(of: gateway.process.pid).first { $0.parent == gateway.process.pid })
                #expect(before.contains(monitor.pid))
                #expect(monitor.name == "posternd")
                // While that one serves there is another for the next client.
                #expect(try becomesTrue(within: .seconds(10)) { LiveProcess.waiting(below: gateway.process.pid).count == 2 })
            }
            #expect(try becomesTrue(within: .seconds(10)) { LiveProcess.descendants(of: gateway.process.pid).isEmpty })
        }
    }

    @Test func `clients do not miss those that have died`() throws {
        try Gateway.serving { gateway in
            let monitors = try waiting(gateway).sorted()
            // It has its name before its frontend.
            #expect(try becomesTrue(within: .seconds(10)) { frontend(of: monitors[0]) != nil })
            let killed = try #require(frontend(of: monitors[0]))
            for pid in [killed] + monitors.dropFirst() { _ = try run(["/bin/kill", "-9", "\(pid)"]) }
            for number in 0..<3 { #expect(try gateway.script("echo \(number)").output == "\(number)\n") }
        }
    }

    @Test func `many at once find one each, or are served without`() throws {
        try Gateway.serving { gateway in
            _ = try waiting(gateway)
            let clients = try (0..<6).map { try RunningProgram(gateway.sshCommand([Gateway.line("echo \($0)")])) }
            for (number, client) in clients.enumerated() { #expect(try client.wait(.seconds(60)).output == "\(number)\n") }
            #expect(LiveProcess.waiting(below: gateway.process.pid).count <= 8)
        }
    }

    @Test func `SIGHUP replaces them: a new host key counts at once`() throws {
        try Gateway.serving { gateway in
            let before = try waiting(gateway)
            let file = "\(gateway.directory)/host"
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.removeItem(atPath: file + ".pub")
            try Gateway.makeKey(file)
            _ = try run(["/bin/kill", "-HUP", "\(gateway.process.pid)"])
            #expect(try becomesTrue(within: .seconds(10)) { try waiting(gateway).isDisjoint(with: before) })
            let outcome = try gateway.script("exit 0")
            #expect(outcome.code == 255 && outcome.errors.contains("Host key verification failed"), "\(outcome)")
        }
    }
}
