import Linux
import Testing

@Suite("DESIGN §6: a monitor that is killed while it starts a command leaves nothing") struct LaunchKillTests {
    /// A call on the way to the command, at which strace(1) holds it up, and who makes it as root: process 1 of its namespace, or the command's own process.
    static let calls: [(name: String, isOfFirst: Bool)] =
        isRoot
        ? [("mount", true), ("execveat", true), ("setsid", true), ("setresuid", false), ("chdir", false), ("landlock_add_rule", false)]
        : [("setsid", false), ("chdir", false), ("landlock_add_rule", false)]

    @Test(arguments: calls) func `at whatever step it is`(call: String, isOfFirst: Bool) throws {
        var policy = TestPolicy()
        let holding = ["-e", "trace=\(call)", "-e", "inject=\(call):delay_enter=2000000:when=1"]
        policy.launcher = ["/usr/bin/strace", "-D", "-f", "-qq", "-o", "$DIRECTORY/strace"] + holding
        try Gateway.serving(policy) { gateway in
            let mark = "600.\(UInt32.random(in: 1_000_000 ... .max))"
            let listener = gateway.process.pid
            let client = try RunningProgram(gateway.sshCommand([Gateway.line("exec sleep \(mark)")]))
            var launched: [LiveProcess] = []
            let wanted = isRoot && !isOfFirst ? 2 : 1
            #expect(try becomesTrue(within: .seconds(30)) {
                launched = Self.launched(by: listener)
                return launched.count >= wanted
            })
            let monitor = try #require(LiveProcess.children(of: listener).first { $0.name == "posternd" })
            _ = try run(["/bin/kill", "-KILL", "\(monitor.pid)"])
            #expect(try client.wait(.seconds(20)).code == 255)
            var left: [LiveProcess] = []
            let isGone = try becomesTrue(within: .seconds(10)) {
                let others = LiveProcess.having(argument: gateway.directory).filter { $0.name == "posternd" && $0.pid != listener }
                left = launched.filter(\.isAlive) + others + LiveProcess.having(argument: mark)
                return left.isEmpty
            }
            #expect(isGone, "\(left)")
            #expect(try gateway.script("echo next").output == "next\n")
        }
    }

    /// What is on its way to a command: below a monitor with a connection, and still of its name, or process 1 beside it.
    private static func launched(by listener: Int32) -> [LiveProcess] {
        LiveProcess.descendants(of: listener).filter { $0.parent != listener && $0.name != "postern-fronten" }
    }
}
