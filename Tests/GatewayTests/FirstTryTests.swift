import Foundation
import Linux
import Testing

@Suite("DESIGN §2: the first try") struct FirstTryTests {
    @Test func `init, serve, ssh, and an interrupt that ends it all`() throws {
        let directory = "/tmp/gatewaytest-\(processID)-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let postern = try Gateway.program("postern")
        let user = try #require(isRoot ? "postern-test" : try Users.with(uid: Users.currentUID)?.name)
        let made = try run([postern, "init", directory] + (isRoot ? ["--as", user] : []))
        #expect(made.code == 0 && made.output.contains("postern serve \(directory)"), "\(made)")
        let again = try run([postern, "init", directory, "--as", user])
        #expect(again.code != 0, "nothing is overwritten")
        let server = try RunningProgram([postern, "serve", directory, "-v", "--listen", "127.0.0.1:0"])
        #expect(try becomesTrue(within: .seconds(10)) { server.errorsSoFar.contains(/try: ssh .*\n/) }, "\(server.errorsSoFar)")
        let port = try #require(Self.port(in: server.errorsSoFar))
        // The line that it prints, but for the port that it cannot know.
        let line = try #require(server.errorsSoFar.firstMatch(of: /try: (ssh .*)/)).1
        let outcome = try run(["/bin/sh", "-c", "exec \(line.replacing("-p 0 ", with: "-p \(port) "))"], environment: ["HOME=\(directory)"])
        #expect(outcome.output == "hello, world\n" && outcome.code == 0, "\(line): \(outcome)")
        // SIGHUP takes up the policy as it is now, if it is sound.
        let policy = URL(filePath: "\(directory)/policy.toml")
        let sound = try Data(contentsOf: policy)
        for (added, said) in [("[broken", "is not sound: the policy before it is still live\n"), ("# only a comment", "now serving ")] {
            try (sound + Data("\n\(added)\n".utf8)).write(to: policy)
            try server.child.sendSignal(.hangUp)
            #expect(try becomesTrue(within: .seconds(10)) { server.errorsSoFar.contains(said) }, "\(server.errorsSoFar)")
        }
        let below = LiveProcess.descendants(of: server.pid)
        #expect(!below.isEmpty)
        try server.child.sendSignal(.interrupt)
        let end = try server.wait(.seconds(10))
        #expect(end.code == 0, "\(end)")
        #expect(try becomesTrue(within: .seconds(2)) { below.allSatisfy { !$0.isAlive } })
    }

    private static func port(in log: String) -> UInt16? { log.firstMatch(of: /listening on [0-9.]+:(\d+)/).flatMap { UInt16($0.1) } }
}
