import Policy
import Testing

@Suite("DESIGN §9: the compiled policy") struct CompiledPolicyTests {
    static func policy(keys count: Int = 5) throws -> Policy {
        var policy = Policy()
        policy.gateway.banner = "Authorised use only."
        policy.gateway.maxChannels = 4
        policy.gateway.idleTimeout = .milliseconds(1500)
        var open = SandboxPlan(name: "service")
        open.network = .any
        open.limits.memory = nil
        open.limits.cpu = .seconds(60)
        var tool = SandboxPlan(name: "tool")
        tool.paths = [PathRule(path: "/srv/app", access: .write, isRequired: true), PathRule(path: "/usr", access: .execute, isRequired: false)]
        tool.network = .tcp(ports: [443, 5432], dns: true)
        tool.filter = [UInt8](0...255)
        tool.allowedCalls = ["@ipc"]
        tool.deniedCalls = ["ptrace", "kexec_load"]
        var narrow = SandboxPlan(name: "narrow")
        narrow.network = .unix
        policy.sandboxes = [open, tool, narrow]
        policy.commands = try DecisionTests.commands() + [try Sample.command("any", "*")]
        var subsystem = try Sample.command("sftp", nil)
        subsystem.subsystem = "sftp"
        subsystem.takesInput = false
        subsystem.survivesDisconnect = true
        subsystem.arguments = ["a": .word, "b": try .oneOf(["x", "y"]), "c": try .named("semver"), "d": try .named("hex"), "e": try .integer(from: 1, through: 9)]
        subsystem.sandbox = 2
        policy.commands.append(subsystem)
        var random = FixedRandom(state: 5)
        for index in 0..<count {
            var key = Key(name: "key\(index)", fingerprint: (0..<32).map { _ in .random(in: 0...255, using: &random) }, may: [index % 10, 9], position: Sample.position)
            if index == 1 {
                key.from = [try AddressPattern(parsing: "192.0.2.0/24"), try AddressPattern(parsing: "!192.0.2.13"), try AddressPattern(parsing: "2001:db8::/32")]
                key.notBefore = -1
                key.expires = .max
                key.requiresTouch = false
                key.requiresPIN = true
            }
            policy.keys.append(key)
        }
        return policy
    }

    @Test func `every part comes back as it was`() throws {
        let policy = try Self.policy()
        let compiled = try CompiledPolicy(CompiledPolicy.encode(policy))
        try compiled.verify()
        #expect(try compiled.gateway() == policy.gateway)
        #expect(try (0..<compiled.sandboxCount).map { try compiled.sandbox(at: $0) } == policy.sandboxes)
        #expect(try (0..<compiled.commandCount).map { try compiled.command(at: $0) } == policy.commands)
        #expect(try (0..<compiled.commandCount).map { try compiled.commandName(at: $0) } == policy.commands.map(\.name))
        #expect(try (0..<compiled.keyCount).map { try compiled.key(at: $0) } == policy.keys.sorted { $0.fingerprint.lexicographicallyPrecedes($1.fingerprint) })
        for key in policy.keys {
            #expect(try compiled.key(fingerprint: key.fingerprint) == key)
            #expect(try compiled.commands(of: key) == key.may.map { policy.commands[$0] })
        }
        #expect(try compiled.key(fingerprint: [UInt8](repeating: 0, count: 32)) == nil)
        #expect(try compiled.key(fingerprint: []) == nil)
    }

    @Test func `a decision from the compiled policy is the same`() throws {
        let policy = try Self.policy()
        let compiled = try CompiledPolicy(CompiledPolicy.encode(policy))
        let key = policy.keys[0]
        let session = Sample.session(key: key)
        for line in ["release v1.2.3", "release v1", "rm", "help --json"] {
            let verdict = DecisionTests.decide(line, try compiled.commands(of: key), session: session)
            #expect(verdict == DecisionTests.decide(line, key.may.map { policy.commands[$0] }, session: session))
        }
    }

    @Test func `an empty policy is small and opens nothing`() throws {
        let bytes = CompiledPolicy.encode(Policy())
        #expect(bytes.count < 512)
        let compiled = try CompiledPolicy(bytes)
        try compiled.verify()
        #expect(try compiled.gateway() == Gateway())
        #expect(try compiled.key(fingerprint: [UInt8](repeating: 0, count: 32)) == nil)
    }

    @Test func `keys whose fingerprints begin alike are told apart`() throws {
        var policy = Policy()
        for index in 0..<300 {
            var fingerprint = [UInt8](repeating: 0xff, count: 32)
            fingerprint[30] = UInt8(index / 256)
            fingerprint[31] = UInt8(index % 256)
            policy.keys.append(Key(name: "k\(index)", fingerprint: fingerprint, may: [], position: Sample.position))
        }
        let compiled = try CompiledPolicy(CompiledPolicy.encode(policy))
        for key in policy.keys { #expect(try compiled.key(fingerprint: key.fingerprint) == key) }
        #expect(try compiled.key(fingerprint: [UInt8](repeating: 0xff, count: 32)) == nil)
    }

    @Test func `a key among a hundred thousand takes a handful of small reads`() throws {
        let policy = try Self.policy(keys: 100_000)
        let tally = CountingStorage.Tally()
        let compiled = try CompiledPolicy(CountingStorage(stored: CompiledPolicy.encode(policy), tally: tally))
        var most = (reads: 0, bytes: 0)
        for key in policy.keys {
            (tally.reads, tally.bytes) = (0, 0)
            #expect(try compiled.key(fingerprint: key.fingerprint) == key)
            most = (max(most.reads, tally.reads), max(most.bytes, tally.bytes))
        }
        #expect(most.reads <= 12 && most.bytes < 1024)
        for key in policy.keys.prefix(1000) {
            var other = key.fingerprint
            other[31] ^= 1
            #expect(try compiled.key(fingerprint: other) == nil)
        }
    }

    // What is damaged is noticed.

    @Test func `every wrong byte of the header is noticed when it is opened`() throws {
        let good = CompiledPolicy.encode(try Self.policy())
        for index in 0..<128 {
            for bit in 0..<8 {
                var bad = good
                bad[index] ^= 1 << UInt8(bit)
                #expect(throws: CompiledPolicyError.self, "byte \(index)") { try CompiledPolicy(bad) }
            }
        }
    }

    @Test func `every wrong byte behind it is noticed by the checksum of the file`() throws {
        let good = CompiledPolicy.encode(try Self.smallPolicy())
        for index in 128..<good.count {
            var bad = good
            bad[index] ^= 0x10
            let compiled = try CompiledPolicy(bad)
            #expect(throws: CompiledPolicyError.damaged("the file"), "byte \(index)") { try compiled.verify() }
        }
    }

    /// A wrong byte that the header's checksum does not cover is at worst a key not found, never another answer.
    @Test func `a wrong byte in a record or a slot never gives another answer`() throws {
        let policy = try Self.smallPolicy()
        let good = CompiledPolicy.encode(policy)
        var noticed = 0
        for index in 128..<good.count {
            var bad = good
            bad[index] ^= 0x01
            let compiled = try CompiledPolicy(bad)
            do throws(CompiledPolicyError) {
                #expect(try compiled.gateway() == policy.gateway)
                for index in policy.sandboxes.indices { #expect(try compiled.sandbox(at: index) == policy.sandboxes[index]) }
                for index in policy.commands.indices { #expect(try compiled.command(at: index) == policy.commands[index]) }
                for key in policy.keys {
                    let found = try compiled.key(fingerprint: key.fingerprint)
                    if found == nil { noticed += 1 } else { #expect(found == key) }
                }
            } catch {
                guard case .damaged = error else {
                    Issue.record("\(error)")
                    continue
                }
                noticed += 1
            }
        }
        #expect(noticed > (good.count - 128) * 9 / 10)
    }

    static func smallPolicy() throws -> Policy {
        var policy = try policy(keys: 3)
        policy.sandboxes.removeLast()
        policy.commands = [try Sample.command("c", "c <a> [b]", arguments: ["a": .match("[ab]+")])]
        for index in policy.keys.indices { policy.keys[index].may = [0] }
        return policy
    }

    @Test func `says what is wrong, and what to do`() throws {
        let good = CompiledPolicy.encode(try Self.policy())
        #expect(throws: CompiledPolicyError.notAPolicy) { try CompiledPolicy([UInt8]()) }
        #expect(throws: CompiledPolicyError.notAPolicy) { try CompiledPolicy(bytes("version = 1\n" + String(repeating: "#", count: 200))) }
        #expect(throws: CompiledPolicyError.notAPolicy) { try CompiledPolicy(Array(good.prefix(100))) }
        #expect(throws: CompiledPolicyError.wrongLength(expected: UInt64(good.count), found: good.count - 1)) { try CompiledPolicy(Array(good.dropLast())) }
        #expect(throws: CompiledPolicyError.wrongLength(expected: UInt64(good.count), found: good.count + 1)) { try CompiledPolicy(good + [0]) }
        var newer = good
        newer[8] = 3
        #expect(throws: CompiledPolicyError.otherVersion(found: 3, supported: 2)) { try CompiledPolicy(newer) }
        #expect(CompiledPolicyError.damaged("command 3").description == "command 3 of the compiled policy is damaged; run \"postern apply\" again, and test the disk")
        for error in [CompiledPolicyError.notAPolicy, .otherVersion(found: 2, supported: 1), .wrongLength(expected: 2, found: 1)] {
            #expect(error.description.contains("postern apply"))
        }
    }
}

/// A storage that cannot be copied, as a mapped file is, and counts what is read.
private struct CountingStorage: ~Copyable, PolicyStorage {
    final class Tally {
        var reads = 0
        var bytes = 0
    }

    let stored: [UInt8]
    let tally: Tally

    var count: Int { stored.count }

    func bytes(in range: Range<Int>) -> [UInt8] {
        tally.reads += 1
        tally.bytes += range.count
        return Array(stored[range])
    }
}
