import MonitorProtocol
import Testing

/// A generator whose numbers are the same in every run (splitmix64).
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension Hostile {
    @Suite("Requests that are no requests") struct Fuzzing {
        /// One of each kind, as short as they come.
        static func samples(_ victim: Victim, _ session: [UInt8]) -> [FrontendMessage] {
            let record = FrontendMessage.KeyExchangeRecord(
                method: "curve25519-sha256", hostKeyAlgorithm: "ssh-ed25519", clientVersion: "S", clientKexInit: [1], serverKexInit: [2], clientShare: [3], serverShare: [4],
                sharedSecret: [5])
            return [
                .sign(record), .probe(.init("u", victim.site.mallory)), .authentication(of: victim.site.mallory, "u", session),
                .start(request: 0, .exec(Array("hello".utf8)), environment: [.init(name: "NOTE", value: [65])]),
                .signal(request: 0, name: "TERM"), .closed(request: 0), .prove(hostKeys: [[1]]), .farewell("bye"), .fault("bad"),
            ]
        }

        @Test(arguments: 0..<8, Role.available)
        func `cut off at every byte`(kind: Int, role: Role) throws {
            var length = 1
            while true {
                let victim = try Victim(as: role)
                let bytes = Self.samples(victim, [UInt8](repeating: 9, count: 32))[kind].bytes
                guard length < bytes.count else {
                    try victim.leave().expectSound(victim.site)
                    return
                }
                try victim.sendBytes(Array(bytes[..<length]))
                #expect(try victim.receive() == nil)
                let record = try victim.ended()
                #expect(record.violations.count == 1 && record.violations[0].hasPrefix("a malformed request: truncated("))
                #expect(record.exit.status == .exited(111))
                // The boundaries between fields are near both ends; in a key or a signature one place is like another.
                length += bytes.count > 100 && 16..<bytes.count - 16 ~= length ? 7 : 1
            }
        }

        /// Half of them random, half with some bytes of a right request changed; 20 on each of 100 connections.
        @Test(arguments: Role.available)
        func `two thousand random messages`(role: Role) throws {
            var random = SeededRandom(state: 20_260_101)
            for connection in 0..<100 {
                let victim = try Victim(as: role)
                let session = try victim.exchangeKeys()
                if connection.isMultiple(of: 2) {
                    #expect(try victim.ask(.authentication(of: victim.site.alice, victim.login, session)) == .authenticated(true))
                }
                for _ in 0..<20 {
                    guard isRunning(victim) else { break }
                    try victim.sendBytes(Self.message(Self.samples(victim, session), &random))
                }
                let record = try victim.leave()
                #expect(record.exit.status == .exited(0) || record.exit.status == .exited(111), "connection \(connection)")
                #expect(record.violations.count <= 1)
                #expect(record.events.last?["event"] as? String == "disconnect")
                #expect(record.texts("authentication", "result").count { $0 == "granted" } == (connection.isMultiple(of: 2) ? 1 : 0))
            }
            let site = try Site.shared.get()
            #expect(site.marksLeft.allSatisfy { $0.hasPrefix("proof-") })
            try expectNormalSession(site, role)
        }

        private static func message(_ samples: [FrontendMessage], _ random: inout SeededRandom) -> [UInt8] {
            if Bool.random(using: &random) {
                return (0..<Int.random(in: 1...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            var bytes = samples.randomElement(using: &random)?.bytes ?? []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            return bytes
        }
    }
}
