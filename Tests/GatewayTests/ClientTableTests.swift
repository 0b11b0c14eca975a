import Foundation
import Linux
import Testing

/// docs/clients.md: what each client but OpenSSH's was seen to do. Without `--long` with fewer bytes and sessions.
@Suite("M1: what other clients do") struct ClientTableTests {
    private static let serverRekeys = "rekey = { bytes = '1MiB' }"
    private static let bulk = (isLong ? 64 : 2) << 20
    private static let rekeyed = (isLong ? 200 : 5) << 20
    /// New keys for each MiB of either direction, but for what is counted while others are being agreed on.
    private static let exchanges = isLong ? 100 : 2
    private static let statuses = isLong ? 0...255 : 254...255
    private static let sessions = isLong ? 200 : 10

    // MARK: - Post-quantum key exchange

    private static let postQuantum = "key_exchange = 'post-quantum'"

    /// What each says that knows no such method; nil of those that do.
    static let methods: [(library: String, refusal: String?)] = [
        ("paramiko", nil), ("asyncssh", nil), ("libssh", "no match for method kex algos: server [mlkem768x25519-sha256,sntrup761x25519-sha512,"),
    ]

    @Test(.enabled(if: PythonClients.areThere, PythonClients.whyNot), arguments: methods)
    func `libraries: post-quantum key exchange alone`(library: String, refusal: String?) throws {
        try Gateway.serving(.init(gateway: Self.postQuantum)) { gateway in
            let outcome = try PythonClients.run(ClientActs.program, gateway, [library, "streams"])
            #expect(outcome.output == (refusal == nil ? "streams: (b'in', b'err', 9)\n" : ""), "\(outcome)")
            if let refusal { #expect(outcome.errors.contains(refusal), "\(outcome)") }
        }
    }

    @Test(arguments: Program.allCases) func `programs: post-quantum key exchange alone`(program: Program) throws {
        try Gateway.serving(.init(gateway: Self.postQuantum)) { gateway in
            let words = try Self.words(program, gateway)
            let outcome = try run(words.line("echo in"), environment: words.environment)
            switch program {
            case .putty: #expect(outcome.output == "in\n", "\(outcome)")
            case .dropbear: #expect(outcome.output.isEmpty && outcome.errors.contains("No matching algo kex"), "\(outcome)")
            }
        }
    }

    // MARK: - Libraries

    /// Of each, by which signal it says that a command was ended, and the windows and packets that it can be told to have.
    static let libraries: [(name: String, signal: String, windows: [String])] = [
        // It has no word for exit-signal, and windows and packets from 4096 bytes.
        ("paramiko", "-1", ["200/4096/4096", "20000/100000/32767", "20000/4294967295/4294967295"]),
        ("asyncssh", "KILL", ["50/1/1", "200/7/5", "20000/100000/32767", "20000/4294967295/4294967295"]),
        // Its windows and packets are its own.
        ("libssh", "KILL", []),
    ]

    @Test(.enabled(if: PythonClients.areThere, PythonClients.whyNot), arguments: libraries)
    func `libraries: streams, statuses, signals, bulk, half-close, channels, writes, windows, own new keys, leaving`(library: (name: String, signal: String, windows: [String])) throws {
        try Gateway.serving { gateway in
            var acts = [
                ("streams", #"(b'in', b'err', 9)"#), ("statuses \(Self.statuses.lowerBound) \(Self.statuses.upperBound)", "True"), ("signal", library.signal),
                ("bulk \(Self.bulk)", "True"), ("halfclose", #"(b'heard\nthen\n', b'said\n', 0)"#), ("deaf", #"(b'deaf\n', b'', 0)"#), ("channels 10", "True"),
                ("sessions \(Self.sessions)", "True"), ("writes 200 \(Self.bulk)", "True"),
            ]
            if !library.windows.isEmpty { acts.append(("windows \(library.windows.joined(separator: " "))", "True")) }
            acts.append(("rekeys \(Self.rekeyed) \(1 << 20) \(Self.exchanges)", "True"))
            let mark = Self.mark()
            let outcome = try PythonClients.run(ClientActs.program, gateway, [library.name] + acts.map(\.0) + ["leave \(mark)"], patience: .seconds(600))
            #expect(outcome.output == acts.map { "\($0): \($1)\n" }.joined() + "gone\n", "\(outcome)")
            // The second is the one that asks for new keys.
            #expect(try gateway.records("connect").count == 2)
            try Self.isGone(gateway, mark)
        }
    }

    @Test(.enabled(if: PythonClients.areThere, PythonClients.whyNot), arguments: libraries.map(\.name))
    func `libraries: new keys by the server during a transfer`(library: String) throws {
        try Gateway.serving(.init(gateway: Self.serverRekeys)) { gateway in
            let act = "rekeys \(Self.rekeyed) 0 \(Self.exchanges)"
            let outcome = try PythonClients.run(ClientActs.program, gateway, [library, act], patience: .seconds(600))
            #expect(outcome.output == "\(act): True\n", "\(outcome)")
        }
    }

    /// A word that only processes of this test have among their arguments.
    private static func mark() -> String { "314\(UInt32.random(in: 100_000 ... .max))" }

    /// Of a client that went in the middle of its command nothing is left.
    private static func isGone(_ gateway: Gateway, _ mark: String) throws {
        #expect(try becomesTrue(within: .seconds(10)) { try gateway.records("finished").last?["ended_by"] == "disconnect" })
        #expect(try becomesTrue(within: .seconds(1)) { LiveProcess.having(argument: mark).isEmpty })
    }

    // MARK: - Programs

    /// dbclient and plink from the command line.
    enum Program: String, CaseIterable { case dropbear, putty }

    @Test(arguments: Program.allCases) func `programs: streams, statuses, a signal, bulk, half-close, leaving`(program: Program) throws {
        try Gateway.serving { gateway in
            let words = try Self.words(program, gateway)
            func act(_ script: String, _ input: Input = .nothing) throws -> Outcome { try run(words.line(script), environment: words.environment, input: input) }
            let halfClosed = try act("cat; printf then; printf said >&2; exit 9", .bytes(Array("heard ".utf8)))
            #expect(halfClosed.output == "heard then" && halfClosed.errors.hasSuffix("said") && halfClosed.code == 9, "\(halfClosed)")
            #expect(try act("exec 0<&-; printf deaf", .bytes([UInt8](repeating: 0, count: Self.bulk))).output == "deaf")
            for status in Self.statuses { #expect(try act("exit \(status)").code == status) }
            let killed = try act("kill -KILL $$")
            // Neither tells which; Dropbear's does not even say that there was one.
            #expect(killed.code == (program == .dropbear ? 0 : 128), "\(killed)")
            #expect(try gateway.records("finished").last?["signal"] == "KILL")
            #expect(try act("printf ''").outputBytes.isEmpty)
            #expect(try act("wc -c", .bytes([0x61])).output == "1\n")
            #expect(try Self.carries(Self.bulk, words).code == 0)
            if program == .dropbear {
                // Its windows, from the smallest; its packets are its own.
                for (window, size) in [("1", 500), ("10000000", 1 << 20)] {
                    var words = words
                    words.options += ["-W", window]
                    #expect(try Self.carries(size, words).code == 0)
                }
            }
            let mark = Self.mark()
            let client = try RunningProgram(words.line("echo up; sleep \(mark)"), environment: words.environment)
            #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "up\n" })
            try client.kill()
            try Self.isGone(gateway, mark)
        }
    }

    @Test(arguments: Program.allCases) func `programs: new keys by the server during a transfer`(program: Program) throws {
        try Gateway.serving(.init(gateway: Self.serverRekeys)) { gateway in
            var words = try Self.words(program, gateway)
            if program == .putty { words.options += ["-v"] }
            let outcome = try Self.carries(Self.rekeyed, words)
            #expect(outcome.code == 0)
            // Dropbear's does not say.
            #expect(program == .dropbear || outcome.errors.components(separatedBy: "Remote side initiated key re-exchange").count > Self.exchanges, "\(outcome)")
        }
    }

    @Test func `plink: new keys by the client during a transfer`() throws {
        try Gateway.serving { gateway in
            var words = try Self.words(.putty, gateway)
            let sessions = "\(gateway.directory)/.putty/sessions"
            try FileManager.default.createDirectory(atPath: sessions, withIntermediateDirectories: true)
            try "RekeyBytes=1M\n".write(toFile: "\(sessions)/rekeys", atomically: false, encoding: .utf8)
            words.options += ["-v", "-load", "rekeys"]
            let outcome = try Self.carries(Self.rekeyed, words)
            #expect(outcome.code == 0)
            #expect(outcome.errors.components(separatedBy: "Initiating key re-exchange").count > Self.exchanges, "\(outcome)")
        }
    }

    @Test func `plink: ten channels, and many sessions in a row, over a shared connection`() throws {
        try Gateway.serving { gateway in
            var words = try Self.words(.putty, gateway)
            words.options += ["-share"]
            let master = try RunningProgram(words.line("echo up; exec sleep 300"), environment: words.environment)
            #expect(try becomesTrue(within: .seconds(10)) { master.outputSoFar == "up\n" })
            let clients = try (0..<10).map { try RunningProgram(words.line("cat; exit \($0)"), environment: words.environment, input: .bytes([0x30 + UInt8($0)])) }
            for (number, client) in clients.enumerated() {
                let outcome = try client.wait()
                #expect(outcome.output == "\(number)" && outcome.code == number, "\(outcome)")
            }
            for number in 0..<Self.sessions { #expect(try run(words.line("exit \(number)"), environment: words.environment).code == number) }
            #expect(try gateway.records("connect").count == 1)
            // By its own end it takes its socket away.
            try master.child.sendSignal(.terminate)
            _ = try master.wait()
        }
    }

    /// A client's command line.
    private struct Words {
        var options: [String]
        let host = "127.0.0.1"
        let environment: [String]
        func line(_ script: String) -> [String] { options + [host, Gateway.line(script)] }
    }

    private static func words(_ program: Program, _ gateway: Gateway) throws -> Words {
        let (directory, login, environment) = (gateway.directory, gateway.user.name, ["HOME=\(gateway.directory)", "USER=\(gateway.user.name)"])
        let key = "\(directory)/\(program.rawValue)"
        let made: String
        let options: [String]
        switch program {
        case .dropbear:
            let output = try run(["/usr/bin/dropbearkey", "-t", "ed25519", "-f", key]).output
            made = output.split(separator: "\n").first { $0.hasPrefix("ssh-ed25519 ") }.map(String.init) ?? ""
            options = ["/usr/bin/dbclient", "-y", "-y", "-T", "-i", key, "-p", "\(gateway.port)", "-l", login]
        case .putty:
            _ = try run(["/usr/bin/puttygen", "-t", "ed25519", "-o", key, "--new-passphrase", "/dev/null", "-q"], environment: environment)
            made = try run(["/usr/bin/puttygen", "-L", key], environment: environment).output
            let fingerprint = try run(["/usr/bin/ssh-keygen", "-l", "-f", "\(directory)/host.pub"]).output.split(separator: " ")[1]
            options = ["/usr/bin/plink", "-batch", "-ssh", "-noagent", "-hostkey", String(fingerprint), "-i", key, "-P", "\(gateway.port)", "-l", login]
        }
        try made.write(toFile: "\(key).pub", atomically: false, encoding: .utf8)
        var policy = gateway.policy
        policy.keys = [.init(name: program.rawValue, lines: "may = ['sh']")]
        try gateway.apply(policy)
        return Words(options: options, environment: environment)
    }

    /// Sends random bytes there and back, and sees that they are the same.
    private static func carries(_ size: Int, _ words: Words) throws -> Outcome {
        let (input, came) = (try memoryFile(named: "input"), try memoryFile(named: "came"))
        _ = try RunningProgram(["/usr/bin/head", "-c", "\(size)", "/dev/urandom"], output: input).wait()
        try input.rewind()
        let outcome = try RunningProgram(words.line("exec cat"), environment: words.environment, input: .open(input), output: came).wait(.seconds(300))
        var digests: [String] = []
        for file in [input, came] {
            try file.rewind()
            digests.append(try run(["/usr/bin/sha256sum"], input: .open(file)).output)
        }
        #expect(try came.status().size == size && digests[0] == digests[1], "\(outcome)")
        return outcome
    }
}
