import Foundation
import Linux
import Testing

@Suite("DESIGN §6: many sessions leave nothing over") struct EnduranceTests {
    @Test func `M17: two hundred commands share one connection, one after the other`() throws {
        try Gateway.serving { gateway in
            try gateway.withMaster { shared in
                let codes = try (0..<200).map { try gateway.script("exit \($0)", options: shared).code }
                #expect(codes == Array(0..<200))
            }
            #expect(try gateway.records("connect").count == 1)
        }
    }

    @Test func `sessions in a row and at once leave no process, no descriptor and no memory`() throws {
        // All tests share the processes that a sandbox allows its user.
        let (inARow, atOnce) = (isLong ? 1000 : 60, isRoot && isLong ? 200 : 5)
        try Gateway.serving { gateway in
            let listener = gateway.process.pid
            // But for one to each process that waits.
            func descriptors() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/\(listener)/fd").count - LiveProcess.waiting(below: listener).count
            }
            // KiB (proc_pid_status(5)).
            func memory() throws -> Int { try #require(LiveProcess(listener)?.status["VmRSS"]?.split(separator: " ").first.flatMap { Int($0) }) }
            for _ in 0..<20 { _ = try gateway.script("exit 0") }
            #expect(try becomesTrue(within: .seconds(10)) { LiveProcess.descendants(of: listener).isEmpty })
            let (descriptorsBefore, memoryBefore) = (try descriptors(), try memory())
            let codes = try (0..<inARow).map { try gateway.script("exit \($0 % 200)").code }
            #expect(codes == (0..<inARow).map { $0 % 200 })
            let clients = try (0..<atOnce).map { number in
                try RunningProgram(gateway.sshCommand([Gateway.line("echo \(number); sleep 1; exit \(number % 200)")]))
            }
            for (number, client) in clients.enumerated() {
                let outcome = try client.wait(.seconds(300))
                #expect(outcome.output == "\(number)\n" && outcome.code == number % 200, "\(outcome)")
            }
            #expect(try becomesTrue(within: .seconds(10)) { LiveProcess.descendants(of: listener).isEmpty })
            // The last of those before may not have been let go of when they were counted.
            #expect(try becomesTrue(within: .seconds(10)) { try descriptors() <= descriptorsBefore })
            let grown = try memory() - memoryBefore
            #expect(grown < 512, "KiB")
        }
    }
}
