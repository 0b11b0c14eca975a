import Foundation
import Linux
import SSHServer
import Testing

@Suite("postern ssh") struct CommandTests {
    private static func postern(_ sample: SampleServer, _ port: Int, _ words: [String], input: [UInt8] = [], home: String = "/nonexistent") async throws -> Outcome {
        let options = ["-i", sample.workplace.path("key"), "--known-hosts", sample.workplace.path("known_hosts")]
        return try await program(
            [try Gateway.program("postern"), "ssh"] + options + words, environment: ["HOME=\(home)"], input: input)
    }

    @Test func `has the command's streams and status`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let outcome = try await Self.postern(sample, server.port, ["alice@127.0.0.1:\(server.port)", "script"], input: Array("in\n".utf8))
        #expect(outcome.output == "out\nin\n", "\(outcome)")
        #expect(outcome.errors == "welcome, alice\nerr\n")
        #expect(outcome.code == 9)
        let much = try await Self.postern(sample, server.port, ["-n", "alice@127.0.0.1:\(server.port)", "flood", "5000000"])
        #expect(much.outputBytes.count == 5_000_000 && much.code == 0)
        server.close()
    }

    @Test func `prints one JSON object`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let outcome = try await Self.postern(sample, server.port, ["--json", "alice@127.0.0.1:\(server.port)", "who"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(outcome.outputBytes)) as? [String: Any], "\(outcome)")
        #expect(object["status"] as? Int == 0)
        #expect(object["output"] as? String == "command(\"who\") for alice\n")
        #expect(object["host_key"] as? String == sample.hostKey.publicKey.fingerprint)
        #expect(outcome.errors.isEmpty)
        server.close()
    }

    @Test func `knows a server by another name`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        try sample.workplace.write("others", "the-gate \(sample.hostKey.publicKey.line())\n")
        let place = "alice@127.0.0.1:\(server.port)"
        for (alias, code) in [("the-gate", 0), ("the-window", 255)] {
            let words = ["--known-hosts", sample.workplace.path("others"), "--host-key-alias", alias, place, "who"]
            let outcome = try await Self.postern(sample, server.port, words)
            #expect(outcome.code == code && (code == 0 || outcome.errors.contains("\(alias) is not among the known hosts")), "\(outcome)")
        }
        server.close()
    }

    @Test func `fails with 255 and says why`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        let place = "alice@127.0.0.1:\(server.port)"
        let other = try Workplace()
        let cases: [([String], String)] = [
            (["--known-hosts", other.path("key.pub"), place, "who"], "is not among the known hosts"), (["-i", other.path("key"), place, "who"], "the server refused"),
            (["alice@127.0.0.1:1", "who"], "127.0.0.1:1 cannot be reached: connection refused\n"), (["--timeout", "1", place, "wait"], "took longer"),
        ]
        for (words, reason) in cases {
            let outcome = try await Self.postern(sample, server.port, words)
            #expect(outcome.code == 255 && outcome.errors.contains(reason), "\(outcome)")
        }
        #expect(try await Self.postern(sample, server.port, ["nobody", "who"]).code == 64)
        server.close()
    }
}
