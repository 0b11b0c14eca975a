import Foundation
import Linux
import Sandbox
import Testing

/// A directory of control groups in which the tests may make some that have limits: the one of the tests themselves, or `$POSTERN_CONTROL_GROUP`.
private enum Place {
    static let path: String? = {
        let own = ControlGroupText.path(in: text("/proc/self/cgroup"))
        guard let place = Environment.value(of: "POSTERN_CONTROL_GROUP") ?? own.map({ DelegatedGroup.mountPoint + $0 }) else { return nil }
        guard ControlGroupText.missing(["memory", "pids"], in: text("\(place)/cgroup.subtree_control")).isEmpty else { return nil }
        return FileManager.default.isWritableFile(atPath: "\(place)/cgroup.procs") ? place : nil
    }()

    private static func text(_ path: String) -> String { String(decoding: (try? readFile(path, limit: 1 << 16)) ?? [], as: UTF8.self) }
}

@Suite("DESIGN §3.4: a delegated control group", .enabled(if: Place.path != nil, "needs a cgroup of version 2 with memory and pids for its children (scripts/test-vm)"))
struct ControlGroupTests {
    /// Starts a program as a service manager does that delegates: in a group of its own.
    private static let start = """
        import os, sys
        group = sys.argv[1] + ('-%d' % os.getpid() if sys.argv[2] == 'own' else '')
        os.mkdir(group)
        if os.getuid() == 0: os.setxattr(group, 'trusted.delegate', b'1')
        if sys.argv[2] == 'stale': os.mkdir(group + '/postern-command-4194304-1')
        with open(group + '/cgroup.procs', 'w') as file: file.write('0')
        os.execv(sys.argv[3], sys.argv[3:])
        """

    private static let small = "args = { script = { match = '.*' } }\nsandbox = 'small'"
    private static let commands =
        TestPolicy.command("sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"], lines: small)
        + "[sandbox.small]\nmemory = '64MiB'\nprocesses = 1000\n[sandbox.few]\nprocesses = 12\n"
        + TestPolicy.command("few", usage: "few <script>", run: ["/bin/sh", "-c", "<script>"], lines: "args = { script = { match = '.*' } }\nsandbox = 'few'")
        + TestPolicy.command("locked", usage: "locked <script>", run: ["/bin/sh", "-c", "<script>"], lines: small + "\nlock = 'one'")

    private func serving(_ mode: String = "plain", _ body: (Gateway, String) throws -> Void) throws {
        let place = try #require(Place.path)
        let group = "\(place)/gatewaytest-\(processID)-\(UInt32.random(in: 0 ... .max))"
        var policy = TestPolicy(commands: Self.commands)
        policy.keys = [.init(name: "alice", lines: "may = ['sh', 'few', 'locked']")]
        policy.launcher = ["/usr/bin/python3", "-c", Self.start, group, mode]
        defer {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
            for name in names where "\(place)/\(name)".hasPrefix(group) { remove("\(place)/\(name)") }
        }
        try Gateway.serving(policy) { try body($0, group) }
    }

    private func remove(_ group: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: group)) ?? [] where name.hasPrefix("postern-") { rmdir("\(group)/\(name)") }
        rmdir(group)
    }

    private func commands(in group: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: group)) ?? []).filter { $0.hasPrefix("postern-command-") }.map { "\(group)/\($0)" }
    }

    private func text(_ path: String) throws -> String { String(decoding: try readFile(path, limit: 1 << 16), as: UTF8.self).trimmingCharacters(in: .newlines) }

    @Test func `each command has one with its limits, and it goes with the command`() throws {
        try serving { gateway, group throws in
            #expect(gateway.log.contains("each command has a control group of its own in"), "\(gateway.log)")
            let client = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; exec sleep 1000")]))
            #expect(try becomesTrue(within: .seconds(30)) { client.outputSoFar == "up\n" })
            let all = commands(in: group)
            #expect(all.count == 1)
            let command = try #require(all.first)
            #expect(try text("\(command)/memory.max") == "\(64 << 20)")
            #expect(try text("\(command)/memory.oom.group") == "1")
            if FileManager.default.fileExists(atPath: "\(command)/memory.swap.max") { #expect(try text("\(command)/memory.swap.max") == "0") }
            #expect(try text("\(command)/pids.max") == (isRoot ? "1001" : "1000"))
            let inside = { try text("\(command)/cgroup.procs").split(separator: "\n").compactMap { Int32($0) }.compactMap(LiveProcess.init) }
            #expect(try becomesTrue(within: .seconds(30)) { try Set(inside().map(\.name)) == (isRoot ? ["postern-init", "sleep"] : ["sleep"]) })
            // The gateway is in one beside it, and none is where the commands' are.
            #expect(try text("\(group)/cgroup.procs") == "")
            let own = try text("\(group)/postern-gateway/cgroup.procs").split(separator: "\n").compactMap { Int32($0) }
            #expect(own.contains(gateway.process.pid) && own.count >= 3)
            try client.kill()
            #expect(try becomesTrue(within: .seconds(10)) { commands(in: group).isEmpty })
        }
    }

    @Test func `the memory of all processes together ends where the limit is`() throws {
        try serving { gateway, group throws in
            let script = "for n in 1 2 3 4; do head -c 30000000 /dev/zero | tail -n 1 | sleep 1000 & done; wait"
            let outcome = try gateway.script(script)
            #expect(outcome.code == 255 && outcome.errors.contains("postern: sh was ended: it used up its memory\n"), "\(outcome)")
            let record = try gateway.record("finished")
            #expect(record["signal"] == "KILL" && record["ended_by"] == "memory")
            #expect(try becomesTrue(within: .seconds(10)) { commands(in: group).isEmpty })
            // One that stays below goes on.
            #expect(try gateway.script("head -c 10000000 /dev/zero | tail -n 1 | wc -c").output == "10000000\n")
        }
    }

    @Test func `what is in TMPDIR counts`() throws {
        guard isRoot else { return }
        try serving { gateway, _ throws in
            #expect(try gateway.script("head -c 40000000 /dev/zero > $TMPDIR/file; stat -c %s $TMPDIR/file").output == "40000000\n")
            let both = try gateway.script("head -c 40000000 /dev/zero > $TMPDIR/file; head -c 40000000 /dev/zero | tail -n 1 | wc -c")
            #expect(both.code == 255 && both.errors.contains("it used up its memory"), "\(both)")
        }
    }

    @Test func `the processes of all together end where the limit is`() throws {
        try serving { gateway, group throws in
            let client = try RunningProgram(gateway.sshCommand(["few '(while :; do sleep 1000 & done) 2>/dev/null; echo full; exec sleep 1000'"]))
            #expect(try becomesTrue(within: .seconds(30)) { client.outputSoFar == "full\n" })
            let command = try #require(commands(in: group).first)
            #expect(try text("\(command)/pids.max") == (isRoot ? "13" : "12"))
            // The one that could start no more has ended.
            #expect(try text("\(command)/pids.current") == (isRoot ? "12" : "11"))
            #expect(ControlGroupText.number(named: "max", in: try text("\(command)/pids.events")) ?? 0 > 0)
            try client.kill()
            #expect(try becomesTrue(within: .seconds(5)) { commands(in: group).isEmpty })
        }
    }

    @Test func `what left its session is gone with the command while others go on, and so is its lock`() throws {
        try serving { gateway, group throws in
            let (mark, other) = ("31\(UInt32.random(in: 100_000 ... .max))", "32\(UInt32.random(in: 100_000 ... .max))")
            try gateway.withMaster { options throws in
                let running = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; exec sleep \(other)")], options: options))
                #expect(try becomesTrue(within: .seconds(30)) { running.outputSoFar == "up\n" })
                let outcome = try gateway.ssh("locked 'setsid sleep \(mark) >/dev/null 2>&1 & (setsid sh -c \"sleep \(mark) & sleep \(mark)\" >/dev/null 2>&1 &); sleep 1; echo started'", options: options)
                #expect(outcome.output == "started\n", "\(outcome)")
                #expect(try becomesTrue(within: .seconds(2)) { LiveProcess.having(argument: mark).filter { $0.name == "sleep" }.isEmpty })
                #expect(try gateway.ssh("locked 'echo again'", options: options).output == "again\n")
                #expect(commands(in: group).count == 1)
                #expect(LiveProcess.having(argument: other).contains { $0.name == "sleep" })
                try running.kill()
            }
        }
    }

    @Test func `125: a limit that cannot be written`() throws {
        try serving { gateway, group throws in
            #expect(try gateway.script("echo before").output == "before\n")
            try openFile("\(group)/cgroup.subtree_control", .write).writeAll(Array("-memory".utf8))
            let outcome = try gateway.script("echo never")
            #expect(outcome.code == 125 && outcome.output == "" && outcome.errors.contains("cgroup"), "\(outcome)")
            let record = try gateway.record("failed")
            #expect(record["step"] == "cgroup" && record["detail"].contains("memory.max"), "\(record["step"]) \(record["detail"])")
            #expect(commands(in: group).isEmpty)
            try openFile("\(group)/cgroup.subtree_control", .write).writeAll(Array("+memory".utf8))
            #expect(try gateway.script("echo after").output == "after\n")
        }
    }

    @Test func `what a gateway of before left is removed at the start`() throws {
        try serving("stale") { gateway, group throws in
            #expect(commands(in: group).isEmpty)
            #expect(try gateway.script("echo served").output == "served\n")
        }
    }

    private static let socat = "/usr/bin/socat"

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: socat), "needs socat (make setup)"))
    func `a process for each connection makes its own`() throws {
        try serving { gateway, group throws in
            let port = try SuperServerTests.freePort()
            let script = "\(gateway.directory)/start.py"
            try createFile(script, Array(Self.start.utf8))
            let posternd = try Gateway.command(gateway.directory).joined(separator: " ")
            try createFile(
                "\(gateway.directory)/start", Array("#!/bin/sh\nexec /usr/bin/python3 \(script) \(group)-each own \(posternd) --log \(gateway.directory)/log\n".utf8), mode: 0o755)
            let server = try RunningProgram([Self.socat, "TCP-LISTEN:\(port),bind=127.0.0.1,fork,reuseaddr", "EXEC:\(gateway.directory)/start,nofork"])
            try SuperServerTests.wait(for: port, server)
            let options = ["-o", "Port=\(port)", "-o", "HostKeyAlias=[127.0.0.1]:\(gateway.port)"]
            let client = try RunningProgram(gateway.sshCommand([Gateway.line("echo up; exec sleep 1000")], options: options))
            #expect(try becomesTrue(within: .seconds(30)) { client.outputSoFar == "up\n" }, "\(client.errorsSoFar)")
            let place = try #require(Place.path)
            let own = try FileManager.default.contentsOfDirectory(atPath: place).map { "\(place)/\($0)" }.filter { $0.hasPrefix("\(group)-each") }
            #expect(try own.flatMap { commands(in: $0) }.map { try text("\($0)/memory.max") } == ["\(64 << 20)"])
            try client.kill()
            #expect(try becomesTrue(within: .seconds(10)) { own.flatMap { commands(in: $0) }.isEmpty })
            try server.child.sendSignal(.terminate)
            _ = try server.wait(.seconds(10))
        }
    }
}
