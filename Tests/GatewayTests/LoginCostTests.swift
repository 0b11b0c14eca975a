import Foundation
import Testing

@Suite("Issue 4: a login costs the same with however many keys") struct LoginCostTests {
    private static let sessions = 25

    /// The same gateway beside itself, with few keys and with many: sessions in turns, so that what else runs hits both alike.
    @Test func `CPU time of the server`() throws {
        let many = isLong ? 1_000_000 : 10_000
        try Gateway.serving { few in
            try Gateway.serving { other in
                try Self.keys(many).write(toFile: "\(other.directory)/many", atomically: false, encoding: .utf8)
                var policy = TestPolicy()
                policy.more = "[group.many]\nkeys = 'many'\nmay = ['sh']\n"
                try policy.text(directory: other.directory, user: other.user.name).write(toFile: "\(other.directory)/policy.toml", atomically: false, encoding: .utf8)
                let paths = ["\(other.directory)/policy.toml", "-o", "\(other.directory)/policy.db"]
                let applied = try run([try Gateway.program("postern"), "apply"] + paths, patience: .seconds(300))
                #expect(applied.code == 0, "\(applied)")
                let gateways = [few, other]
                for gateway in gateways { #expect(try gateway.script("true").code == 0) }
                // Some processes may be there ahead of their connections.
                let idle = gateways.map { LiveProcess.descendants(of: $0.process.pid).count }
                let before = try gateways.map(Self.spent)
                for _ in 0..<Self.sessions { for gateway in gateways { #expect(try gateway.script("true").code == 0) } }
                for (gateway, count) in zip(gateways, idle) {
                    // What a session took is its parent's when it has been reaped.
                    #expect(try becomesTrue(within: .seconds(10)) { LiveProcess.descendants(of: gateway.process.pid).count <= count })
                }
                let spent = try zip(gateways, before).map { (try Self.spent(by: $0) - $1) / Self.sessions }
                print("a session of 1 key: \(spent[0]), of \(many) keys: \(spent[1])")
                #expect(spent[1] < spent[0] * 1.3 + .milliseconds(1))
            }
        }
    }

    /// CPU time of all that a listener started and has reaped: clock ticks, of which there are 100 a second (proc(5)).
    private static func spent(by gateway: Gateway) throws -> Duration {
        let text = try String(contentsOfFile: "/proc/\(gateway.process.pid)/stat", encoding: .utf8)
        let fields = try #require(text.split(separator: ")").last).split(separator: " ")
        return .milliseconds(10 * (try #require(Int(fields[13])) + (try #require(Int(fields[14])))))
    }

    /// A group's lines with keys that nobody has.
    private static func keys(_ count: Int) -> String {
        (0..<count).map { number in
            var key = Data("\0\0\0\u{0b}ssh-ed25519\0\0\0 ".utf8)
            let start = UInt64(number) &* 0x9e37_79b9_7f4a_7c15
            for place in 0..<32 { key.append(UInt8(truncatingIfNeeded: start >> UInt64(place * 2))) }
            return "ssh-ed25519 \(key.base64EncodedString()) k\(number)\n"
        }.joined()
    }
}

@Suite("DESIGN §9: what starts for each connection is small") struct ProgramSizeTests {
    /// One call of `replacing` or of `contains` with a string links them: 1.3 MB, 20 pages written at each start, 14 % of its CPU time.
    @Test(arguments: ["posternd", "postern-frontend", "postern-files", "postern-git", "postern-git-hook", "postern-probe"])
    func `no regular expressions are linked`(name: String) throws {
        let program = try Data(contentsOf: URL(filePath: try Gateway.program(name)), options: .alwaysMapped)
        #expect(program.range(of: Data("_RegexParser".utf8)) == nil && program.range(of: Data("_StringProcessing".utf8)) == nil)
    }
}
