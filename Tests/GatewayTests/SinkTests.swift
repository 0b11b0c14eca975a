import Foundation
import Linux
import Testing

/// A log service of the machine: it keeps each datagram that comes, whole, also those that come as files.
private final class Collector {
    private let program: RunningProgram

    init(_ path: String) throws {
        program = try RunningProgram(["/usr/bin/python3", "-u", "-c", Self.script, path])
        guard try becomesTrue(within: .seconds(10), { program.errorsSoFar.hasPrefix("ready\n") }) else { throw Trouble("no collector: \(program.errorsSoFar)") }
    }

    var datagrams: [[UInt8]] {
        program.errorsSoFar.split(separator: "\n").dropFirst().compactMap { line in
            Data(base64Encoded: String(line.drop { $0 != " " }.dropFirst())).map { Array($0) }
        }
    }
    /// How many of them came as files.
    var files: Int { program.errorsSoFar.split(separator: "\n").count { $0.hasPrefix("file ") } }

    func stop() throws { try program.kill() }

    private static let script = """
        import base64, os, socket, sys
        try: os.unlink(sys.argv[1])
        except FileNotFoundError: pass
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(sys.argv[1])
        os.chmod(sys.argv[1], 0o666)
        print("ready", file=sys.stderr)
        while True:
            data, fds, _, _ = socket.recv_fds(s, 1 << 20, 4)
            kind = "file" if fds else "data"
            for fd in fds: data += os.pread(fd, 1 << 26, 0)
            print(kind, base64.b64encode(data).decode(), file=sys.stderr)
        """
}

/// A `posternd` with options of its own, beside the one of a gateway and with its files.
private func serving(_ gateway: Gateway, _ options: [String], within wrapper: String = "", _ body: (_ ssh: [String], RunningProgram) throws -> Void) throws {
    let listener = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0))
    let port = try listener.localAddress().port
    let posternd = (try Gateway.command(gateway.directory) + options).map { "'\($0)'" }.joined(separator: " ")
    let script = "\(wrapper)\nLISTEN_PID=$$ LISTEN_FDS=1 exec \(posternd)"
    let words = wrapper.isEmpty ? ["/bin/sh", "-c", script] : ["/usr/bin/unshare", "-m", "/bin/sh", "-e", "-c", script]
    let server = try RunningProgram(words, descriptors: [listener])
    // What comes before it listens waits at the socket, also where it never will.
    guard try becomesTrue(within: .seconds(10), { try readLink("/proc/\(server.child.pid)/exe").hasSuffix("/posternd") }) else {
        throw Trouble("posternd does not run: \(server.errorsSoFar)")
    }
    try body(["-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"], server)
    try server.child.sendSignal(.terminate)
    let outcome = try server.wait(.seconds(10))
    #expect(outcome.code == 0, "\(outcome)")
}

extension Gateway {
    fileprivate func lines(_ name: String) -> [String] {
        guard let text = try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8) else { return [] }
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    fileprivate func events(_ name: String) throws -> [String] { try lines(name).filter { $0.hasPrefix("{") }.map { try AuditRecord($0).event } }
}

@Suite("Issue 8: where the log goes") struct SinkTests {
    /// What would begin a line or a field of its own, hide one, or turn it around.
    private static let hostile = AuditTests.hostile.replacing("\0", with: "") + "\nMESSAGE=forged\nPRIORITY=0\n<0>Jan  1 00:00:00 kernel: forged"

    private static func isSound(_ text: String) -> Bool {
        !text.unicodeScalars.contains { $0.value < 0x20 || [0x7f, 0x85, 0x9b, 0x202e, 0x2028].contains($0.value) }
    }

    @Test func `a file is safe under logrotate, with a signal and without`() throws {
        try Gateway.serving { gateway in
            let log = "\(gateway.directory)/log"
            try serving(gateway, ["-v", "--log", log]) { options, server in
                _ = try gateway.ssh(Self.hostile, options: options)
                #expect(try becomesTrue(within: .seconds(10)) { try gateway.events("log").last == "disconnect" })
                for line in gateway.lines("log") {
                    #expect(line.hasPrefix("posternd: ") || line.hasPrefix(#"{"time":""#), "\(line.debugDescription)")
                    #expect(Self.isSound(line), "\(line.debugDescription)")
                }
                // A connection that is open while its log is moved away.
                let held = try Descriptor.pipe()
                let running = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; read line; echo $line")], options: options), input: .open(held.reading))
                #expect(try becomesTrue(within: .seconds(10)) { running.outputSoFar == "up\n" })
                try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
                try held.writing.writeAll(Array("more\n".utf8))
                #expect(try running.wait(.seconds(10)).output == "up\nmore\n")
                #expect(try becomesTrue(within: .seconds(10)) { try gateway.events("log") == ["finished", "disconnect"] })
                try FileManager.default.moveItem(atPath: log, toPath: log + ".2")
                try server.child.sendSignal(.hangUp)
                #expect(try becomesTrue(within: .seconds(10)) { FileManager.default.fileExists(atPath: log) })
                #expect(try gateway.script("echo on", options: options).output == "on\n")
                #expect(try becomesTrue(within: .seconds(10)) { try gateway.events("log").last == "disconnect" })
            }
            // At -v each record has a line for people behind it.
            let lines = gateway.lines("log").filter { !$0.contains("signal") }
            for (index, line) in lines.enumerated() where line.hasPrefix("{") {
                let record = try AuditRecord(line)
                #expect(lines[index + 1].hasPrefix("posternd: \(record.connection) 127.0.0.1 \(record.event): "), "\(lines)")
            }
        }
    }

    @Test(.enabled(if: isRoot, "needs mount namespaces")) func `syslog and the journal get entries that nothing can forge`() throws {
        try Gateway.serving { gateway in
            let directory = "\(gateway.directory)/services"
            try makeDirectory(directory, mode: 0o755)
            let services = try ["log", "socket"].map { try Collector("\(directory)/\($0)") }
            // /dev with a log of its own, and a journal.
            let wrapper = """
                mkdir -p \(directory)/dev
                for node in null urandom random zero full; do : >\(directory)/dev/$node; mount --bind /dev/$node \(directory)/dev/$node; done
                ln -sf \(directory)/log \(directory)/dev/log
                mount --rbind \(directory)/dev /dev
                mount -t tmpfs tmpfs /run
                mkdir -p /run/systemd/journal
                ln -sf \(directory)/socket /run/systemd/journal/socket
                """
            for (target, service) in zip(["syslog", "journal"], services) {
                try serving(gateway, ["-v", "--log", target], within: wrapper) { options, _ in
                    let refused = try gateway.ssh(Self.hostile, options: options)
                    #expect(refused.code == 126, "\(refused)")
                    #expect(try becomesTrue(within: .seconds(10)) { service.datagrams.contains { String(decoding: $0, as: UTF8.self).contains(#""event":"disconnect""#) } })
                }
            }
            for datagram in services[0].datagrams {
                let text = String(decoding: datagram, as: UTF8.self)
                #expect(text.firstMatch(of: /^<8[0-9]>[A-Z][a-z]{2} [ 1-3][0-9] \d\d:\d\d:\d\d posternd\[\d+\]: ({"time":|posternd: )/) != nil, "\(text.debugDescription)")
                #expect(Self.isSound(text), "\(text.debugDescription)")
            }
            try Self.checkJournal(services[1])
            try Self.sendWhole(gateway, services[1], wrapper)
            for service in services { try service.stop() }
        }
    }

    /// Nothing of ours has a line feed, so that each field is a line.
    private static func fields(_ datagram: [UInt8]) -> [String: String] {
        let pairs = String(decoding: datagram, as: UTF8.self).split(separator: "\n").map { $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
        return Dictionary(pairs.map { (String($0[0]), $0.count == 2 ? String($0[1]) : "") }, uniquingKeysWith: { $0 + "AGAIN" + $1 })
    }

    private static func checkJournal(_ service: Collector) throws {
        let entries = service.datagrams.map(fields)
        #expect(entries.allSatisfy { $0["SYSLOG_IDENTIFIER"] == "posternd" && ["5", "6"].contains($0["PRIORITY"]) })
        #expect(entries.allSatisfy { $0.allSatisfy { isSound($0.value) && ($0.key.hasPrefix("POSTERN_") || !$0.value.contains("AGAIN")) } }, "\(entries)")
        let decision = try #require(entries.first { $0["POSTERN_EVENT"] == "decision" })
        let record = try AuditRecord(try #require(decision["POSTERN_RECORD"]))
        #expect(Array(record["asked"].utf8) == Array(hostile.utf8))
        #expect(decision["POSTERN_KEY"] == "alice" && decision["POSTERN_VERDICT"] == "refuse" && decision["POSTERN_ASKED"]?.hasPrefix(#"x\n{"event":"forged"}\r\x1b[2K"#) == true && decision["POSTERN_CONNECTION"] == record.connection)
        #expect(decision["MESSAGE"]?.hasPrefix("\(record.connection) 127.0.0.1 decision: refuse for alice as ") == true, "\(decision)")
    }

    /// What is too long for a datagram comes as a file, and is whole.
    private static func sendWhole(_ gateway: Gateway, _ service: Collector, _ wrapper: String) throws {
        try serving(gateway, ["--log", "journal"], within: wrapper) { options, _ in
            let line = [UInt8](repeating: 0xff, count: 30_000)
            let words = gateway.sshCommand([], options: options).map { Array($0.utf8) } + [line]
            let script = words.map { "'" + $0.map { String(UnicodeScalar($0)) }.joined() + "'" }.joined(separator: " ")
            let path = "\(gateway.directory)/long.sh"
            try createFile(path, script.unicodeScalars.map { UInt8($0.value) })
            #expect(try run(["/bin/sh", path]).code == 126)
            #expect(try becomesTrue(within: .seconds(10)) { service.files == 1 && service.datagrams.contains { $0.count > 200_000 } })
        }
        let decision = try #require(service.datagrams.map(fields).last { $0["POSTERN_EVENT"] == "decision" })
        let asked = try AuditRecord(try #require(decision["POSTERN_RECORD"]))["asked"]
        #expect(asked == String(repeating: #"\xff"#, count: 30_000), "\(asked.utf8.count): \(asked.prefix(100))")
    }
}

@Suite("Issue 8: a log that cannot be written") struct LogFailureTests {
    @Test func `nobody enters, and the reason is on standard error`() throws {
        try Gateway.serving { gateway in
            try serving(gateway, ["--log", "/dev/full"]) { options, server in
                let outcome = try gateway.script("echo ran", options: options)
                #expect(outcome.code == 255 && outcome.output.isEmpty, "\(outcome)")
                #expect(try becomesTrue(within: .seconds(10)) { server.errorsSoFar.contains("audit records could not be written") })
                #expect(server.errorsSoFar.contains("the log cannot be written: no space left on device"))
            }
        }
    }

    @Test func `with "continue" the command runs, and standard error has how many records are missing`() throws {
        try Gateway.serving(.init(gateway: "log_failure = 'continue'")) { gateway in
            try serving(gateway, ["--log", "/dev/full"]) { options, server in
                let outcome = try gateway.script("echo ran", options: options)
                #expect(outcome.code == 0 && outcome.output == "ran\n", "\(outcome)")
                #expect(try becomesTrue(within: .seconds(10)) { server.errorsSoFar.contains(" 5 audit records could not be written") })
            }
        }
    }

    @Test func `with -q there is nothing to write`() throws {
        try Gateway.serving { gateway in
            try serving(gateway, ["-q", "--log", "/dev/full"]) { options, _ in
                let outcome = try gateway.script("echo ran", options: options)
                #expect(outcome.output == "ran\n", "\(outcome)")
            }
        }
    }

    /// A disk that gets full while a client is there, and has room again later.
    @Test(.enabled(if: isRoot, "needs mount namespaces"), arguments: ["refuse", "continue"])
    func `a disk that fills up stops commands or is told of`(policy: String) throws {
        try Gateway.serving(.init(gateway: "log_failure = '\(policy)'")) { gateway in
            let disk = "\(gateway.directory)/disk"
            try makeDirectory(disk, mode: 0o755)
            try serving(gateway, ["--log", "\(disk)/log"], within: "mount -t tmpfs -o size=64k tmpfs \(disk)") { options, server in
                let seen = "/proc/\(server.child.pid)/root\(disk)"
                try Self.withMaster(gateway, options) { shared in
                    #expect(try gateway.script("echo one", options: shared).output == "one\n")
                    #expect(try becomesTrue(within: .seconds(10)) { try Self.text(seen).contains("finished") })
                    try Self.fill(seen)
                    // The last page of the log still has room for some.
                    let outcomes = try (0..<30).map { _ in try gateway.script("echo two", options: shared) }
                    let last = try #require(outcomes.last)
                    if policy == "refuse" {
                        #expect(last.code == 125 && last.output.isEmpty && last.errors.contains("the gateway cannot write its log"), "\(last)")
                    } else {
                        #expect(outcomes.allSatisfy { $0.output == "two\n" }, "\(last)")
                    }
                    #expect(server.errorsSoFar.contains("the log cannot be written: no space left on device"))
                    try removeFile("\(seen)/filler")
                    #expect(try gateway.script("echo three", options: shared).output == "three\n")
                    #expect(try becomesTrue(within: .seconds(10)) { try Self.text(seen).contains(#""event":"lost""#) })
                    try Self.checkWhole(try Self.text(seen), commands: outcomes.count + 2, policy)
                }
            }
        }
    }

    private static func text(_ directory: String) throws -> String { try String(contentsOfFile: "\(directory)/log", encoding: .utf8) }

    /// No line is torn; and of all records those that are missing were counted.
    private static func checkWhole(_ log: String, commands: Int, _ policy: String) throws {
        let records = try log.split(separator: "\n").map { try AuditRecord(String($0)) }
        #expect(log.hasSuffix("\n"))
        let lost = records.filter { $0.event == "lost" }.compactMap { $0.number("count") }.reduce(0, +)
        let written = records.count { $0.event == "decision" || $0.event == "finished" }
        if policy == "continue" { #expect([written + lost, written + lost + 1].contains(2 * commands), "\(written) \(lost)") }
        #expect(lost > 0)
    }

    private static func withMaster(_ gateway: Gateway, _ options: [String], _ body: ([String]) throws -> Void) throws {
        let path = "\(gateway.directory)/master"
        let master = try RunningProgram(gateway.sshCommand(["-N"], options: options + ["-M", "-S", path]).dropLast(2) + ["-N", "gateway"])
        guard try becomesTrue(within: .seconds(10), { FileManager.default.fileExists(atPath: path) }) else { throw Trouble("no master: \(master.errorsSoFar)") }
        try body(options + ["-S", path])
        try master.kill()
    }

    private static func fill(_ directory: String) throws {
        let file = try openFile("\(directory)/filler", [.write, .create])
        var isFull = false
        while !isFull {
            do throws(Errno) {
                try file.writeAll([UInt8](repeating: 0, count: 4096))
            } catch {
                guard error == .noSpace else { throw error }
                isFull = true
            }
        }
    }
}
