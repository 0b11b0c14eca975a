import Foundation
import Linux
import Testing

/// Runs a program with a TCP connection over the loopback as its standard input; we keep the client's end only.
private func serve(_ words: [String], alsoAsOutput: Bool = false) throws -> (client: Descriptor, posternd: RunningProgram) {
    let listener = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0))
    let client = try Descriptor.connect(to: try listener.localAddress())
    guard let server = try listener.accept() else { throw Trouble("no connection") }
    let other = alsoAsOutput ? server : nil
    return (client, try RunningProgram(words, input: .open(server), output: other, error: other))
}

extension Descriptor {
    /// Reads until there is a line, the end, or no time left.
    fileprivate func line(within patience: Duration = .seconds(10)) throws -> String {
        var bytes: [UInt8] = []
        var one: [UInt8] = [0]
        while bytes.last != 0x0a, try isReadable(within: patience), try read(into: &one, 0..<1) == 1 { bytes += one }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// True when the peer closes or resets within that time; what it says before is passed over.
    fileprivate func ends(within patience: Duration) throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4096)
        do throws(Errno) {
            while try isReadable(within: patience) { if try read(into: &bytes, bytes.indices) == 0 { return true } }
        } catch {
            return error == .connectionReset
        }
        return false
    }

    /// Writes to a peer that may hang up before it has read everything.
    fileprivate func say(_ text: String) throws {
        do throws(Errno) {
            try writeAll(Array(text.utf8))
        } catch {
            guard error == .brokenPipe || error == .connectionReset else { throw error }
        }
    }

    private func isReadable(within patience: Duration) throws(Errno) -> Bool {
        var poll = PollSet()
        poll.add(self, .readable, token: 0)
        return try !poll.wait(timeout: patience).isEmpty
    }
}

@Suite("T9: the version lines") struct VersionLineTests {
    @Test func `ours carries the connection's id, the same as in the log`() throws {
        try Gateway.serving { gateway in
            let client = try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: gateway.port))
            let line = try client.line()
            let connection = try gateway.record("connect").connection
            #expect(line.wholeMatch(of: /SSH-2\.0-Postern_[0-9.]+ [0-9a-f]{8}\r\n/) != nil, "\(line)")
            #expect(line.hasSuffix(" \(connection)\r\n"))
        }
    }

    static let bad = [
        ("HELLO THERE\r\n", "malformed"), ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "malformed"), ("SSH-1.5-old\r\n", "protocol version 1.5"),
        ("SSH-2.0\r\n", "malformed"), ("\r\n", "malformed"), ("SSH-2.0-a\0b\r\n", "malformed"),
        ("SSH-2.0-" + String(repeating: "x", count: 300) + "\r\n", "more than 255 bytes"), (String(repeating: "x", count: 100_000), "more than 255 bytes"),
    ]

    @Test(arguments: bad) func `a bad, short or overlong one ends the connection, with exit status 111`(text: String, reason: String) throws {
        try Gateway.serving { gateway in
            let (client, posternd) = try serve(try Gateway.command(gateway.directory))
            #expect(try client.line().hasPrefix("SSH-2.0-Postern_"))
            try client.say(text)
            #expect(try client.ends(within: .seconds(5)))
            let outcome = try posternd.wait(.seconds(5))
            #expect(outcome.code == 111, "\(outcome)")
            let disconnect = try #require(outcome.errors.split(separator: "\n").last.map { try AuditRecord(String($0)) })
            #expect(disconnect.event == "disconnect" && disconnect["reason"].contains(reason), "\(outcome)")
        }
    }

    @Test func `T27: a client that sends nothing is hung up on after login_grace`() throws {
        try Gateway.serving(.init(gateway: "login_grace = '1s'")) { gateway in
            let started = Clock.monotonic
            let client = try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: gateway.port))
            #expect(try client.ends(within: .seconds(5)))
            let waited = Clock.monotonic - started
            #expect(waited > .milliseconds(900) && waited < .seconds(4), "\(waited)")
            _ = try gateway.record("disconnect")
        }
    }

    @Test func `T27: an idle connection is hung up on, one with a running command is not`() throws {
        try Gateway.serving(.init(gateway: "idle_timeout = '1s'\nkeepalive = '10s'")) { gateway in
            let running = try gateway.script("sleep 2; echo done")
            #expect(running.output == "done\n")
            let idle = try RunningProgram(gateway.sshCommand([], options: ["-N"]))
            let outcome = try idle.wait(.seconds(10))
            #expect(outcome.duration < .seconds(5), "\(outcome)")
        }
    }
}

@Suite("T33: inetd and its like start the gateway") struct StartTests {
    @Test func `with standard error on the connection the first bytes are SSH-2.0-`() throws {
        try Gateway.serving { gateway in
            let (client, posternd) = try serve(try Gateway.command(gateway.directory) + ["-vv"], alsoAsOutput: true)
            #expect(try client.line().hasPrefix("SSH-2.0-Postern_"))
            try client.say("SSH-2.0-test\r\n")
            try client.shutDown(receiving: false)
            let rest = String(decoding: try client.readAll(limit: 1 << 20), as: UTF8.self)
            #expect(!rest.contains("posternd") && !rest.contains("event"))
            let outcome = try posternd.wait(.seconds(10))
            // The log goes to syslog: without one on this machine nothing is recorded, and that is a failure.
            #expect(outcome.code == (FileManager.default.fileExists(atPath: "/dev/log") ? 0 : 111))
        }
    }

    @Test func `a fault before the greeting is not said on the wire either`() throws {
        try Gateway.serving { gateway in
            let command = [try Gateway.program("posternd"), "--policy", "\(gateway.directory)/missing.db", "--host-key", "\(gateway.directory)/host"]
            let (client, posternd) = try serve(command, alsoAsOutput: true)
            let outcome = try posternd.wait(.seconds(10))
            #expect(outcome.code == 100)
            #expect(try client.line().isEmpty)
        }
    }

    @Test func `T36: it takes the sockets of a service manager`() throws {
        try Gateway.serving { gateway in
            let listener = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0))
            let port = try listener.localAddress().port
            let posternd = try Gateway.command(gateway.directory).joined(separator: " ")
            let server = try RunningProgram(["/bin/sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \(posternd)"], descriptors: [listener])
            let outcome = try gateway.script("echo served", options: ["-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"])
            #expect(outcome.output == "served\n", "\(outcome)")
            try server.child.sendSignal(.terminate)
            #expect(try server.wait(.seconds(10)).code == 0)
        }
    }

    static let wrong = [["--nonsense"], ["-x"], ["-vx"], ["--log", "relative"], ["--log"], ["--listen"], ["--listen", "nowhere:port"], ["operand"]]

    @Test(arguments: wrong) func `T28: wrong usage prints the usage and exits 100`(arguments: [String]) throws {
        let outcome = try run([try Gateway.program("posternd")] + arguments)
        #expect(outcome.errors.contains("\nposternd: usage: posternd"))
        #expect(outcome.code == 100)
    }

    @Test func `T28: flags are taken alone and bunched, and -q is silent`() throws {
        try Gateway.serving { gateway in
            for (flags, isLoud) in [(["-q"], false), (["-vv"], true), (["-v", "-v"], true), (["-vq"], false), (["-lq"], false), (["-q", "-l"], false)] {
                let (client, posternd) = try serve(try Gateway.command(gateway.directory) + flags)
                _ = try client.line()
                try client.shutDown(receiving: false)
                let outcome = try posternd.wait(.seconds(10))
                #expect(outcome.errors.isEmpty != isLoud, "\(flags): \(outcome)")
            }
        }
    }

    @Test func `T34: no host key is fatal, with the path`() throws {
        try Gateway.serving { gateway in
            let path = "\(gateway.directory)/no-such-key"
            let outcome = try run([try Gateway.program("posternd"), "--policy", "\(gateway.directory)/policy.db", "--host-key", path, "--listen", "127.0.0.1:0"])
            #expect(outcome.errors.contains(path))
            #expect(outcome.code == 100)
        }
    }

    @Test func `a host key that others can reach, or that is the public half, is refused with what to do`() throws {
        try Gateway.serving { gateway in
            let key = "\(gateway.directory)/host"
            func said(_ path: String) throws -> Outcome {
                try run([try Gateway.program("posternd"), "--policy", "\(gateway.directory)/policy.db", "--host-key", path, "--listen", "127.0.0.1:0"])
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
            let open = try said(key)
            #expect(open.code == 100 && open.errors.contains("(mode 644); chmod 600 \"\(key)\""), "\(open)")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
            let half = try said("\(key).pub")
            #expect(half.code == 100 && half.errors.contains("the private one is the file without \".pub\""), "\(half)")
        }
    }

    /// What is done to a compiled policy, and what is then said.
    static let unusable: [(what: String, change: @Sendable (inout [UInt8]) -> Void, text: String)] = [
        ("a byte of a record is another", { $0[$0.count * 3 / 4] ^= 1 }, "the file of the compiled policy is damaged; run \"postern apply\" again, and test the disk"),
        ("the last byte is another", { $0[$0.count - 1] ^= 0x80 }, "the file of the compiled policy is damaged; run \"postern apply\" again, and test the disk"),
        ("a byte of the header is another", { $0[20] ^= 1 }, "the header of the compiled policy is damaged; run \"postern apply\" again, and test the disk"),
        ("the end is missing", { $0.removeLast($0.count / 2) }, "; run \"postern apply\" again"),
        ("there is more behind it", { $0 += [0] }, "; run \"postern apply\" again"),
        ("it is of a newer release", { $0[8] = 99 }, "; run \"postern apply\" of the same release"),
        ("it is empty", { $0 = [] }, "this is not a compiled policy; give the file that \"postern apply\" wrote"),
        ("it is the source", { $0 = Array("version = 1\n".utf8) }, "this is not a compiled policy; give the file that \"postern apply\" wrote"),
    ]

    @Test func `a compiled policy that cannot be used is refused with what to do`() throws {
        try Gateway.serving { gateway in
            let path = "\(gateway.directory)/other.db"
            for (what, change, text) in Self.unusable {
                var bytes = try readFile("\(gateway.directory)/policy.db", limit: 1 << 24)
                change(&bytes)
                try replaceFile(path, bytes)
                let outcome = try run([try Gateway.program("posternd"), "--policy", path, "--host-key", "\(gateway.directory)/host", "--listen", "127.0.0.1:0"])
                #expect(outcome.errors.hasPrefix("posternd: policy \"\(path)\": ") && outcome.errors.hasSuffix(text + "\n"), "\(what): \(outcome)")
                #expect(outcome.code == 100, "\(what)")
                #expect(!what.contains("newer") || outcome.errors.contains("has format 99, and this program reads format "), "\(outcome)")
            }
        }
    }

    @Test func `a damaged policy is not taken up, and the last good one stays in use`() throws {
        try Gateway.serving { gateway in
            let path = "\(gateway.directory)/policy.db"
            let good = try readFile(path, limit: 1 << 24)
            for (what, change, text) in [Self.unusable[0], Self.unusable[3]] {
                var bytes = good
                change(&bytes)
                try replaceFile(path, bytes)
                try gateway.process.child.sendSignal(.hangUp)
                #expect(try becomesTrue(within: .seconds(10)) { gateway.log.contains(text) }, "\(what): \(gateway.log)")
            }
            #expect(!gateway.log.contains("taken up"))
            #expect(try gateway.script("echo in").output == "in\n")
        }
    }

    /// Of several tries, since what is looked for is the moment between the start of a process and its first look at signals.
    @Test func `a connection that has just come is not ended by a hang-up`() throws {
        try Gateway.serving { gateway in
            for _ in 0..<6 {
                let clients = try (0..<8).map { _ in try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: gateway.port)) }
                for _ in 0..<4 { try gateway.process.child.sendSignal(.hangUp) }
                for client in clients {
                    var poll = PollSet()
                    poll.add(client, .readable, token: 0)
                    #expect(try !poll.wait(timeout: .seconds(20)).isEmpty)
                    var bytes = [UInt8](repeating: 0, count: 8)
                    #expect(try client.read(into: &bytes, bytes.indices) == 8 && bytes == Array("SSH-2.0-".utf8))
                }
            }
        }
    }

    @Test(.enabled(if: isRoot, "only root can give a file away")) func `a compiled policy of another owner is refused with what to do`() throws {
        try Gateway.serving { gateway in
            let path = "\(gateway.directory)/policy.db"
            try FileManager.default.setAttributes([.ownerAccountID: 12345], ofItemAtPath: path)
            let outcome = try run(try Gateway.command(gateway.directory) + ["--listen", "127.0.0.1:0"])
            #expect(outcome.errors == "posternd: policy: \"\(path)\" is owned by uid 12345, who could change it; if it is yours, chown root \"\(path)\"\n", "\(outcome)")
            #expect(outcome.code == 100)
            try FileManager.default.setAttributes([.ownerAccountID: 0], ofItemAtPath: path)
        }
    }

    @Test func `T15: a policy or host key that others can write is refused with the reason`() throws {
        try Gateway.serving { gateway in
            for name in ["policy.db", "host"] {
                let path = "\(gateway.directory)/\(name)"
                try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
                let outcome = try run(try Gateway.command(gateway.directory) + ["--listen", "127.0.0.1:0"])
                #expect(outcome.errors.contains(path), "\(outcome)")
                #expect(outcome.errors.contains("others"), "\(outcome)")
                #expect(outcome.code == 100)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            }
        }
    }
}
