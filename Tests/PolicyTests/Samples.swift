import Policy

/// A generator with a fixed start, so that a failing case comes back.
struct FixedRandom: RandomNumberGenerator {
    var state: UInt64

    /// SplitMix64 (public domain, prng.di.unimi.it).
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The policy that the tests of decisions ask: DESIGN §3.2's example and its neighbours.
enum Sample {
    static let deploy = Account(name: "deploy", uid: 1001, gid: 1001, groups: [1001, 33], home: "/home/deploy", shell: "/bin/sh")
    static let position = SourcePosition(file: "/etc/postern/policy.toml", line: 12, column: 1)

    static func command(
        _ name: String, _ usage: String?, run: [RunWord]? = nil, login: String = "deploy", arguments: [String: ArgumentType] = [:]
    ) throws -> Command {
        let usage = try usage.map { try Usage(parsing: $0) }
        let run = run ?? [RunWord([.literal("/bin/" + name)])]
        var command = Command(name: name, account: deploy, login: login, usage: usage, run: run, sandbox: 0, position: position)
        command.arguments = arguments
        return command
    }

    static func release() throws -> Command {
        var command = try command(
            "release", "release <tag> [--dry-run]",
            run: [
                RunWord([.literal("/srv/app/bin/release")]), RunWord([.literal("--tag="), .value("tag")]), RunWord([.flag("--dry-run")]),
            ],
            arguments: ["tag": .match(#"v[0-9]+\.[0-9]+\.[0-9]+"#)])
        command.summary = "deploy a tagged release"
        command.timeout = .seconds(600)
        command.outputLimit = 64 << 20
        command.directory = "/srv/app"
        command.signals = ["TERM", "INT"]
        command.environment = [EnvironmentEntry(name: "LANG", value: "de_DE.UTF-8"), EnvironmentEntry(name: "STAGE", value: "live")]
        command.acceptEnvironment = ["DEPLOY_NOTE": try Matcher(#"[\w .-]{0,80}"#)]
        return command
    }

    static func key(_ name: String = "alice", may: [Int] = [0]) -> Key {
        Key(name: name, fingerprint: [UInt8](repeating: 7, count: 32), may: may, position: position)
    }

    static func session(key: Key = key(), login: String = "deploy", now: Int64 = 1_800_000_000) -> Session {
        Session(
            key: key, login: login, peer: .init(host: "192.0.2.7", port: 40001), local: .init(host: "192.0.2.1", port: 22), now: now,
            requestID: "7f3a09c2", fingerprintText: "SHA256:abc")
    }
}
