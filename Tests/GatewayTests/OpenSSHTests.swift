import Linux
import Testing

@Suite("DESIGN §4.1: OpenSSH's client runs commands") struct OpenSSHTests {
    @Test func `T23: standard output and standard error arrive apart`() throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.script("echo one; echo two >&2; echo three; echo four >&2")
            #expect(outcome.output == "one\nthree\n")
            #expect(outcome.errors == "two\nfour\n")
            #expect(outcome.code == 0)
        }
    }

    @Test func `T23: both arrive complete and in order, 100,000 lines of each`() throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.script("seq 100000 & seq 100000 >&2; wait")
            let lines = (1...100_000).map { "\($0)\n" }.joined()
            #expect(outcome.code == 0)
            expectSame(outcome.output, lines)
            expectSame(outcome.errors, lines)
        }
    }

    @Test func `T24: exit statuses are the command's own`() throws {
        try Gateway.serving { gateway in
            for status in [0, 1, 77, 255] {
                let outcome = try gateway.script("exit \(status)")
                #expect(outcome.code == status, "\(outcome)")
                #expect(outcome.output.isEmpty && outcome.errors.isEmpty)
            }
        }
    }

    /// Those of DESIGN §5; OpenSSH has had the second and third since 9.0, and the first since 9.9.
    @Test func `T2: keys are agreed on by a post-quantum method, and by each that the client has`() throws {
        let methods = [
            "mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org",
        ]
        let known = try run(["/usr/bin/ssh", "-Q", "kex"]).output.split(separator: "\n").map(String.init)
        try Gateway.serving { gateway in
            let words = gateway.sshCommand(["help"], options: ["-v"]).map { $0 == "gateway" ? "gateway-by-default" : $0 }
            let agreed = try run(words).errors.split(separator: "\n").first { $0.contains("kex: algorithm: ") } ?? ""
            #expect(methods.prefix(3).contains { agreed.contains($0) }, "\(agreed)")
            for method in methods.filter(known.contains) {
                let outcome = try gateway.ssh("help", options: ["-v", "-o", "KexAlgorithms=\(method)"])
                #expect(outcome.errors.contains("kex: algorithm: \(method)\r\n") && outcome.code == 0, "\(outcome)")
            }
        }
    }

    @Test(arguments: ["TERM", "KILL"]) func `T24: death by a signal is told by its name`(signal: String) throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.script("echo before; kill -\(signal) $$; echo after", options: ["-vv"])
            #expect(outcome.output == "before\n")
            #expect(outcome.errors.contains("rtype exit-signal"))
            #expect(!outcome.errors.contains("rtype exit-status"))
            // What ssh says when there was no exit status.
            #expect(outcome.code == 255)
            #expect(try gateway.record("finished")["signal"] == signal)
        }
    }

    @Test(arguments: ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com"])
    func `64 MiB go each way and stay what they were`(cipher: String) throws {
        try Gateway.serving { gateway in
            let input = try memoryFile(named: "input")
            _ = try RunningProgram(["/usr/bin/head", "-c", "\(64 << 20)", "/dev/urandom"], output: input).wait()
            let wanted = try digest(input)
            try input.rewind()
            let came = try memoryFile(named: "came")
            let words = gateway.sshCommand([Gateway.line("exec cat")], options: ["-v", "-c", cipher])
            let outcome = try RunningProgram(words, input: .open(input), output: came).wait()
            #expect(outcome.code == 0)
            #expect(outcome.errors.contains("server->client cipher: \(cipher)"), "\(outcome.errors)")
            #expect(try came.status().size == 64 << 20)
            #expect(try digest(came) == wanted)
        }
    }

    @Test(arguments: [(["-o", "RekeyLimit=1M"], ""), ([], "rekey = { bytes = '1MiB' }")])
    func `T7: keys are exchanged again while data flows, by either side`(options: [String], gateway: String) throws {
        try Gateway.serving(.init(gateway: gateway)) { gateway in
            let size = (isLong ? 200 : 8) << 20
            let input = try memoryFile(named: "input")
            _ = try RunningProgram(["/usr/bin/head", "-c", "\(size)", "/dev/urandom"], output: input).wait()
            let wanted = try digest(input)
            try input.rewind()
            let came = try memoryFile(named: "came")
            let words = gateway.sshCommand([Gateway.line("exec cat")], options: options + ["-v", "-o", "KexAlgorithms=curve25519-sha256"])
            let outcome = try RunningProgram(words, input: .open(input), output: came).wait(.seconds(300))
            #expect(try came.status().size == size)
            #expect(try digest(came) == wanted)
            #expect(outcome.errors.components(separatedBy: "SSH2_MSG_NEWKEYS received").count > (isLong ? 100 : 4), "\(outcome)")
            #expect(outcome.code == 0)
        }
    }

    @Test(.enabled(if: isLong, "takes long"))
    func `a GiB goes each way, and three hundred sessions leave nothing`() throws {
        try Gateway.serving { gateway in
            let input = try memoryFile(named: "input")
            _ = try RunningProgram(["/usr/bin/head", "-c", "\(1 << 30)", "/dev/urandom"], output: input).wait(.seconds(300))
            let wanted = try digest(input)
            try input.rewind()
            let came = try memoryFile(named: "came")
            _ = try RunningProgram(gateway.sshCommand([Gateway.line("exec cat")]), input: .open(input), output: came).wait(.seconds(300))
            #expect(try digest(came) == wanted)
            for number in 0..<300 { #expect(try gateway.script("exit \(number % 200)").code == number % 200) }
            #expect(try becomesTrue(within: .seconds(1)) { LiveProcess.descendants(of: gateway.process.pid).isEmpty })
        }
    }

    @Test func `T23: when the client's input ends, output goes on`() throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.script("cat; echo done; echo said >&2", input: .bytes(Array("heard\n".utf8)))
            #expect(outcome.output == "heard\ndone\n")
            #expect(outcome.errors == "said\n")
        }
    }

    @Test func `T23: a command that closes its input goes on, and what is sent for it is lost`() throws {
        try Gateway.serving { gateway in
            let input = [UInt8](repeating: 0x61, count: 8 << 20)
            let outcome = try gateway.script("exec 0<&-; seq 20000; echo done", input: .bytes(input))
            expectSame(outcome.output, (1...20_000).map { "\($0)\n" }.joined() + "done\n")
            #expect(outcome.code == 0)
        }
    }

    @Test func `an input that nobody reads does not stop the end`() throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.script("exit 5", input: .bytes([UInt8](repeating: 0x61, count: 8 << 20)))
            #expect(outcome.code == 5)
        }
    }

    @Test func `with stdin none the command finds an empty input`() throws {
        let commands = TestPolicy.command("count", run: ["/usr/bin/wc", "-c"], lines: "stdin = 'none'")
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['count']")], commands: commands)) { gateway in
            let outcome = try gateway.ssh("count", input: .bytes([UInt8](repeating: 0x61, count: 4 << 20)))
            #expect(outcome.output == "0\n")
            #expect(outcome.code == 0)
        }
    }

    @Test func `M17: ten commands share one connection at the same time`() throws {
        try Gateway.serving { gateway in
            try gateway.withMaster { options in
                let clients = try (0..<10).map { number in
                    try RunningProgram(gateway.sshCommand([Gateway.line("seq 2000; cat; exit \(number)")], options: options), input: .bytes([0x30 + UInt8(number)]))
                }
                let lines = (1...2000).map { "\($0)\n" }.joined()
                for (number, client) in clients.enumerated() {
                    let outcome = try client.wait()
                    expectSame(outcome.output, lines + "\(number)")
                    #expect(outcome.code == number)
                }
            }
            #expect(try gateway.records("connect").count == 1)
            #expect(try gateway.records("finished").count == 10)
        }
    }

    /// OpenSSH's PROTOCOL §2.1: there is no message for that in RFC 4254.
    @Test(arguments: ["by itself", "by its policy"])
    func `a client is told when its command reads no more, and nobody waits for what is over in a loop`(how: String) throws {
        let script = "exec <&-; echo closed; sleep 2; echo end"
        let silent = TestPolicy.command("silent", run: ["/bin/sh", "-c", "echo closed; sleep 2; echo end"], lines: "stdin = 'none'")
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['sh', 'silent']")], commands: TestPolicy.shell + silent)) { gateway in
            let held = try Descriptor.pipe()
            let line = how == "by itself" ? Gateway.line(script) : "silent"
            let client = try RunningProgram(gateway.sshCommand([line], options: ["-vv"]), input: .open(held.reading))
            #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "closed\n" && client.errorsSoFar.contains("channel 0: rcvd eow") })
            let below = LiveProcess.descendants(of: gateway.process.pid)
            #expect(below.contains { $0.name == "postern-fronten" })
            #expect(try !becomesTrue(within: .seconds(1)) { client.outputSoFar != "closed\n" })
            for before in below {
                let after = try #require(LiveProcess(before.pid))
                #expect(after.ticks - before.ticks < 20, "\(before.name) used \(after.ticks - before.ticks) of 100 ticks")
            }
            let outcome = try client.wait()
            #expect(outcome.output == "closed\nend\n" && outcome.code == 0, "\(outcome)")
        }
    }

    @Test func `a channel more than the policy allows is refused, the others go on`() throws {
        try Gateway.serving(.init(gateway: "max_channels = 2")) { gateway in
            try gateway.withMaster { options in
                let held = try Descriptor.pipe()
                let clients = try (0..<2).map { _ in
                    try RunningProgram(gateway.sshCommand([Gateway.line("echo up; cat; echo down")], options: options), input: .open(held.reading))
                }
                for client in clients { #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "up\n" }) }
                // OpenSSH then makes a connection of its own.
                let third = try gateway.ssh(Gateway.line("echo third"), options: options)
                #expect(third.errors.contains("Session open refused by peer"))
                #expect(third.output == "third\n")
                for client in clients { try client.child.sendSignal(.terminate) }
                for client in clients { _ = try client.wait() }
            }
        }
    }

    /// Compares long texts; where they differ only the ends are worth showing.
    private func expectSame(_ text: String, _ wanted: String) {
        let isSame = text == wanted
        #expect(isSame, "\(text.utf8.count) bytes instead of \(wanted.utf8.count), ending with \(text.suffix(200).debugDescription)")
    }

    private func digest(_ file: Descriptor) throws -> String {
        try file.rewind()
        return try run(["/usr/bin/sha256sum"], input: .open(file)).output
    }
}

@Suite("DESIGN §4.1: a client that has gone leaves nothing") struct GoneClientTests {
    /// A word that only processes of this test have among their arguments.
    private static func mark() -> String { "314\(UInt32.random(in: 100_000 ... .max))" }

    @Test func `its command ends within a second`() throws {
        try Gateway.serving { gateway in
            let mark = Self.mark()
            let client = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; sleep \(mark)")]))
            #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "up\n" && !LiveProcess.having(argument: mark).isEmpty })
            try client.kill()
            #expect(try becomesTrue(within: .seconds(1)) { LiveProcess.having(argument: mark).isEmpty })
            #expect(try gateway.record("finished")["ended_by"] == "disconnect")
        }
    }

    /// Each is a script that leaves processes, with `$MARK` among their arguments.
    static let stubborn = [
        ("one that ignores every signal it can", "trap : HUP INT TERM PIPE; echo up; while :; do sleep $MARK; done"),
        ("one in a session of its own", "setsid sleep $MARK & echo up; sleep $MARK"),
        ("a grandchild whose parent has gone", "(setsid sh -c 'trap : TERM HUP; sleep $MARK; :' &) ; echo up; sleep $MARK"),
        ("what is left when the command itself has ended", "(setsid sh -c 'trap : TERM HUP; sleep $MARK; :' &) ; echo up"),
        ("one that writes and writes", "(setsid sleep $MARK &); echo up; exec yes $MARK"),
    ]

    @Test(arguments: stubborn) func `nothing survives`(what: String, script: String) throws {
        try Gateway.serving { gateway in
            let mark = Self.mark()
            let script = script.replacing("$MARK", with: mark)
            let client = try RunningProgram(gateway.sshCommand([Gateway.line(script)]))
            #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar.hasPrefix("up\n") })
            // A command takes with it what it leaves behind.
            if !what.hasPrefix("what is left") {
                #expect(try becomesTrue(within: .seconds(10)) { !LiveProcess.having(argument: mark).filter { $0.name == "sleep" }.isEmpty })
            }
            try client.kill()
            let isGone = try becomesTrue(within: .seconds(1)) { LiveProcess.having(argument: mark).isEmpty }
            #expect(isGone, "\(LiveProcess.having(argument: mark))")
            #expect(try becomesTrue(within: .seconds(1)) { LiveProcess.descendants(of: gateway.process.pid).isEmpty })
            _ = try gateway.record("disconnect")
        }
    }

    @Test func `a channel that closes ends its own command only`() throws {
        try Gateway.serving { gateway in
            try gateway.withMaster { options in
                let (mark, other) = (Self.mark(), Self.mark())
                let client = try RunningProgram(gateway.sshCommand([Gateway.line("sleep \(mark) & echo up; sleep \(mark)")], options: options))
                let second = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; sleep \(other)")], options: options))
                #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "up\n" && second.outputSoFar == "up\n" })
                try client.kill()
                #expect(try becomesTrue(within: .seconds(1)) { LiveProcess.having(argument: mark).isEmpty }, "\(LiveProcess.having(argument: mark))")
                #expect(!LiveProcess.having(argument: other).filter { $0.name == "sleep" }.isEmpty)
                try second.kill()
                #expect(try becomesTrue(within: .seconds(1)) { LiveProcess.having(argument: other).isEmpty })
            }
        }
    }

    @Test func `on_disconnect finish goes on to its end, its output heard by nobody`() throws {
        let finish = TestPolicy.command(
            "finish", run: ["/bin/sh", "-c", #"echo up; head -c 1048576 /dev/zero; head -c 1048576 /dev/zero >&2; exit 7"#], lines: "on_disconnect = 'finish'")
        let slow = TestPolicy.command(
            "slow", run: ["/bin/sh", "-c", #"echo up; read line; head -c 1048576 /dev/zero; head -c 1048576 /dev/zero >&2; exit 7"#],
            lines: "on_disconnect = 'finish'")
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['finish', 'slow']")], commands: finish + slow)) { gateway in
            let held = try Descriptor.pipe()
            let client = try RunningProgram(gateway.sshCommand(["slow"]), input: .open(held.reading))
            #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "up\n" })
            try client.kill()
            let finished = try gateway.record("finished")
            #expect(finished.number("status") == 7)
            #expect(finished["ended_by"].isEmpty)
            _ = try gateway.record("disconnect")
        }
    }

    @Test func `nobody waits in a loop for a command that outlives its client`() throws {
        let mark = Self.mark()
        let finish = TestPolicy.command("finish", run: ["/bin/sh", "-c", "echo up; sleep 4; exit 0 \(mark)"], lines: "on_disconnect = 'finish'")
        try Gateway.serving(.init(keys: [.init(name: "alice", lines: "may = ['finish']")], commands: finish)) { gateway in
            try gateway.withMaster { options in
                // More than are recorded one by one: the rest is summed up later.
                for _ in 0..<40 { _ = try gateway.ssh("nope", options: options) }
                let client = try RunningProgram(gateway.sshCommand(["finish"], options: options))
                #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "up\n" })
            }
            let monitor = try #require(LiveProcess.descendants(of: gateway.process.pid).first { $0.name == "posternd" })
            #expect(try !becomesTrue(within: .seconds(2)) { !monitor.isAlive })
            let after = try #require(LiveProcess(monitor.pid))
            #expect(after.ticks - monitor.ticks < 40, "\(after.ticks - monitor.ticks) of 200 ticks")
            #expect(try gateway.record("finished").number("status") == 0)
        }
    }

    @Test func `a stopped gateway takes its commands with it`() throws {
        let mark = Self.mark()
        try Gateway.serving { gateway in
            let client = try RunningProgram(gateway.sshCommand([Gateway.line("(setsid sh -c 'trap : TERM; sleep \(mark); :' &); echo up; sleep \(mark)")]))
            #expect(try becomesTrue(within: .seconds(10)) { client.outputSoFar == "up\n" })
        }
        #expect(try becomesTrue(within: .seconds(1)) { LiveProcess.having(argument: mark).isEmpty })
    }
}
