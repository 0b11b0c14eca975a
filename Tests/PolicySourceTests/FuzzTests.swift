import PolicySource
import Testing

@Suite("any bytes") struct FuzzTests {
    /// A linear congruential generator: the same bytes each time.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    static let words = [
        "[", "]", "[[", "]]", "{", "}", "=", ",", ".", "\"", "'", "\"\"\"", "'''", "\\", "\\u00e9", "#", "\n", "\r\n", "<tag>",
        "[<tag>]",
        "...", "*", "1", "-", "true", "2026-01-01", "12:00:00Z", "command.", "é", "\0", "v[0-9]+", "key", "test", "may",
    ].map { Array($0.utf8) }

    @Test(arguments: 0..<8) func `never trap the reader, and every fault has its place`(seed: Int) {
        var random = Generator(state: UInt64(seed))
        for _ in 0..<100 {
            var bytes = Array(RightPolicyTests.deploy.utf8)
            for _ in 0...Int.random(in: 0..<4, using: &random) { Self.change(&bytes, &random) }
            var surroundings = World(files: ["policy.toml": .init(text: "")]).surroundings
            surroundings.read = { _, _, _ throws(Objection) in bytes }
            let loaded = LoadedPolicy.read("policy.toml", surroundings)
            #expect((loaded.policy == nil) == loaded.diagnostics.contains { $0.severity == .error })
            // What TOMLKit sees, KeyPositions saw too.
            #expect(!loaded.text.contains("was not found"), "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    static func change(_ bytes: inout [UInt8], _ random: inout Generator) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeSubrange(place..<min(place + Int.random(in: 1...20, using: &random), bytes.count))
        case 2: bytes.insert(contentsOf: words[Int.random(in: 0..<words.count, using: &random)], at: place)
        default:
            let other = Int.random(in: 0..<bytes.count, using: &random)
            bytes.insert(contentsOf: bytes[other..<min(other + 40, bytes.count)], at: place)
        }
    }
}
