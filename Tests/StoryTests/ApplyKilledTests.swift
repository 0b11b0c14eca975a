import Foundation
import Policy
import Testing

@Suite("postern apply, killed", .enabled(if: Programs.areBuilt, "\(Programs.whyNot)")) struct ApplyKilledTests {
    /// Long enough to be written in several pieces.
    private static func policy(_ word: String) -> String {
        let commands = (1...300).map { number in
            """
            [command.c\(number)]
            as    = "\(Programs.user)"
            usage = "c\(number) <value>"
            args  = { value = { match = '\(word)[a-z]{1,40}' } }
            run   = ["/bin/echo", "\(word)", "<value>"]
            directory = "/"
            """
        }
        let names = (1...300).map { "\"c\($0)\"" }.joined(separator: ", ")
        return """
            version = 1
            [key.me]
            public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBsViDn4qjOeibtQsWA+kOxo4P1VZf4Qp8sycp/d9wcK"
            may    = [\(names)]
            \(commands.joined(separator: "\n"))
            """
    }

    @Test func `at fifty points in time, the policy before or the one after is live, and whole`() throws {
        let place = try Workplace()
        let live = place.url.appending(path: "live.db")
        var whole: Set<Data> = []
        for word in ["one", "two"] {
            try place.write(Self.policy(word), to: "\(word).toml")
            let answer = try Programs.run("postern apply \(word).toml -o live.db", in: place.url)
            #expect(answer.status == 0, "\(answer.output)")
            whole.insert(try Data(contentsOf: live))
        }
        #expect(whole.count == 2)

        let clock = ContinuousClock()
        let usual = try clock.measure { _ = try Programs.run("postern apply one.toml -o live.db", in: place.url) }
        var random = SystemRandomNumberGenerator()
        var killed = 0
        for attempt in 0..<50 {
            // The end, where the file is written and renamed, is hit as often as all the rest.
            let share = attempt % 2 == 0 ? Double.random(in: 0...1, using: &random) : Double.random(in: 0.8...1.1, using: &random)
            let (child, output) = try Programs.start("exec postern apply \(attempt % 4 < 2 ? "two" : "one").toml -o live.db", in: place.url)
            let deadline = clock.now + usual * share
            while clock.now < deadline, child.isRunning { _ = poll(nil, 0, 1) }
            if child.isRunning { kill(child.processIdentifier, SIGKILL) }
            child.waitUntilExit()
            if child.terminationReason == .uncaughtSignal { killed += 1 }
            try output.fileHandleForReading.close()

            let bytes = try Data(contentsOf: live)
            #expect(whole.contains(bytes), "after \(share) of \(usual)")
            try CompiledPolicy(Array(bytes)).verify()
        }
        #expect(killed >= 10, "only \(killed) of them were killed before they were done")

        let answer = try Programs.run("postern apply one.toml -o live.db && postern diff live.db one.toml", in: place.url)
        #expect(answer.output.hasSuffix("nothing changes\n"), "\(answer.output)")
    }
}
