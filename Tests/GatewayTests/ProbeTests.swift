import Foundation
import Linux
import Testing

@Suite("DESIGN §2: postern probe") struct ProbeTests {
    private static let commands =
        TestPolicy.command("say", usage: "say <word>", run: ["/bin/echo", "<word>"]) + TestPolicy.command("fail", run: ["/bin/false"])
        + TestPolicy.command("net", run: ["/bin/true"], lines: "sandbox = 'net'") + """
            [sandbox.net]
            network = ["tcp:443"]

            [[test]]
            key = "alice"
            login = "$USER"
            command = "say hello"
            expect = "allow"
            run = true

            [[test]]
            key = "alice"
            login = "$USER"
            command = "fail"
            expect = "allow"
            run = true
            status = 1

            """
    private static func policy(_ more: String = "") -> TestPolicy {
        TestPolicy(keys: [.init(name: "alice", lines: "may = ['say', 'fail', 'net']")], commands: commands + more)
    }

    private func probe(_ gateway: Gateway, _ arguments: String...) throws -> Outcome {
        try run([try Gateway.program("postern"), "probe", "--policy", "\(gateway.directory)/policy.toml"] + arguments)
    }

    @Test func `every forbidden act is refused, and the policy's tests run`() throws {
        try Gateway.serving(Self.policy()) { gateway in
            let outcome = try probe(gateway)
            #expect(outcome.code == 0, "\(outcome)")
            #expect(!outcome.output.contains("REACHED") && !outcome.output.contains("FAULT"), "\(outcome)")
            #expect(outcome.output.components(separatedBy: "forbidden acts refused").count == 4, "\(outcome)")
            #expect(outcome.output.components(separatedBy: "passed").count == 3, "\(outcome)")
            // The worst calls end the process, the others are answered.
            #expect(outcome.output.contains(/refused  call reboot +the process was ended/))
            #expect(outcome.output.contains(/refused  call ptrace +operation not permitted/))
        }
    }

    @Test func `its JSON says the same`() throws {
        try Gateway.serving(Self.policy()) { gateway in
            let outcome = try probe(gateway, "say", "--json")
            let answer = try #require(try JSONSerialization.jsonObject(with: Data(outcome.outputBytes)) as? [String: Any])
            #expect(answer["sound"] as? Bool == true)
            let commands = try #require(answer["commands"] as? [[String: Any]])
            #expect(commands.map { $0["command"] as? String } == ["say"])
            let acts = try #require(commands[0]["result"] as? [[String: Any]])
            #expect(acts.count > 40 && acts.allSatisfy { $0["refused"] as? Bool == true })
            #expect((answer["tests"] as? [Any])?.count == 1)
        }
    }

    @Test func `a test that ends otherwise is exit status 1`() throws {
        let wrong = "[[test]]\nkey = 'alice'\nlogin = '$USER'\ncommand = 'fail'\nexpect = 'allow'\nrun = true\n"
        try Gateway.serving(Self.policy(wrong)) { gateway in
            let outcome = try probe(gateway)
            #expect(outcome.code == 1)
            #expect(outcome.output.contains("FAILED   exit 1"), "\(outcome)")
            #expect(try probe(gateway, "nothing").errors.contains("there is no command \"nothing\""))
        }
    }

    @Test func `what cannot be enforced is 125 with the reason, for a client and for probe`() throws {
        guard !isRoot else { return }
        let all = TestPolicy.command("all", run: ["/bin/ls", "/proc"], lines: "sandbox = 'all'") + "[sandbox.all]\nread = ['/proc']\n"
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['all']")], commands: all)) { gateway in
            let outcome = try gateway.ssh("all")
            #expect(outcome.code == 125)
            #expect(outcome.errors.contains("path \"/proc\" shows all processes"), "\(outcome)")
            #expect(try probe(gateway).code == 1)
        }
    }

    @Test func `check --host says what this machine enforces`() throws {
        let outcome = try run([try Gateway.program("postern"), "check", "--host"])
        #expect(outcome.code == 0)
        for layer in ["system calls", "files", "tcp ports", "whole tree", "/proc"] { #expect(outcome.output.contains("\n\(layer) ") || outcome.output.hasPrefix("\(layer) ")) }
        #expect(outcome.output.contains(isRoot ? "ends with its pid namespace" : "is killed by repeated sweeps"), "\(outcome)")
    }
}
