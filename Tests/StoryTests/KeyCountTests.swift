import Foundation
import Testing

@Suite("postern apply, of many keys", .enabled(if: Programs.areBuilt, "\(Programs.whyNot)")) struct KeyCountTests {
    /// Measured: 0.01 s and 18 MiB, 0.1 s and 23 MiB, 10 s and 464 MiB; the limits leave room for a slow machine.
    static let counts: [(keys: Int, limit: Duration, memoryMiB: Int)] = [(10, .seconds(2), 200), (10_000, .seconds(10), 200), (1_000_000, .seconds(120), 1200)]
    static let isLong = ProcessInfo.processInfo.environment["POSTERN_LONG"] == "1"

    @Test(arguments: counts.filter { $0.keys < 1_000_000 || isLong })
    func `takes little time and memory`(keys: Int, limit: Duration, memoryMiB: Int) throws {
        let place = try Workplace()
        try place.write((0..<keys).map { Self.line($0) }.joined(), to: "many.pub")
        try place.write(Self.policy, to: "policy.toml")
        var answer = Programs.Answer(status: 1, output: "")
        let time = try ContinuousClock().measure {
            answer = try Programs.run("ulimit -v \(memoryMiB * 1024); exec postern apply policy.toml -o live.db", in: place.url)
        }
        #expect(answer.status == 0 && answer.output.hasPrefix("applied: \(keys) keys, "), "\(answer.output)")
        #expect(time < limit)
        // The last of them is found.
        let found = try Programs.run("tail -1 many.pub >last.pub; postern explain --policy policy.toml --public last.pub --login $ME date", in: place.url)
        #expect(found.status == 0 && found.output.contains(" k\(keys - 1) at "), "\(found.output)")
    }

    /// A group's line with a key that nobody has.
    private static func line(_ number: Int) -> String {
        var key = Data("\0\0\0\u{0b}ssh-ed25519\0\0\0 ".utf8)
        let start = UInt64(number) &* 0x9e37_79b9_7f4a_7c15
        for place in 0..<32 { key.append(UInt8(truncatingIfNeeded: start >> UInt64(place * 2))) }
        return "ssh-ed25519 \(key.base64EncodedString()) k\(number)\n"
    }

    private static let policy = """
        version = 1
        [group.all]
        keys = "many.pub"
        may  = ["date"]
        [command.date]
        as        = "\(Programs.user)"
        usage     = "date"
        run       = ["/bin/date"]
        directory = "/"
        """
}
