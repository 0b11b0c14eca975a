import Policy
import Testing

@Suite("DESIGN §9: the compiled policy") struct CompiledPolicyTests {
    static func policy(keys count: Int = 5) throws -> Policy {
        var policy = Policy()
        policy.gateway.banner = "Authorised use only."
        policy.gateway.maxChannels = 4
        policy.gateway.keyExchange = .postQuantum
        policy.gateway.idleTimeout = .milliseconds(1500)
        policy.gateway.arrivals.perSource = 3
        policy.gateway.arrivals.exempt = (try? [AddressPattern(parsing: "192.0.2.0/24")]) ?? []
        policy.gateway.arrivals.penalties.silent = .zero
        policy.gateway.proxy = ProxyRule(from: policy.gateway.arrivals.exempt)
        policy.gateway.drain = .seconds(7)
        var open = SandboxPlan(name: "service")
        open.network = .any
        open.limits.memory = nil
        open.limits.cpu = .seconds(60)
        var tool = SandboxPlan(name: "tool")
        tool.paths = [PathRule(path: "/srv/app", access: .write, isRequired: true), PathRule(path: "/usr", access: .execute, isRequired: false)]
        tool.network = .tcp(ports: [443, 5432], dns: true)
        tool.filter = CallFilter(
            program: [UInt8](0...255), denials: DenialTable([DeniedCall(number: 101, name: "ptrace", answer: .error(1))]), landlockABI: 3)
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
        policy.commands.append(RsyncPolicyTests.command([.upload, .delete]))
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
        policy.authorities = (0..<3).map { index in
            CertificateAuthority(
                name: "ca\(index)", fingerprint: (0..<32).map { _ in .random(in: 0...255, using: &random) },
                principals: [.init(name: "developers", may: [0, 9]), .init(name: "x@y", may: [])], position: Sample.position)
        }
        policy.revoked = Revocations(
            digests: (0..<9).map { _ in (0..<32).map { _ in .random(in: 0...255, using: &random) } },
            serials: [(1, 5...9), (0, 5...5), (2, 1...2), (1, 8...20), (1, 22...UInt64.max), (0, 7...8)].map { .init(authority: $0, range: $1) })
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
        let whole = try compiled.policy()
        #expect(Set(whole.authorities.map(\.name)) == ["ca0", "ca1", "ca2"])
        #expect(whole.revoked.digests == policy.revoked.digests)
        #expect(Set(whole.revoked.serials.map(\.range)) == Set(policy.revoked.serials.map(\.range)))
        #expect(compiled.authorityCount == 3)
        for authority in policy.authorities { #expect(try compiled.authority(fingerprint: authority.fingerprint) == authority) }
        #expect(try compiled.authority(fingerprint: policy.keys[0].fingerprint) == nil)
    }

    @Test func `what is revoked is found, and nothing else`() throws {
        let policy = try Self.policy()
        let compiled = try CompiledPolicy(CompiledPolicy.encode(policy))
        for digest in policy.revoked.digests {
            #expect(try compiled.isRevoked(digest: digest))
            var other = digest
            other[31] ^= 1
            #expect(try !compiled.isRevoked(digest: other))
        }
        #expect(try !compiled.isRevoked(digest: policy.keys[0].fingerprint))
        // For each authority, the serials at the edges of its ranges.
        let revoked: [[UInt64]] = [[5, 7, 8], [5, 9, 10, 20, 22, .max], [1, 2]]
        let sound: [[UInt64]] = [[0, 1, 4, 6, 9, .max], [0, 4, 21], [0, 3, 5, 22, .max]]
        for (index, authority) in policy.authorities.enumerated() {
            for serial in revoked[index] { #expect(try compiled.isRevoked(serial: serial, of: authority.fingerprint), "\(serial) of \(index)") }
            for serial in sound[index] { #expect(try !compiled.isRevoked(serial: serial, of: authority.fingerprint), "\(serial) of \(index)") }
        }
        #expect(throws: CompiledPolicyError.damaged("an authority")) { try compiled.isRevoked(serial: 5, of: policy.keys[0].fingerprint) }
    }

    @Test func `a serial among a hundred thousand is looked for in a handful of small reads`() throws {
        var policy = Policy()
        policy.authorities = [CertificateAuthority(name: "ca", fingerprint: [UInt8](repeating: 1, count: 32), principals: [], position: Sample.position)]
        policy.revoked = Revocations(serials: (1...100_000).map { .init(authority: 0, range: $0 * 2...$0 * 2) })
        let tally = CountingStorage.Tally()
        let compiled = try CompiledPolicy(CountingStorage(stored: CompiledPolicy.encode(policy), tally: tally))
        for serial in [2, 3, 99_999, 100_000, 199_999, 200_000, 200_001] as [UInt64] {
            (tally.reads, tally.bytes) = (0, 0)
            #expect(try compiled.isRevoked(serial: serial, of: [UInt8](repeating: 1, count: 32)) == (serial % 2 == 0 && serial <= 200_000))
            #expect(tally.reads <= 24 && tally.bytes < 1024)
        }
    }

    @Test func `what cannot be read is a fault, and never taken for what is not there`() throws {
        let policy = try Self.policy()
        let bytes = CompiledPolicy.encode(policy)
        let asked: [(CompiledPolicy<FailingStorage>) throws -> Bool] = [
            { try $0.key(fingerprint: policy.keys[0].fingerprint) != nil },
            { try $0.authority(fingerprint: policy.authorities[0].fingerprint) != nil },
            { try $0.isRevoked(digest: policy.revoked.digests[0]) },
            { try $0.isRevoked(serial: 5, of: policy.authorities[0].fingerprint) },
            { try $0.isTaken(name: policy.keys[0].name, besides: [UInt8](repeating: 0, count: 32)) },
        ]
        for (index, ask) in asked.enumerated() {
            for reads in 0... {
                let storage = FailingStorage(stored: bytes, left: 1 + reads)
                let compiled = try CompiledPolicy(storage)
                do {
                    #expect(try ask(compiled), "question \(index)")
                    // The first reading that is long enough; those before it have failed.
                    #expect(reads > 0)
                    break
                } catch let error as CompiledPolicyError {
                    #expect(error == .unreadable("as the test wants it"), "question \(index) with \(reads) reads")
                }
            }
        }
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

    @Test func `a key among twenty thousand takes a handful of small reads`() throws {
        let policy = try Self.policy(keys: 20_000)
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

    @Test func `a name is taken by every listed key but those that have it`() throws {
        var policy = try Self.policy(keys: 1000)
        policy.keys[1].name = policy.keys[0].name
        let compiled = try CompiledPolicy(CompiledPolicy.encode(policy))
        for key in policy.keys {
            #expect(try !compiled.isTaken(name: key.name, besides: key.fingerprint) && !policy.isTaken(name: key.name, besides: key.fingerprint))
            #expect(try compiled.isTaken(name: key.name, besides: policy.keys[2].fingerprint) == (key != policy.keys[2]))
            #expect(try !compiled.isTaken(name: key.name + "-", besides: key.fingerprint) && !policy.isTaken(name: key.name + "-", besides: []))
        }
        policy.authorities = []
        policy.revoked = Revocations()
        #expect(CompiledPolicy.encode(policy).count + 8 * 999 < CompiledPolicy.encode(try Self.policy(keys: 1000)).count, "without authorities there is no need")
    }

    // What is damaged is noticed.

    @Test func `every wrong byte of the header is noticed when it is opened`() throws {
        let good = CompiledPolicy.encode(try Self.policy())
        for index in 0..<160 {
            for bit in 0..<8 {
                var bad = good
                bad[index] ^= 1 << UInt8(bit)
                #expect(throws: CompiledPolicyError.self, "byte \(index)") { try CompiledPolicy(bad) }
            }
        }
    }

    @Test func `every wrong byte behind it is noticed by the checksum of the file`() throws {
        let good = CompiledPolicy.encode(try Self.smallPolicy())
        for index in 160..<good.count {
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
        for index in 160..<good.count {
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
                for authority in policy.authorities {
                    let found = try compiled.authority(fingerprint: authority.fingerprint)
                    if found == nil { noticed += 1 } else { #expect(found == authority) }
                }
                for key in policy.keys { #expect(try compiled.isTaken(name: key.name, besides: [])) }
                for digest in policy.revoked.digests { #expect(try compiled.isRevoked(digest: digest)) }
                for entry in policy.revoked.serials {
                    let authority = policy.authorities[entry.authority].fingerprint
                    guard try compiled.authority(fingerprint: authority) != nil else { continue }
                    #expect(try compiled.isRevoked(serial: entry.range.lowerBound, of: authority))
                }
            } catch {
                guard case .damaged = error else {
                    Issue.record("\(error)")
                    continue
                }
                noticed += 1
            }
        }
        #expect(noticed > (good.count - 160) * 9 / 10)
    }

    static func smallPolicy() throws -> Policy {
        var policy = try policy(keys: 3)
        policy.sandboxes.removeLast()
        policy.commands = [try Sample.command("c", "c <a> [b]", arguments: ["a": .match("[ab]+")])]
        for index in policy.keys.indices { policy.keys[index].may = [0] }
        for index in policy.authorities.indices { policy.authorities[index].principals = [.init(name: "all", may: [0])] }
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
        newer[8] = 12
        #expect(throws: CompiledPolicyError.otherVersion(found: 12, supported: 11)) { try CompiledPolicy(newer) }
        #expect(CompiledPolicyError.damaged("command 3").description == "command 3 of the compiled policy is damaged; run \"postern apply\" again, and test the disk")
        for error in [CompiledPolicyError.notAPolicy, .otherVersion(found: 2, supported: 1), .wrongLength(expected: 2, found: 1)] {
            #expect(error.description.contains("postern apply"))
        }
    }
}

/// A storage of which only so many parts can be read.
private final class FailingStorage: PolicyStorage {
    private let stored: [UInt8]
    private var left: Int

    init(stored: [UInt8], left: Int) { (self.stored, self.left) = (stored, left) }

    var count: Int { stored.count }

    func bytes(in range: Range<Int>) throws(CompiledPolicyError) -> [UInt8] {
        guard left > 0 else { throw .unreadable("as the test wants it") }
        left -= 1
        return Array(stored[range])
    }
}

/// A storage that cannot be copied, and counts what is read.
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

@Suite("DESIGN §6: denied calls by number") struct DenialTableTests {
    private static let calls = [
        DeniedCall(number: 101, name: "ptrace", answer: .error(1)), DeniedCall(number: 169, name: "reboot", answer: .end),
        DeniedCall(number: 41, name: "socket", answer: .error(13), argument: 0), DeniedCall(number: 462, name: "mseal", answer: .error(38), argument: 5),
    ]

    @Test func `what goes in comes out`() {
        let table = DenialTable(bytes: DenialTable(Self.calls).bytes)
        for call in Self.calls { #expect(table[Int(call.number)] == call) }
        #expect(table[102] == nil)
        #expect(table[-1] == nil)
    }

    @Test func `cut short or damaged it holds less, and no more`() {
        let bytes = DenialTable(Self.calls).bytes
        for length in bytes.indices {
            let table = DenialTable(bytes: Array(bytes[..<length]))
            for call in Self.calls { #expect(table[Int(call.number)] == nil || table[Int(call.number)] == call) }
        }
        #expect(DenialTable(bytes: [UInt8](repeating: 255, count: 100))[65535] == nil)
    }
}
