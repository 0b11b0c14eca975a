import Foundation
import Linux
import Testing

@Suite("DESIGN §4.1: what was denied has a name") struct DeniedCallTests {
    private static let commands = TestPolicy.command("py", usage: "py <script>", run: ["/usr/bin/python3", "-c", "<script>"], lines: "args = { script = { match = '.*' } }")

    private func serving(_ body: (Gateway) throws -> Void) throws {
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['py']")], commands: Self.commands), body)
    }

    private func line(_ script: String) -> String { "py 'import ctypes, os, sys; libc = ctypes.CDLL(None); \(script)'" }

    @Test func `a command that fails after it was denied something says what`() throws {
        try serving { gateway in
            let outcome = try gateway.ssh(line("libc.unshare(0x10000000); libc.unshare(0x10000000); libc.ptrace(0, 0, 0, 0); sys.exit(3)"))
            #expect(outcome.code == 3)
            #expect(outcome.errors == "postern: py was denied unshare, ptrace\n", "\(outcome)")
            let record = try gateway.record("finished")
            #expect(record.numbers("denied") == ["unshare": 2, "ptrace": 1])
        }
    }

    @Test func `one that succeeds is recorded, and says nothing`() throws {
        try serving { gateway in
            let outcome = try gateway.ssh(line("libc.unshare(0x10000000)"))
            #expect(outcome.code == 0)
            #expect(outcome.errors == "", "\(outcome)")
            #expect(try gateway.record("finished").numbers("denied") == ["unshare": 1])
            #expect(try gateway.ssh(line("pass")).code == 0)
            let quiet = try gateway.record("finished") { $0.numbers("denied") == nil }
            #expect(quiet.number("status") == 0)
        }
    }

    @Test func `one of the worst calls ends the command`() throws {
        try serving { gateway in
            let outcome = try gateway.ssh(line("libc.syscall(169, 0, 0, 0, 0); print(1)"))
            #expect(outcome.code != 0)
            #expect(outcome.output == "")
            #expect(outcome.errors.contains("postern: py was ended: it called reboot"), "\(outcome)")
            let record = try gateway.record("finished")
            #expect(record["ended_by"] == "denied" && record["signal"] == "KILL")
        }
    }

    @Test func `other commands are served while one asks without end`() throws {
        try serving { gateway in
            try gateway.withMaster { options in
                let busy = try RunningProgram(gateway.sshCommand([line("[libc.unshare(0x10000000) for i in range(10**9)]")], options: options))
                _ = try becomesTrue(within: .seconds(5)) { try gateway.records("decision").count == 1 }
                for _ in 0..<3 { #expect(try gateway.ssh(line("print(7)"), options: options).output == "7\n") }
                try busy.kill()
            }
        }
    }
}
